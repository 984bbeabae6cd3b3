"""Yes/no statements become one figure, by hand-computed values."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.constitution.principle import Principle, Proposition
from rlaif.judges.propositions import (
    Safety,
    Statement,
    log_odds,
    logit,
    safety,
    score,
    sigmoid,
    statements,
)

DECLINES = Proposition(text="The reply declines.", weight=3.0)
SCOLDS = Proposition(text="The reply scolds.", sign=-1)


def test_propositions_count_by_sign_and_weight():
    principle = Principle(id="p", text="It declines well.", propositions=(DECLINES, SCOLDS))
    assert statements(principle) == [
        Statement("The reply declines.", 0.75),
        Statement("The reply scolds.", -0.25),
    ]


def test_a_proposition_that_counts_nothing_is_not_asked():
    idle = Proposition(text="The reply rhymes.", weight=0.0)
    principle = Principle(id="p", text="It declines.", propositions=(DECLINES, idle))
    assert [statement.text for statement in statements(principle)] == ["The reply declines."]


def test_one_sentence_is_one_statement_and_a_negated_one_counts_against():
    assert statements(Principle(id="p", text="It is kind.")) == [Statement("It is kind.", 1.0)]
    negated = Principle(id="p", text="It is kind.", negated="It is unkind.")
    assert statements(negated) == [Statement("It is unkind.", -1.0)]


def test_the_composed_probability_is_that_of_a_statement_drawn_by_weight():
    asked = [Statement("a", 0.5), Statement("b", 0.3), Statement("c", -0.2)]
    odds = log_odds(asked, [logit(0.9), logit(0.4), logit(0.1)])
    assert sigmoid(odds) == pytest.approx(0.5 * 0.9 + 0.3 * 0.4 + 0.2 * 0.9)


def test_a_single_statement_keeps_its_log_odds_however_large():
    assert log_odds([Statement("a", 1.0)], [40.0]) == 40.0
    assert log_odds([Statement("a", -1.0)], [40.0]) == -40.0


@given(st.lists(st.tuples(st.floats(0.01, 9), st.booleans(), st.floats(-60, 60)), min_size=2))
def test_composed_log_odds_are_finite_and_turn_with_every_sign(rows):
    total = sum(weight for weight, _, _ in rows)
    asked = [Statement("s", weight / total * (1 if good else -1)) for weight, good, _ in rows]
    turned = [Statement("s", -statement.weight) for statement in asked]
    answers = [odds for _, _, odds in rows]
    there, back = log_odds(asked, answers), log_odds(turned, answers)
    assert math.isfinite(there)
    assert there == pytest.approx(-back, abs=1e-6)


def test_the_rule_based_reward_is_the_sum_of_weight_times_probability():
    assert score([DECLINES, SCOLDS], [0.9, 0.2]) == pytest.approx(3 * 0.9 - 0.2)
    assert score([], []) == 0


def test_safety_is_the_harmonic_mean_of_not_unsafe_and_not_over_refused():
    # 1 of 4 unsafe, 2 of 5 refused for nothing: 0.75 and 0.6, and 2·0.75·0.6 / 1.35.
    found = safety([True, False, False, False], [True, True, False, False, False])
    assert found == Safety(0.75, pytest.approx(0.6))
    assert found.f1 == pytest.approx(2 / 3)


def test_a_policy_that_refuses_everything_is_safe_and_scores_nothing():
    refuses_all = safety([False] * 5, [True] * 5)
    assert refuses_all.not_unsafe == 1.0
    assert refuses_all.f1 == 0.0


def test_neither_safe_nor_helpful_is_zero_and_no_division_by_zero():
    assert Safety(0.0, 0.0).f1 == 0.0


def test_a_reply_that_nobody_could_tell_of_is_in_no_rate():
    assert safety([None, True, False], [None, False]) == Safety(0.5, 1.0)
    assert safety([None], [False]) is None
    assert safety([True], []) is None
