from pathlib import Path

import pytest

from rlaif.errors import InputError
from rlaif.feedback.importers import read_people
from tests.feedback.importers.files import write


def said(path: Path) -> dict[tuple[str, str], float]:
    return {(row.chosen.text, row.rejected.text): row.p_chosen for row in read_people(path)}


def test_k_replies_in_places_give_all_their_pairs_and_one_place_is_a_tie(tmp_path: Path) -> None:
    row = {"prompt": "P", "responses": ["a", "b", "c"], "ranks": [2, 1, 2]}
    assert said(write(tmp_path, row)) == {("b", "a"): 1.0, ("b", "c"): 1.0, ("a", "c"): 0.5}


def test_a_list_from_the_best_to_the_worst_is_a_ranking(tmp_path: Path) -> None:
    rows = read_people(
        write(tmp_path, {"id": "k", "prompt": "P", "ranked": ["best", "mid", "low"]})
    )
    assert [(r.chosen.text, r.rejected.text) for r in rows] == [
        ("best", "mid"),
        ("best", "low"),
        ("mid", "low"),
    ]
    assert {row.group for row in rows} == {"k"}
    assert len({row.id for row in rows}) == 3


def test_a_rank_within_each_answer_is_read_with_who_wrote_it(tmp_path: Path) -> None:
    answers = [
        {"answer": "x", "model": "m1", "rank": 3.0},
        {"answer": "y", "model": "m2", "rank": 1.0},
    ]
    [row] = read_people(write(tmp_path, {"prompt": "P", "answers": answers}))
    assert (row.chosen.text, row.chosen.author, row.rejected.author) == ("y", "m2", "m1")


def test_nine_replies_give_thirty_six_pairs(tmp_path: Path) -> None:
    row = {"prompt": "P", "responses": list("abcdefghi"), "ranking": [5, 3, 9, 1, 2, 4, 8, 7, 6]}
    rows = read_people(write(tmp_path, row))
    assert len(rows) == 36
    places = dict(zip(row["responses"], row["ranking"], strict=True))
    assert all(places[r.chosen.text] < places[r.rejected.text] for r in rows)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "P", "responses": ["a", "b"], "ranks": [1]}, ":1: 2 replies and 1 figures"),
        ({"prompt": "P", "responses": ["a", "b"], "ranks": [1, "x"]}, ":1: reply 2 has no number"),
        ({"prompt": "P", "responses": ["a"], "ranks": [1]}, ":1: a comparison needs 2 replies"),
        ({"responses": ["a", "b"], "ranks": [1, 2]}, ":1: replies without a prompt"),
        ({"prompt": "P", "ranks": [1, 2]}, ":1: `ranks` is a label without its pair"),
        (
            {"prompt": "P", "responses": ["a", "b"], "ranks": [1, float("nan")]},
            ":1: reply 2: nan is no finite number",
        ),
    ],
)
def test_a_list_that_cannot_be_ranked_is_named(row: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_people(write(tmp_path, row))
