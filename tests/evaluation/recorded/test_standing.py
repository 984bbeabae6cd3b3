"""How right recorded judges are and how steady: by hand, and on LLMBar's own files."""

import os
from pathlib import Path

import pytest

from rlaif.errors import InputError
from rlaif.evaluation.intervals import Interval
from rlaif.evaluation.recorded.sheets import sheets
from rlaif.evaluation.recorded.standing import ALL, Reread, Standing, by_why, reread
from tests.evaluation.recordings import compared, scored, write_llmbar

A, B = "Output (a)", "Output (b)"
DATA = Path(os.environ.get("RLAIF_DATA", "/nowhere")) / "llmbar"


def value(found: Interval | None) -> float | None:
    return found.value if found else None


@pytest.fixture
def found(tmp_path: Path) -> Reread:
    """A judge that compares four pairs, and one that scores three."""
    rows = [
        [compared(A, B, ("1", "1"))],  # right twice
        [compared(A, A, ("1", "2"))],  # the first slot twice
        [compared("", B, (None, "1"))],  # one answer, and right
        [compared("", "", (None, None))],  # none
    ]
    write_llmbar(tmp_path, rows)
    scores = [
        [scored("9", "2", ("1", "1"))],
        [scored("5", "5", ("2", "1"))],
        [scored("1", "6", ("2", "2"))],
    ]
    write_llmbar(tmp_path, scores, strategy="Rating")
    return reread(tmp_path)


def row(found: Reread, strategy: str) -> Standing:
    return next(r for r in found.standings if r.strategy == strategy and r.subset == ALL)


def test_an_answer_that_cannot_be_read_is_in_no_share_and_recorded_as_wrong(found: Reread) -> None:
    judge = row(found, "Vanilla")
    assert value(judge.right) == pytest.approx(4 / 5)
    assert value(judge.recorded_right) == pytest.approx(4 / 8)
    assert judge.unread == 3


def test_steady_are_pairs_decided_alike_in_both_orders(found: Reread) -> None:
    judge = row(found, "Vanilla")
    assert value(judge.same) == pytest.approx(1 / 2)
    # As recorded, two answers that were not read are the same.
    assert value(judge.recorded_same) == pytest.approx(2 / 4)


def test_equal_scores_are_half_right_and_no_sign_of_a_favoured_slot(found: Reread) -> None:
    judge = row(found, "Rating")
    assert value(judge.right) == pytest.approx(0.5)
    assert (judge.same, judge.ties) == (None, 2)
    assert value(judge.recorded_same) == pytest.approx(2 / 3)


def test_differences_are_listed_with_their_reason(found: Reread) -> None:
    assert dict(by_why(found.differences)) == {"tie": 2}
    assert (found.files, found.readings, found.unread_by_both) == (2, 14, 3)
    assert {d.pair for d in found.differences} == {"Natural-1"}


def test_the_tables_show_both_readings_where_they_differ(found: Reread) -> None:
    standings, summary = sheets(found)
    scores, pairs = standings.rows
    assert pairs[3].startswith("0.50")  # right, as recorded
    assert scores[3] == "–"
    assert summary.notes[0].endswith("12 as recorded (3 of them unread by both), 2 not")
    titles = [sheet.title for sheet in sheets(found, each=True)]
    assert titles[1:] == [
        "Recorded judges, on Natural",
        "Read otherwise than recorded",
        "Each reading that differs",
    ]


def test_a_folder_without_recordings_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no recordings"):
        reread(tmp_path)


@pytest.fixture(scope="module")
def llmbar() -> Reread:
    """Read all 135 files."""
    return reread(DATA)


needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="RLAIF_DATA has no LLMBar")


@pytest.mark.slow
@needs_data
def test_every_recorded_winner_is_ours_or_differs_for_a_known_reason(llmbar: Reread) -> None:
    assert (llmbar.files, llmbar.readings, llmbar.unread_by_both) == (135, 22_556, 91)
    assert dict(by_why(llmbar.differences)) == {
        "tie": 728,
        "both": 159,
        "no score": 6,
        "neither": 5,
        "off the scale": 4,
        "other words": 2,
    }


@pytest.mark.slow
@needs_data
def test_figures_as_recorded_are_those_that_were_published(llmbar: Reread) -> None:
    judges = {(r.judge, r.strategy): r for r in llmbar.standings if r.subset == "GPTInst"}
    palm = judges["PaLM2", "CoT"]
    assert value(palm.recorded_right) == pytest.approx(101 / 184)
    assert value(palm.recorded_same) == pytest.approx(25 / 92)
    assert value(palm.right) == pytest.approx(0.68, abs=0.05)


@pytest.mark.slow
@needs_data
def test_a_strong_judge_is_above_a_weak_one_in_every_strategy(llmbar: Reread) -> None:
    right = {(r.judge, r.strategy): r.right for r in llmbar.standings if r.subset == ALL}
    assert len(right) == 45
    for (judge, strategy), share in right.items():
        strong = right["GPT-4", strategy]
        if judge != "GPT-4":
            assert share
            assert strong
            assert strong.low > share.value
