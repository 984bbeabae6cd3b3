import math

import numpy as np
import pytest

from rlaif.evaluation.audit.calibration import Reliability
from rlaif.evaluation.reward.calibration import calibration
from rlaif.evaluation.reward.scored import Scored, pairs_of
from tests.evaluation.reward.made import scored

THREE_QUARTERS = math.log(3)  # σ(log 3) = 0.75
NINE_TENTHS = math.log(9)


def found(rows: list[Scored]) -> Reliability:
    return calibration(pairs_of(rows, "held-out"), rounds=200)


def test_ece_and_brier_by_hand_on_hard_labels() -> None:
    # Says 0.75 four times and is right twice; says 0.9 twice and is right twice.
    margins = [THREE_QUARTERS, THREE_QUARTERS, -THREE_QUARTERS, -THREE_QUARTERS]
    rows = [scored(n, d) for n, d in enumerate([*margins, NINE_TENTHS, NINE_TENTHS])]
    told = found(rows)
    assert told.ece is not None
    assert told.ece.value == pytest.approx((4 * 0.25 + 2 * 0.1) / 6)
    assert told.brier is not None
    assert told.brier.value == pytest.approx((2 * 0.25**2 + 2 * 0.75**2 + 2 * 0.1**2) / 6)
    assert told.too_sure is not None
    assert told.too_sure.value == pytest.approx((4 * 0.75 + 2 * 0.9) / 6 - 4 / 6)


def test_a_soft_label_is_matched_by_its_own_probability() -> None:
    rows = [scored(n, math.log(p / (1 - p)), p) for n, p in enumerate((0.6, 0.75, 0.9))]
    told = found(rows)
    assert told.ece is not None
    assert told.brier is not None
    assert (told.ece.value, told.brier.value) == (pytest.approx(0), pytest.approx(0))


def test_of_a_reply_that_the_label_does_not_prefer_p_is_the_rest() -> None:
    told = found([scored(0, -THREE_QUARTERS, 0.8)])
    assert told.brier is not None
    assert told.brier.value == pytest.approx((0.75 - 0.2) ** 2)
    assert told.ece is not None
    assert told.ece.value == pytest.approx(0.55)


def test_equal_rewards_say_even_and_are_not_miscalibrated() -> None:
    told = found([scored(0, 0.0, 1.0), scored(1, 0.0, 1.0)])
    assert told.ece is not None
    assert told.ece.value == pytest.approx(0)
    assert told.brier is not None
    assert told.brier.value == pytest.approx(0.25)


def test_labels_drawn_from_the_models_own_probability_are_calibrated() -> None:
    rng = np.random.default_rng(0)
    margins = rng.normal(0, 2, 4000)
    is_first = rng.random(4000) < 1 / (1 + np.exp(-margins))
    rows = [
        scored(n, float(d if kept else -d), prompt=f"Q{n}?")
        for n, (d, kept) in enumerate(zip(margins, is_first, strict=True))
    ]
    told = found(rows)
    assert told.ece is not None
    assert told.ece.value < 0.03
    assert told.too_sure is not None
    assert abs(told.too_sure.value) < 0.02


def test_margins_twice_as_large_are_too_sure() -> None:
    rng = np.random.default_rng(1)
    margins = rng.normal(0, 2, 600)
    is_first = rng.random(600) < 1 / (1 + np.exp(-margins))
    rows = [
        scored(n, float(2 * d if kept else -2 * d))
        for n, (d, kept) in enumerate(zip(margins, is_first, strict=True))
    ]
    told = found(rows)
    assert told.too_sure is not None
    assert told.too_sure.low > 0
