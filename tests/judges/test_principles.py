import pytest

from rlaif.constitution.principle import Constitution, Principle
from rlaif.judges.principles import Draw, choose, weigh
from rlaif.records import Prompt, Verdict

THREE = Constitution(
    name="three",
    principles=(
        Principle(id="calm", text="The response is calm."),
        Principle(id="short", text="The response is short.", weight=3.0),
        Principle(id="safe", text="The response is safe.", veto=True, scope=("harmful",)),
    ),
)
BY_ID = {principle.id: principle for principle in THREE.principles}


def verdict(principle, p):
    return Verdict(p_first=p, judge="j", principle=principle)


def test_a_principle_judges_only_the_prompts_in_its_scope():
    plain, harmful = Prompt.of("Hello"), Prompt.of("Hello", tags=("harmful",))
    assert [p.id for p in choose(THREE, plain, "all", "s")] == ["calm", "short"]
    assert [p.id for p in choose(THREE, harmful, "all", "s")] == ["calm", "short", "safe"]


def test_the_draw_is_the_comparisons_own_and_changes_from_one_to_the_next():
    prompt = Prompt.of("Hello")
    drawn = [choose(THREE, prompt, Draw(draw=1), f"0:{n}")[0].id for n in range(40)]
    assert drawn == [choose(THREE, prompt, Draw(draw=1), f"0:{n}")[0].id for n in range(40)]
    assert set(drawn) == {"calm", "short"}


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
