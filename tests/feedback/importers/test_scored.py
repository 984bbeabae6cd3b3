from pathlib import Path

import pytest

from rlaif.errors import InputError
from rlaif.feedback.importers import read_people
from tests.feedback.importers.files import write


def test_scores_beside_the_replies_are_read_and_kept(tmp_path: Path) -> None:
    row = {"prompt": "P", "responses": ["a", "b", "c"], "scores": [7, 9.5, 7]}
    rows = read_people(write(tmp_path, row))
    found = {(r.chosen.text, r.rejected.text): r.p_chosen for r in rows}
    assert found == {("b", "a"): 1.0, ("b", "c"): 1.0, ("a", "c"): 0.5}
    assert rows[0].verdicts[0].evidence == {"score_first": 9.5, "score_second": 7.0}


def test_ultrafeedbacks_completions_are_read_by_their_overall_score(tmp_path: Path) -> None:
    row = {
        "source": "made by hand",
        "instruction": "Name a colour.",
        "models": ["m1", "m2"],
        "completions": [
            {"model": "m1", "response": "Stone.", "overall_score": 2.0, "fine-grained_score": 4.5},
            {"model": "m2", "response": "Blue.", "overall_score": 8.5, "fine-grained_score": 3.0},
        ],
    }
    [label] = read_people(write(tmp_path, row))
    assert (label.prompt.text, label.chosen.text, label.chosen.author) == (
        "Name a colour.",
        "Blue.",
        "m2",
    )
    assert label.source == "human"


def test_a_score_of_nothing_is_named_and_never_zero(tmp_path: Path) -> None:
    replies = [{"response": "a", "score": 3}, {"response": "b", "score": None}]
    with pytest.raises(InputError, match=r"pairs\.jsonl:1: reply 2 has no number: None"):
        read_people(write(tmp_path, {"prompt": "P", "completions": replies}))
