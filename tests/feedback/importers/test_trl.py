from pathlib import Path

import pytest

from rlaif.errors import InputError
from rlaif.feedback.importers import read_people
from tests.feedback.importers.files import write

USER = {"role": "user", "content": "P"}


def said(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def test_text_and_messages_are_read_alike(tmp_path: Path) -> None:
    plain = {"id": "a", "prompt": "P", "chosen": "good", "rejected": "bad"}
    turns = {"id": "b", "prompt": [USER], "chosen": [said("good")], "rejected": [said("bad")]}
    within = {"id": "c", "chosen": [USER, said("good")], "rejected": [USER, said("bad")]}
    twice = {**within, "id": "d", "prompt": "P", "score_chosen": 9.0}
    rows = read_people(write(tmp_path, plain, turns, within, twice))
    assert {(r.prompt.text, r.chosen.text, r.rejected.text) for r in rows} == {("P", "good", "bad")}
    assert {row.p_chosen for row in rows} == {1.0}


def test_a_probability_a_weight_and_a_source_are_kept(tmp_path: Path) -> None:
    row = {"prompt": "P", "chosen": "a", "rejected": "b", "p_chosen": 0.75, "weight": 2.0}
    [label] = read_people(write(tmp_path, {**row, "source": "thumbs", "by": "ann", "tags": ["x"]}))
    assert (label.p_chosen, label.weight, label.source, label.by) == (0.75, 2.0, "thumbs", "ann")
    assert label.prompt.tags == ("x",)


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (1.2, "p_chosen: Input should be less than or equal to 1"),
        (-0.1, "p_chosen: Input should be greater than or equal to 0"),
        (float("nan"), "p_chosen: Input should be a finite number"),
        (0.2, "p_chosen is below 0.5: swap"),
        ("often", "p_chosen: Input should be a valid number"),
    ],
)
def test_a_probability_that_is_none_is_named_with_its_line(
    p: float, message: str, tmp_path: Path
) -> None:
    row = {"prompt": "P", "chosen": "a", "rejected": "b"}
    with pytest.raises(InputError, match=rf"pairs\.jsonl:2: .*{message}"):
        read_people(write(tmp_path, row, {**row, "id": 2, "p_chosen": p}))


def test_conversations_that_answer_different_questions_are_no_pair(tmp_path: Path) -> None:
    other = {"role": "user", "content": "Q"}
    row = {"chosen": [USER, said("good")], "rejected": [other, said("bad")]}
    with pytest.raises(InputError, match=r":1: the two are not answers to the same conversation"):
        read_people(write(tmp_path, row))


def test_an_unpaired_row_is_sent_to_where_it_is_read(tmp_path: Path) -> None:
    row = {"prompt": "P", "completion": "a", "label": True}
    with pytest.raises(InputError, match=r":1: one reply, and no other beside it; .* thumbs"):
        read_people(write(tmp_path, row))
