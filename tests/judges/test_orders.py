import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.backends.scripted import ScriptedBackend
from rlaif.judges.base import Case
from rlaif.judges.orders import BothOrders
from rlaif.judges.pairwise import PairwiseJudge
from rlaif.records import Abstention, Comparison, Completion, Verdict
from rlaif.templates import Template


class Fixed:
    """A judge that says what its function says of each case."""

    name = contract = "fixed"

    def __init__(self, say):
        self.say = say
        self.asked = []

    def decide(self, cases):
        for case in cases:
            self.asked.append(case)
            said = self.say(case)
            yield case, said if isinstance(said, Abstention) else Verdict(p_first=said, judge="f")


def decide(say, comparison, principle, **options):
    [(_, outcome)] = list(BothOrders(Fixed(say), **options).decide([Case(comparison, principle)]))
    return outcome


def missing(case):
    return Abstention(kind="timeout", subject=case.comparison.id, by="f")


def test_a_judge_that_always_says_a_ends_in_a_tie(comparison, principle):
    judge = BothOrders(PairwiseJudge(ScriptedBackend(lambda _: "A"), Template.load("compare")))
    [(_, verdict)] = list(judge.decide([Case(comparison, principle)]))
    assert (verdict.p_first, verdict.choice) == (0.5, "tie")
    assert verdict.evidence["flipped"] == 1.0


def test_the_two_distributions_are_averaged_and_both_are_kept(comparison, principle):
    first = comparison.first

    def say(case):
        return 0.9 if case.comparison.first == first else 0.3

    verdict = decide(say, comparison, principle)
    assert verdict.p_first == pytest.approx((0.9 + 0.7) / 2)
    assert verdict.evidence["p_forward"] == 0.9
    assert verdict.evidence["p_backward"] == pytest.approx(0.7)
    assert verdict.evidence["flipped"] == 0.0


def test_one_order_missing_abstains_and_is_never_filled_with_a_half(comparison, principle):
    first = comparison.first

    def say(case):
        return 0.9 if case.comparison.first == first else missing(case)

    outcome = decide(say, comparison, principle)
    assert isinstance(outcome, Abstention)
    assert outcome.kind == "one-order"
    assert "timeout" in outcome.detail


def test_one_order_may_stand_alone_where_that_is_asked_for(comparison, principle):
    first = comparison.first

    def say(case):
        return missing(case) if case.comparison.first == first else 0.2

    verdict = decide(say, comparison, principle, keep_one=True)
    assert verdict.p_first == pytest.approx(0.8)


def test_both_orders_missing_is_one_abstention(comparison, principle):
    assert decide(missing, comparison, principle).kind == "timeout"


def test_equal_cases_in_one_stream_stay_apart(comparison, principle):
    case = Case(comparison, principle)
    judge = Fixed(lambda _: 0.6)
    outcomes = list(BothOrders(judge).decide([case, Case(*case), case]))
    assert len(outcomes) == 3
    assert len(judge.asked) == 6


@given(st.floats(0, 1))
def test_swapping_a_verdict_twice_is_the_identity(p):
    verdict = Verdict(p_first=p, judge="j")
    assert verdict.swapped().swapped() == verdict
    assert math.isclose(verdict.p_first, p, abs_tol=1e-15)


def test_swapping_a_comparison_twice_is_the_identity(comparison: Comparison):
    assert comparison.swapped() != comparison
    assert comparison.swapped().swapped() == comparison


def test_the_completion_of_a_missing_option_does_not_count_as_zero(comparison, principle):
    only_a = Completion(text="A", model="s", option_logprobs={"A": math.log(0.9)})
    judge = BothOrders(PairwiseJudge(ScriptedBackend(lambda _: only_a), Template.load("compare")))
    [(_, verdict)] = list(judge.decide([Case(comparison, principle)]))
    assert verdict.p_first == 0.5
