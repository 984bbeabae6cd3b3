import json
from pathlib import Path
from typing import Any

import pytest

from rlaif.errors import InputError
from rlaif.feedback.importers import read_people
from rlaif.feedback.people import read_ratings
from tests.feedback.importers.files import write

TALK = [{"role": "user", "content": "Hi"}]


def battle(winner: str, **more: Any) -> dict[str, Any]:
    sides = {
        f"conversation_{side}": [*TALK, {"role": "assistant", "content": f"from {side}"}]
        for side in "ab"
    }
    return {"question_id": "q", "model_a": "x", "model_b": "y", "winner": winner, **sides, **more}


@pytest.mark.parametrize(
    ("winner", "chosen", "p"),
    [
        ("model_a", "x", 1.0),
        ("model_b", "y", 1.0),
        ("tie", "x", 0.5),
        ("tie (bothbad)", "x", 0.5),
    ],
)
def test_the_winner_is_chosen_and_a_tie_is_a_tie(
    winner: str, chosen: str, p: float, tmp_path: Path
) -> None:
    [row] = read_people(write(tmp_path, battle(winner, judge="ann")))
    assert (row.chosen.author, row.p_chosen, row.by) == (chosen, p, "ann")
    assert row.prompt.text == "Hi"


def test_two_judges_of_one_battle_are_two_raters_though_the_sides_are_turned(
    tmp_path: Path,
) -> None:
    turned = battle("model_a", judge="bo", model_a="y", model_b="x")
    turned["conversation_a"], turned["conversation_b"] = (
        turned["conversation_b"],
        turned["conversation_a"],
    )
    [pair] = read_ratings(write(tmp_path, battle("model_b", judge="ann"), turned))
    assert [rating.rater for rating in pair.ratings] == ["ann", "bo"]
    assert pair.ratings[0].choice == pair.ratings[1].choice != "tie"


def test_a_second_turn_is_answered_to_what_both_saw(tmp_path: Path) -> None:
    row = battle("model_b")
    for side in "ab":
        again = [{"role": "user", "content": "More?"}, {"role": "assistant", "content": "No."}]
        row[f"conversation_{side}"] += again
    [label] = read_people(write(tmp_path, row))
    assert label.prompt.text == "Hi"
    assert label.chosen.text == "from b\n\nHuman: More?\n\nAssistant: No."


def test_columns_of_ones_and_lists_held_as_text_are_read(tmp_path: Path) -> None:
    row = {
        "id": 7,
        "model_a": "x",
        "model_b": "y",
        "prompt": json.dumps(["Hi", "More?"]),
        "response_a": json.dumps(["Hello.", "Yes."]),
        "response_b": json.dumps(["Hello.", None]),
        "winner_model_a": 0,
        "winner_model_b": 0,
        "winner_tie": 1,
    }
    [label] = read_people(write(tmp_path, row))
    assert label.p_chosen == 0.5
    assert [turn.content for turn in label.prompt.messages] == ["Hi", "Hello.", "More?"]
    assert (label.chosen.text, label.rejected.text) == ("Yes.", "")


def test_a_winner_that_is_nobody_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r":1: winner: 'model_c' is none of model_a"):
        read_people(write(tmp_path, battle("model_c")))
    row = {"prompt": "P", "response_a": "a", "response_b": "b", "winner_model_a": 1}
    with pytest.raises(InputError, match=r":1: winner_model_a.*found 2"):
        read_people(write(tmp_path, {**row, "winner_model_b": 1, "winner_tie": 0}))
