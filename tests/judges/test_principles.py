"""Which principles are asked, and what their verdicts come to."""

import pytest

from rlaif.constitution.principle import Principle
from rlaif.judges.principles import Asked, Draw, by_principles, choose, draw, weigh
from rlaif.records import Verdict
from tests.judges.fakes import Says, compare

CALM = Principle(id="calm", text="The response is calm.")
SHORT = Principle(id="short", text="The response is short.", weight=3.0)
SAFE = Principle(id="safe", text="The response is safe.", veto=True)
HONEST = Principle(id="honest", text="The response is honest.", veto=True)
BY_ID = {principle.id: principle for principle in (CALM, SHORT, SAFE, HONEST)}


def verdict(principle, p, **evidence):
    return Verdict(p_first=p, judge="j", principle=principle, evidence=evidence)


def test_the_draw_is_the_comparisons_own_and_changes_from_one_to_the_next():
    drawn = [choose([CALM, SHORT], Draw(draw=1), f"0:{n}")[0].id for n in range(40)]
    assert drawn == [choose([CALM, SHORT], Draw(draw=1), f"0:{n}")[0].id for n in range(40)]
    assert set(drawn) == {"calm", "short"}


def test_all_are_asked_where_all_are_wanted_or_no_more_are_there():
    assert choose([CALM, SHORT], "all", "s") == (CALM, SHORT)
    assert choose([CALM, SHORT], Draw(draw=5), "s") == (CALM, SHORT)


def test_a_veto_is_asked_whatever_is_drawn_beside_it():
    for n in range(20):
        chosen = choose([CALM, SAFE, SHORT], Draw(draw=1), f"0:{n}")
        assert SAFE in chosen
        assert len(chosen) == 2


def test_a_plain_draw_knows_no_vetoes():
    drawn = {draw([CALM, SAFE, SHORT], 1, f"0:{n}") for n in range(40)}
    assert drawn == {(CALM,), (SAFE,), (SHORT,)}


def test_verdicts_are_weighed_and_a_principle_that_abstained_leaves_the_weighting():
    both = [verdict("calm", 0.9), verdict("short", 0.5)]
    assert weigh(both, BY_ID) == pytest.approx((0.9 + 3 * 0.5) / 4)
    assert weigh(both[:1], BY_ID) == pytest.approx(0.9)


def test_no_verdict_at_all_is_none_and_not_a_half():
    assert weigh([], BY_ID) is None


def test_a_veto_that_is_sure_decides_alone_and_an_unsure_one_is_weighed():
    others = [verdict("calm", 0.9), verdict("short", 0.9)]
    assert weigh([*others, verdict("safe", 0.1)], BY_ID) == pytest.approx(0.1)
    assert weigh([*others, verdict("safe", 0.45)], BY_ID) == pytest.approx((4 * 0.9 + 0.45) / 5)


def test_a_veto_that_both_replies_keep_to_is_weighed_however_sure_the_judge_is():
    others = [verdict("calm", 0.9), verdict("short", 0.9)]
    kept = verdict("safe", 0.04, holds_first=0.7, holds_second=0.98)
    assert weigh([*others, kept], BY_ID) == pytest.approx((4 * 0.9 + 0.04) / 5)


def test_a_veto_that_one_reply_breaks_decides_alone():
    others = [verdict("calm", 0.9), verdict("short", 0.9)]
    broken = verdict("safe", 0.04, holds_first=0.2, holds_second=0.86)
    assert weigh([*others, broken], BY_ID) == pytest.approx(0.04)


def test_a_veto_that_is_scored_is_broken_below_the_middle_of_the_scale():
    others = [verdict("calm", 0.9), verdict("short", 0.9)]
    kept = verdict("safe", 0.04, score_first=0.1, score_second=0.9)
    broken = verdict("safe", 0.04, score_first=-0.4, score_second=0.2)
    assert weigh([*others, kept], BY_ID) == pytest.approx((4 * 0.9 + 0.04) / 5)
    assert weigh([*others, broken], BY_ID) == pytest.approx(0.04)


def test_of_two_broken_vetoes_the_surer_decides():
    two = [verdict("safe", 0.1), verdict("honest", 0.8), verdict("calm", 0.5)]
    assert weigh(two, BY_ID) == pytest.approx(0.1)


def test_each_comparison_comes_once_with_all_that_was_said_of_it():
    says = {"calm": 0.9, "short": "timeout", "safe": 0.3}
    judge = Says(lambda case: says[case.principle.id], window=5, seed=3)
    asked = [Asked(compare(str(n)), [CALM, SHORT, SAFE][: 1 + n % 3]) for n in range(9)]
    heard = list(by_principles(judge, asked))
    assert {id(one) for one in heard} == {id(one) for one in asked}
    assert len(heard) == 9
    for one in heard:
        got = {v.principle: pytest.approx(v.p_first) for v in one.verdicts}
        got |= {a.principle: a.kind for a in one.abstained}
        assert got == {name: says[name] for name in one.principles}


def test_a_verdict_says_which_words_it_was_given_to():
    [heard] = by_principles(Says(lambda _: 0.9), [Asked(compare(), [CALM])])
    assert heard.verdicts[0].wording == CALM.fingerprint_of_wording
    assert heard.p_first == 0.9
