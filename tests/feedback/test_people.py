import json
from pathlib import Path
from typing import Any

import pytest

from rlaif.errors import InputError
from rlaif.feedback.importers import read_pairs, read_people
from rlaif.feedback.people import Rated, Rating, read_ratings
from rlaif.records import Choice, Comparison


def write(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "people.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def shown(choice: str | None, rater: str | None = None, **more: Any) -> dict[str, Any]:
    row = {"id": "x", "prompt": "P", "first": "a", "second": "b", "choice": choice, "rater": rater}
    return {key: value for key, value in {**row, **more}.items() if value is not None}


def test_rows_of_one_id_are_raters_of_one_pair(tmp_path: Path) -> None:
    rows = [shown("first", "ann"), shown("second", "bo"), shown("tie", "cy")]
    [pair] = read_ratings(write(tmp_path, *rows))
    assert pair.ratings == (Rating("ann", "first"), Rating("bo", "second"), Rating("cy", "tie"))
    assert (pair.comparison.first.text, pair.comparison.second.text) == ("a", "b")


def test_raters_who_choose_otherwise_speak_of_the_same_two_slots(tmp_path: Path) -> None:
    rows = [
        {"id": "x", "rater": "ann", "prompt": "P", "chosen": "a", "rejected": "b"},
        {"id": "x", "rater": "bo", "prompt": "P", "chosen": "b", "rejected": "a"},
        shown("first", "cy"),
    ]
    [pair] = read_ratings(write(tmp_path, *rows))
    said = {rating.rater: rating.choice for rating in pair.ratings}
    a_is_first = pair.comparison.first.text == "a"
    assert said["ann"] == said["cy"] == ("first" if a_is_first else "second")
    assert said["bo"] != said["ann"]


def test_by_is_another_word_for_rater_and_people_is_who_is_not_named(tmp_path: Path) -> None:
    rows = [shown("first", by="ann"), shown("first", id="y")]
    one, other = read_ratings(write(tmp_path, *rows))
    assert (one.ratings[0].rater, other.ratings[0].rater) == ("ann", "people")


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (["first"], "first"),
        (["first", "first", "second"], "first"),
        (["first", "second"], "tie"),
        (["tie", "first"], "tie"),
        (["tie", "second", "second"], "second"),
        (["tie", "tie", "first"], "tie"),
    ],
)
def test_people_say_what_most_of_them_say(
    choices: list[Choice], expected: Choice, comparison: Comparison
) -> None:
    ratings = tuple(Rating(str(number), choice) for number, choice in enumerate(choices))
    assert Rated(comparison, ratings).choice == expected


def test_the_same_file_is_labelled_with_each_pair_asked_once(tmp_path: Path) -> None:
    path = write(tmp_path, shown("second", "ann"), shown("first", "bo"), shown("tie", id="y"))
    pairs = list(read_pairs(path))
    assert [pair.id for pair in pairs] == ["x", "y"]
    assert pairs == [rated.comparison for rated in read_ratings(path)]


def test_a_choice_is_a_label_to_train_on_too(tmp_path: Path) -> None:
    second, tie = read_people(write(tmp_path, shown("second"), shown("tie", id="y")))
    assert (second.chosen.text, second.p_chosen, second.source) == ("b", 1.0, "human")
    assert tie.p_chosen == 0.5


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([shown(None)], "people.jsonl:1: pair x has no label; expected"),
        ([shown("frist")], "people.jsonl:1: choice: 'frist'; did you mean 'first'"),
        (
            [shown("first", "ann"), shown("tie", "ann")],
            "people.jsonl:2: id 'x' stands twice for the rater 'ann', first on line 1",
        ),
        (
            [shown("first", "ann"), shown("first", "bo", second="c")],
            "people.jsonl:2: id 'x' has other replies here than on line 1",
        ),
        (
            [{"prompt": "P", "chosen": "a", "rejected": "b", "rater": "ann"}],
            "people.jsonl:1: a row with a `rater` needs an `id`",
        ),
    ],
)
def test_a_row_that_cannot_be_used_is_named_with_its_line(
    rows: list[dict[str, Any]], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        read_ratings(write(tmp_path, *rows))
