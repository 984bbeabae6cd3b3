"""Several judges asked the same: what they come to, and what is kept of each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.constitution.principle import Principle
from rlaif.errors import InputError
from rlaif.judges.base import Case
from rlaif.judges.orders import BothOrders
from rlaif.judges.panel import Panel
from rlaif.records import Abstention, Verdict
from tests.judges.fakes import Says, compare

USEFUL = Principle(id="useful", text="The response is useful.")


def decide(said, how="mean", comparison=None, principle=None):
    """Ask a panel whose members say these things of one case."""
    members = {name: Says(lambda _, one=one: one, name=name) for name, one in said.items()}
    [(_, outcome)] = Panel(members, how).decide([Case(comparison or compare(), principle)])
    return outcome


@pytest.mark.parametrize(
    ("how", "p"), [("mean", (0.9 + 0.6 + 0.2) / 3), ("median", 0.6), ("vote", 2 / 3)]
)
def test_several_answers_become_one_by_the_rule_that_is_named(how, p, principle):
    verdict = decide({"a": 0.9, "b": 0.6, "c": 0.2}, how, principle=principle)
    assert verdict.p_first == pytest.approx(p)


def test_what_each_member_said_and_how_far_apart_they_are_is_kept(principle):
    verdict = decide({"a": 0.9, "b": 0.2}, principle=principle)
    assert verdict.evidence["a/p_first"] == 0.9
    assert verdict.evidence["b/p_first"] == pytest.approx(0.2)
    assert verdict.evidence["spread"] == pytest.approx(0.7)
    assert verdict.evidence["answered"] == 2
    assert (verdict.judge, verdict.principle) == ("mean of a, b", "useful")


def test_a_vote_for_neither_is_half_a_vote_only_where_the_member_itself_called_a_tie(principle):
    assert decide({"a": 0.5, "b": 0.9}, "vote", principle=principle).p_first == 0.75
    assert decide({"a": "timeout", "b": 0.9}, "vote", principle=principle).p_first == 1.0


def test_one_members_abstention_leaves_the_others_and_its_kind_is_kept(principle):
    verdict = decide({"a": "timeout", "b": 0.8, "c": 0.6}, principle=principle)
    assert verdict.p_first == pytest.approx(0.7)
    assert verdict.evidence["a/timeout"] == 1.0
    assert verdict.evidence["answered"] == 2
    assert "a/p_first" not in verdict.evidence


def test_all_abstaining_is_one_abstention_that_says_why(principle):
    outcome = decide({"a": "timeout", "b": "refused", "c": "timeout"}, principle=principle)
    assert isinstance(outcome, Abstention)
    assert (outcome.kind, outcome.subject, outcome.principle) == ("timeout", "x", "useful")
    assert "b: refused" in outcome.detail


def test_the_members_orders_are_put_together_too(principle):
    members = {
        "a": BothOrders(Says(lambda _: 0.8, name="a")),
        "b": BothOrders(Says(lambda _: 0.6, name="b")),
    }
    [(_, verdict)] = Panel(members).decide([Case(compare(), principle)])
    assert verdict.p_first == pytest.approx(0.5)
    assert verdict.evidence["p_forward"] == pytest.approx(0.7)
    assert verdict.evidence["p_backward"] == pytest.approx(0.3)
    assert verdict.evidence["flipped"] == 1.0
    assert verdict.evidence["a/p_forward"] == 0.8


def test_a_figure_that_only_some_members_have_stands_under_their_names_alone(principle):
    members = {"a": BothOrders(Says(lambda _: 0.8)), "b": Says(lambda _: 0.6)}
    [(_, verdict)] = Panel(members).decide([Case(compare(), principle)])
    assert "p_forward" not in verdict.evidence
    assert verdict.evidence["a/p_forward"] == 0.8


def test_answers_read_in_different_ways_are_said_to_be_mixed(principle):
    letter = Verdict(p_first=1.0, judge="a", read="letter", reason="It is longer.")
    verdict = decide({"a": letter, "b": 0.5}, principle=principle)
    assert verdict.read == "mixed"
    assert verdict.reason == "a: It is longer."
    assert decide({"b": 0.5}, principle=principle).read == "logprobs"


def test_another_member_name_or_rule_is_another_contract():
    one, other = Says(lambda _: 0.5, name="one"), Says(lambda _: 0.5, name="other")
    contracts = [
        Panel({"a": one, "b": other}).contract,
        Panel({"a": one}).contract,
        Panel({"a": one, "b": one}).contract,
        Panel({"a": one, "b": other}, "vote").contract,
    ]
    assert len(set(contracts)) == 4


def test_a_panel_of_nobody_is_refused():
    with pytest.raises(InputError, match="a panel needs a judge"):
        Panel({})


@given(st.integers(0, 30), st.integers(1, 7), st.integers(1, 7), st.integers(0, 3))
def test_each_case_comes_back_once_however_its_members_hurry(count, slow, fast, seed):
    def p_of(case):
        return (1 + int(case.comparison.id)) / 100

    members = {
        "slow": Says(p_of, window=slow, seed=seed),
        "fast": Says(lambda case: 1 - p_of(case), window=fast, seed=seed + 1),
    }
    cases = [Case(compare(str(number)), USEFUL) for number in range(count)]
    found = list(Panel(members).decide(cases))
    assert sorted(id(case) for case, _ in found) == sorted(id(case) for case in cases)
    for case, verdict in found:
        assert verdict.evidence["slow/p_first"] == pytest.approx(p_of(case))
        assert verdict.evidence["fast/p_first"] == pytest.approx(1 - p_of(case))


def test_no_member_runs_ahead_of_the_others(principle):
    pulled = []

    def endless():
        for number in range(10**9):
            pulled.append(number)
            yield Case(compare(str(number)), principle)

    members = {"a": Says(lambda _: 0.5, window=8), "b": Says(lambda _: 0.5)}
    stream = Panel(members).decide(endless())
    for _ in range(20):
        next(stream)
    assert len(pulled) <= 20 + 2 * 8


def test_equal_cases_in_one_stream_stay_apart(principle):
    case = Case(compare(), principle)
    found = list(Panel({"a": Says(lambda _: 0.6)}).decide([case, Case(*case), case]))
    assert len(found) == 3
