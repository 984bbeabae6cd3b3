"""Recorded replies, read again: what differs from the recorded reading, and why."""

from pathlib import Path
from typing import Any

import pytest

from rlaif.evaluation.recorded.again import Again, read_again
from rlaif.evaluation.recorded.llmbar import read_recording
from tests.evaluation.recordings import compared, scored, write_llmbar

A, B = "Output (a)", "Output (b)"
BOTH = "Output (b) is better.\n\nOutput (a) has no fruit. Therefore, Output (b) is better."
NEITHER = "Therefore, neither Output (a) nor Output (b) is better."


def again(tmp_path: Path, *rounds: Any) -> list[Again]:
    """Read one row's rounds again; the row's own order first."""
    found = read_again(read_recording(write_llmbar(tmp_path, [rounds])))
    return sorted(found, key=lambda one: (one.round, one.is_swapped))


def test_a_reading_is_told_in_the_pairs_own_order(tmp_path: Path) -> None:
    own, swapped = again(tmp_path, compared(A, B, ("1", "1")))
    assert (own.choice, swapped.choice) == ("first", "first")
    assert (own.why, swapped.why) == ("", "")


def test_the_same_slot_in_both_orders_is_two_different_outputs(tmp_path: Path) -> None:
    assert [one.choice for one in again(tmp_path, compared(A, A, ("1", "2")))] == [
        "first",
        "second",
    ]


def test_a_reply_that_cannot_be_read_by_either_is_no_difference(tmp_path: Path) -> None:
    own, _ = again(tmp_path, compared("", B, (None, "1")))
    assert (own.choice, own.recorded, own.why) == (None, None, "")


@pytest.mark.parametrize(
    ("said", "ours", "why"),
    [
        (compared(BOTH, B, ("1", "1")), "second", "both"),
        (compared(NEITHER, B, ("2", "1")), None, "neither"),
        (compared("I must select Output (b).", B, (None, "1")), "second", "other words"),
        (compared(A, B, ("2", "1")), "first", "unexplained"),
        (scored("7", "7", ("2", "1")), "tie", "tie"),
        (scored("", "0", ("1", "2")), None, "no score"),
        (scored("10", "3", ("1", "1")), None, "off the scale"),
        (scored("3", "8", ("1", "1")), "second", "unexplained"),
    ],
)
def test_a_difference_has_its_reason(
    said: dict[str, Any], ours: str | None, why: str, tmp_path: Path
) -> None:
    own = again(tmp_path, said)[0]
    assert (own.choice, own.why) == (ours, why)


def test_only_the_last_round_counts_and_every_round_is_read(tmp_path: Path) -> None:
    found = again(tmp_path, compared(A, A, ("1", "2")), compared(B, A, ("2", "2")))
    assert [(one.round, one.is_last, one.choice) for one in found] == [
        (0, False, "first"),
        (0, False, "second"),
        (1, True, "second"),
        (1, True, "second"),
    ]
