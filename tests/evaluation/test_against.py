import numpy as np
import pytest
from scipy.stats import binom

from rlaif.evaluation.against import Against, against
from rlaif.evaluation.agreed import Said
from rlaif.evaluation.intervals import Draws
from rlaif.records import Choice


def said(name: str, hits: str) -> Said:
    """Say first for 1, second for 0, a tie for ~, and nothing for a dot."""
    words: dict[str, Choice | None] = {"1": "first", "0": "second", "~": "tie", ".": None}
    return Said(name, [words[hit] for hit in hits], np.ones(len(hits), dtype=bool))


def compared(judge: str, other: str) -> Against:
    people: list[Choice | None] = ["first"] * len(judge)
    draws = Draws([str(number) for number in range(len(judge))], rounds=1000)
    found = against(said("judge", judge), said("other", other), people, draws)
    assert found is not None
    return found


def test_mcnemar_by_hand() -> None:
    # 9 pairs are told right by the one alone, 2 by the other alone: twice P(X ≤ 2), X of 11 at ½,
    # which is 2·(1 + 11 + 55) / 2048.
    found = compared("1" * 9 + "00" + "11111" + "000", "0" * 9 + "11" + "11111" + "000")
    assert (found.both_right, found.only_judge, found.only_other, found.neither) == (5, 9, 2, 3)
    assert found.p_value == pytest.approx(134 / 2048)
    assert found.p_value == pytest.approx(2 * binom.cdf(2, 11, 0.5))
    assert found.ahead is not None
    assert found.ahead.value == pytest.approx(7 / 19)


def test_two_judges_with_as_many_wins_are_not_told_apart() -> None:
    found = compared("1100", "0011")
    assert (found.p_value, found.is_clear) == (1.0, False)


def test_only_pairs_that_both_decided_count() -> None:
    found = compared("1~1.", "10~1")
    assert (found.both_right, found.only_judge, found.only_other, found.neither) == (1, 0, 0, 0)


def test_judges_with_no_pair_in_common_are_not_compared() -> None:
    draws = Draws(["0"], rounds=1000)
    assert against(said("judge", "."), said("other", "1"), ["first"], draws) is None


def test_a_judge_that_is_always_right_is_clearly_ahead_of_one_that_never_is() -> None:
    found = compared("1" * 20, "0" * 20)
    assert found.is_clear
    assert found.p_value == pytest.approx(2 / 2**20)
