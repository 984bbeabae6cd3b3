import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from rlaif.evaluation.audit.calibration import reliability
from rlaif.records import Choice, Preference
from tests.evaluation.pairs import compare, label


def labels(*p: float) -> list[Preference]:
    return [label(compare(number), each) for number, each in enumerate(p)]


def said(right: str) -> dict[str, Choice]:
    """Let people choose the label's chosen reply for 1, the other for 0, neither for ~."""
    words: dict[str, Choice] = {"1": "first", "0": "second", "~": "tie"}
    return {f"pair{number}": words[hit] for number, hit in enumerate(right)}


def test_ece_and_brier_by_hand() -> None:
    # Two labels of 0.72 of which one is right, two of 0.93 which are right.
    found = reliability(labels(0.72, 0.72, 0.93, 0.93), said("1011"))
    assert found is not None
    assert found.ece is not None
    assert found.ece.value == pytest.approx((2 * 0.22 + 2 * 0.07) / 4)
    assert found.brier is not None
    assert found.brier.value == pytest.approx((0.28**2 + 0.72**2 + 2 * 0.07**2) / 4)
    assert found.too_sure is not None
    assert found.too_sure.value == pytest.approx((0.72 * 2 + 0.93 * 2) / 4 - 0.75)
    full = {b.low: b for b in found.bins if b.labels}
    assert set(full) == {0.7, 0.9}
    assert full[0.7].right is not None
    assert (full[0.7].labels, full[0.7].right.value) == (2, 0.5)
    assert full[0.9].said == pytest.approx(0.93)


def test_over_and_under_in_one_bin_cancel_and_in_two_do_not() -> None:
    # The same four errors: in one bin they mean 0, in two they mean 0.1 each.
    together = reliability(labels(0.71, 0.71, 0.71, 0.71), said("1110"))
    assert together is not None
    assert together.ece is not None
    assert together.ece.value == pytest.approx(0.04)
    apart = reliability(labels(0.6, 0.6, 0.9, 0.9), said("1110"))
    assert apart is not None
    assert apart.ece is not None
    assert apart.ece.value == pytest.approx(0.4)


def test_the_side_that_a_pair_is_told_from_does_not_change_the_brier_score() -> None:
    rng = np.random.default_rng(0)
    p, hits = 0.5 + rng.random(50) / 2, rng.random(50) < 0.7
    found = reliability(labels(*p), said("".join("1" if hit else "0" for hit in hits)))
    assert found is not None
    assert found.brier is not None
    side = rng.random(50) < 0.5
    of_first, first_won = np.where(side, p, 1 - p), np.where(side, hits, ~hits)
    assert found.brier.value == pytest.approx(brier_score_loss(first_won, of_first))


def test_a_judge_that_means_what_it_says_is_calibrated() -> None:
    rng = np.random.default_rng(3)
    p = 0.5 + rng.random(4000) / 2
    hits = rng.random(4000) < p
    found = reliability(labels(*p), said("".join("1" if hit else "0" for hit in hits)))
    assert found is not None
    assert found.ece is not None
    assert found.ece.value < 0.03
    assert found.too_sure is not None
    assert not found.too_sure.is_clear_of_zero
    assert all(b.right and b.said and b.right.low < b.said < b.right.high for b in found.bins)


def test_ties_of_either_and_pairs_people_never_saw_are_left_out() -> None:
    found = reliability(labels(0.8, 0.5, 0.9, 0.9), {**said("11~"), "other": "first"})
    assert found is not None
    assert found.labels == 1
    assert reliability(labels(0.8), {}) is None


def test_certainty_falls_in_the_last_bin() -> None:
    found = reliability(labels(1.0), said("1"))
    assert found is not None
    assert found.bins[-1].labels == 1
    assert found.ece is not None
    assert found.ece.value == 0.0
