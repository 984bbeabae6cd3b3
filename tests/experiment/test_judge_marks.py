"""Marks by hand: what each figure is of, how it is held to its gate, and where there is none."""

import math

import numpy as np
import pytest

from rlaif.evaluation.intervals import Interval
from rlaif.experiment.judge_marks import (
    GATES,
    PEOPLE,
    mark,
    mark_of_calibration,
    mark_of_people,
    mark_of_rules,
    mark_of_share,
    marks_of_statements,
)
from rlaif.judges.absolute import Calibration
from rlaif.training.judge_exam import Item


def at(value: float) -> Interval:
    return Interval(value=value, low=value - 0.1, high=value + 0.1)


@pytest.mark.parametrize(
    ("name", "value", "is_short"),
    [
        ("minimal pairs ranked right", 0.849, True),
        ("minimal pairs ranked right", 0.85, False),
        ("comparisons: same slot in both orders", 0.151, True),
        ("comparisons: same slot in both orders", 0.15, False),
        ("expected calibration error", 0.07, True),
        ("flips under a verdict in the reply", 0.0, False),
    ],
)
def test_a_mark_is_short_on_the_wrong_side_of_its_gate(
    name: str, value: float, *, is_short: bool
) -> None:
    assert mark(name, at(value), 10).is_short is is_short


def test_every_gate_has_an_aim_beyond_it() -> None:
    for name in GATES:
        made = mark(name, at(0.5), 1)
        assert (made.aim < made.gate) is made.is_low_good
        assert made.aim != made.gate


def item(trait: str, number: int, truth: bool, part: str = "known wording") -> Item:
    return Item(part, trait, "does", f"It is {trait}.", number, truth)  # type: ignore[arg-type]


def test_a_trait_counts_as_much_as_another_however_many_replies_it_was_asked_about() -> None:
    # Of "brief" both true replies are above the false one; of "warm" one of four pairs is right.
    items = [item("brief", 0, True), item("brief", 1, True), item("brief", 2, False)]
    items += [item("warm", n, n < 2) for n in range(4)]
    odds = np.array([2.0, 1.0, -1.0, 0.5, -3.0, -2.0, 1.0])
    marks, weakest = marks_of_statements(items, odds, Calibration())
    by_name = {each.name: each for each in marks}
    areas = by_name["known wording, does: AUC"]
    assert (areas.value, areas.count) == (pytest.approx((1 + 0.25) / 2), 7)
    right = by_name["known wording, does: balanced accuracy"]
    assert right.value == pytest.approx((1 + 0.5) / 2)
    worst = by_name["worst trait, known wording: AUC"]
    assert (worst.value, worst.count) == (0.25, 4)
    assert worst.low < worst.value < worst.high
    assert weakest == {"warm": 0.25, "brief": 1.0}


def test_a_bias_moves_what_is_said_and_not_the_order() -> None:
    items = [item("brief", n, n == 0) for n in range(2)]
    marks, _ = marks_of_statements(items, np.array([1.0, 0.5]), Calibration(bias=2.0))
    values = {each.name: each.value for each in marks}
    assert values["known wording, does: AUC"] == 1.0
    assert values["known wording, does: balanced accuracy"] == 0.5


def test_a_wording_that_is_true_of_every_reply_is_no_mark() -> None:
    marks, weakest = marks_of_statements([item("brief", 0, True)], np.array([1.0]), Calibration())
    assert (marks, weakest) == ([], {})
    assert mark_of_share("minimal pairs ranked right", []) is None
    assert mark_of_people([], {}) is None
    assert mark_of_rules({"rbr:apology": (np.array([1.0]), np.array([True]))}) is None


def test_each_proposition_of_people_counts_alike() -> None:
    two = (np.array([1.0, 0.0]), np.array([True, False]))
    three = (np.array([0.0, 1.0, 2.0]), np.array([True, False, False]))
    made = mark_of_rules({"one": two, "other": three})
    assert made is not None
    assert (made.value, made.count) == (0.5, 5)


def test_a_judge_that_is_right_as_often_as_it_says_has_no_calibration_error() -> None:
    # σ(log 3) = 0.75: three of four are right; turned round, one of four, off by a half.
    odds, truths = np.full(4, math.log(3)), np.array([True, True, True, False])
    made, bins = mark_of_calibration(odds, truths, ["a", "b", "c", "d"], Calibration())
    assert made is not None
    assert made.value == pytest.approx(0, abs=1e-9)
    assert sum(each.labels for each in bins) == 4
    wrong, _ = mark_of_calibration(-odds, truths, ["a", "b", "c", "d"], Calibration())
    assert wrong is not None
    assert wrong.value == pytest.approx(0.5)
    assert mark_of_calibration(np.array([]), np.array([]), [], Calibration()) == (None, ())


def test_the_gate_of_peoples_pairs_is_the_best_judge_that_reads_nothing() -> None:
    made = mark_of_people([1.0, 1.0, 0.5, 0.0], {"the shorter": 0.6, "the refusing": 0.55})
    assert made is not None
    assert (made.name, made.value, made.gate) == (PEOPLE, 0.625, 0.6)
    assert not made.is_short
