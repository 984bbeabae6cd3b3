from collections import Counter

import pytest

from rlaif.constitution.principle import Constitution, Principle
from rlaif.evaluation.measures import Item
from rlaif.evaluation.results import Reply
from rlaif.evaluation.wins import Found, Judged, pairs_to_judge, win_rate
from rlaif.records import Prompt
from tests.evaluation.fakes import Referee, p_first

PROMPTS = [Prompt.of(f"Question {number}?", id=f"p{number}") for number in range(5)]
ITEMS = [Item("mine", prompt, 0) for prompt in PROMPTS]
CONSTITUTION = Constitution(name="c", principles=(Principle(id="a", text="The response helps."),))


def reply(number: int, text: str = "Text.", p: float | None = None) -> Reply:
    return Reply(
        policy="tuned",
        suite="mine",
        prompt_id=f"p{number}",
        sample=0,
        text=text,
        kind="compliance",
        words=1,
        p_better=p,
    )


def test_a_tie_is_half_a_win() -> None:
    found = Found([reply(n, p=p) for n, p in enumerate((0.9, 0.51, 0.5, 0.2))], Counter(), 1)
    rate = win_rate("tuned", found, 1000)
    assert (rate.wins, rate.ties, rate.losses, rate.same) == (2, 1, 1, 1)
    assert rate.figure is not None
    assert rate.figure.value == 2.5 / 4


def test_an_abstention_is_counted_and_in_no_rate() -> None:
    rate = win_rate("tuned", Found([reply(0, p=0.9)], Counter({"no-mass": 3}), 0), 1000)
    assert rate.figure is not None
    assert (rate.figure.value, rate.abstained) == (1.0, {"no-mass": 3})


def test_no_decided_pair_is_no_rate_and_not_a_half() -> None:
    assert win_rate("tuned", Found([], Counter({"timeout": 2}), 0), 1000).figure is None


def test_the_probability_is_that_of_the_policys_reply_in_either_slot() -> None:
    referee = Referee(lambda c: p_first(c, 0.8 if c.comparison.first.text == "Good." else 0.2))
    base = {item.key: reply(n, "Bad.") for n, item in enumerate(ITEMS)}
    own = {item.key: reply(n, "Good.") for n, item in enumerate(ITEMS)}
    found = Judged(referee, CONSTITUTION, 0).compare(ITEMS, base, own, lambda _: None)
    assert {case.comparison.first.id for case in referee.seen} == {"own", "base"}
    assert [row.p_better for row in found.replies] == pytest.approx([0.8] * 5)
    assert [v.p_first for row in found.replies for v in row.verdicts] == pytest.approx([0.8] * 5)


def test_a_draw_that_one_policy_lacks_is_not_judged_but_the_bar_still_fills() -> None:
    referee = Referee(lambda c: p_first(c, 0.8))
    base = {item.key: reply(n, "Bad.") for n, item in enumerate(ITEMS)}
    own = {ITEMS[0].key: reply(0, "Good.")}
    steps: list[str] = []
    found = Judged(referee, CONSTITUTION, 0).compare(ITEMS, base, own, steps.append)
    assert (len(found.replies), len(referee.seen), len(steps)) == (1, 1, 5)


def test_pairs_are_spread_over_a_suite() -> None:
    assert pairs_to_judge(ITEMS, None) == ITEMS
    assert pairs_to_judge(ITEMS, 2) == [ITEMS[0], ITEMS[2]]
    assert pairs_to_judge(ITEMS, 9) == ITEMS
