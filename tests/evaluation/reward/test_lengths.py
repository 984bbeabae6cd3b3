import math

import numpy as np
import pytest

from rlaif.evaluation.reward.lengths import LengthPull, length_pull
from rlaif.evaluation.reward.scored import Scored, pairs_of
from tests.evaluation.reward.made import scored


def found(rows: list[Scored]) -> LengthPull:
    return length_pull(pairs_of(rows, "held-out"), "rm", rounds=300)


def test_the_slope_is_least_squares_through_nought() -> None:
    # x = log₂ of the length ratio: 1, 2, −1; Δr: 3, 2, 1; Σ Δr·x = 6, Σ x² = 6, Σ Δr² = 14.
    rows = [
        scored(0, 3.0, words=(8, 4)),
        scored(1, 2.0, words=(8, 2)),
        scored(2, 1.0, words=(4, 8)),
    ]
    told = found(rows)
    assert told.slope is not None
    assert told.slope.value == pytest.approx(1.0)
    assert told.correlation is not None
    assert told.correlation.value == pytest.approx(6 / math.sqrt(6 * 14))
    assert told.longer is not None
    assert told.longer.value == pytest.approx(2 / 3)
    assert told.labels_longer is not None
    assert told.labels_longer.value == pytest.approx(2 / 3)


def test_a_reward_that_is_length_alone_has_its_slope_and_no_accuracy_where_lengths_are_even() -> (
    None
):
    rng = np.random.default_rng(0)
    rows = []
    for number in range(200):
        one, other = (int(n) for n in rng.integers(2, 60, 2))
        margin = 0.7 * math.log2(one / other)
        rows.append(scored(number, margin, words=(one, other)))
    told = found(rows)
    assert told.slope is not None
    assert told.slope.value == pytest.approx(0.7)
    assert told.slope.low == pytest.approx(0.7)
    assert told.correlation is not None
    assert told.correlation.value == pytest.approx(1.0)
    assert told.balanced is not None
    assert told.balanced.value == pytest.approx(0.5)


def test_a_reward_that_ignores_length_has_no_slope_and_keeps_its_accuracy() -> None:
    rng = np.random.default_rng(1)
    rows = [
        scored(n, 1.0 if n % 5 else -1.0, words=(int(a), int(b)))
        for n, (a, b) in enumerate(rng.integers(2, 60, (400, 2)))
    ]
    told = found(rows)
    assert told.balanced is not None
    assert told.balanced.value == pytest.approx(0.8, abs=0.03)
    assert told.equal.equal is not None
    assert told.equal.equal.value == pytest.approx(0.8, abs=0.03)
    assert told.equal.raw is not None
    assert told.equal.raw.value == pytest.approx(0.8)
    assert told.slope is not None
    assert told.slope.low < 0 < told.slope.high


def test_matched_pairs_are_those_of_about_the_same_length() -> None:
    rows = [
        scored(0, 1.0, words=(5, 4)),  # 1.25 times
        scored(1, -1.0, words=(4, 5)),
        scored(2, 1.0, words=(9, 9)),
        scored(3, 1.0, words=(9, 4)),
    ]
    matched = found(rows).matched
    assert matched is not None
    assert (matched.pairs, matched.share.value) == (3, pytest.approx(2 / 3))


def test_replies_of_one_length_have_no_slope_and_no_balance() -> None:
    told = found([scored(n, 1.0) for n in range(30)])
    assert told.slope is None
    assert told.longer is None
    assert told.balanced is None
    assert told.matched is not None
    assert told.matched.share.value == 1.0
