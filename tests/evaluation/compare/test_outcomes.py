import pytest

from rlaif.evaluation.compare.outcomes import Outcome, standings
from rlaif.evaluation.compare.page import picture, sheet


def one(method: str, seed: int, reward: float, kl: float) -> Outcome:
    return Outcome(
        method=method,
        kind="drawn once",
        seed=seed,
        before=1.0,
        reward=reward,
        kl=kl,
        tokens=100,
        asked=8,
        generation=1.0,
        rewarding=0.5,
        update=2.5,
    )


OUTCOMES = [one("dpo", 0, 2.0, 4.0), one("rloo", 0, 5.0, 9.0), one("dpo", 1, 4.0, 6.0)]


def test_a_methods_seeds_stand_together() -> None:
    dpo, rloo = standings(OUTCOMES)
    assert (dpo.gain.mean, dpo.gain.low, dpo.gain.high, dpo.gain.deviation) == (2.0, 1.0, 3.0, 1.0)
    assert dpo.kl.mean == 5.0
    assert dpo.gain_a_nat == pytest.approx(0.4)
    assert rloo.gain.values == (4.0,)
    assert rloo.seconds == 4.0


def test_the_picture_puts_more_further_right_and_the_seconds_end_to_end() -> None:
    placed = picture(OUTCOMES)
    dpo, rloo = placed.lines
    assert dpo.gain_mean < rloo.gain_mean
    assert dpo.kl_mean < rloo.kl_mean
    for left, right in zip(dpo.bars, dpo.bars[1:], strict=False):
        assert left.x + left.width == pytest.approx(right.x)
    gain, _, seconds = placed.axes
    assert gain.at(0) <= min(dot.x for dot in dpo.gain)
    assert dpo.bars[-1].x + dpo.bars[-1].width == pytest.approx(seconds.left + placed.panel)


def test_one_seed_has_no_range_and_no_deviation() -> None:
    both = sheet(OUTCOMES, "compare")
    [dpo, rloo] = [row[2:4] for row in both.rows]
    assert (dpo, rloo) == (["2.00 (1.00 to 3.00)", "1.00"], ["4.00", "–"])
    assert both.notes[0] == "Means over 2 seeds."
    alone = sheet(OUTCOMES[:2], "compare")
    assert alone.notes[0] == "One seed: chance is not told apart."
