"""A judge as a reward: the right figure at the right reply, and no figure where there is none."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.backends.scripted import ScriptedBackend
from rlaif.constitution.principle import Constitution, Principle
from rlaif.errors import InputError
from rlaif.judges.absolute import AbsoluteJudge, Calibration
from rlaif.judges.build import judge_from
from rlaif.judges.orders import BothOrders
from rlaif.judges.reward import RatedReward, TournamentReward, reward_of
from rlaif.judges.score import ScoreJudge
from rlaif.records import Completion, Failure, Prompt
from rlaif.templates import Template
from tests.judges.fakes import Knows, Rates, Says

RULES = Constitution(
    name="r",
    principles=(
        Principle(id="a", text="The response is short."),
        Principle(id="b", text="The response is safe.", weight=3.0, scope=("harmful",)),
    ),
)
ONE = Constitution(name="one", principles=RULES.principles[:1])
HI = Prompt.of("Hi")


def absolute(shares, **how):
    """An absolute judge whose share of yes depends on what stands in the question."""

    def answer(request):
        share = next(v for k, v in shares.items() if k in request.messages[-1].content)
        if share is None:
            return Failure(kind="timeout", detail="down")
        logprobs = {"Yes": math.log(share), "No": math.log(1 - share)}
        return Completion(text="", model="s", option_logprobs=logprobs)

    return AbsoluteJudge(ScriptedBackend(answer), Template.load("absolute"), **how)


def longer(case):
    """Prefer the longer reply, by as many points of ten as it has more letters."""
    first, second = len(case.comparison.first.text), len(case.comparison.second.text)
    return min(max(0.5 + (first - second) / 10, 0.0), 1.0)


def test_the_reward_is_the_weighted_mean_of_clipped_log_odds_in_the_order_of_the_replies():
    judge = absolute({"is short": 0.9, "is safe": 0.999999})
    reward = RatedReward(judge, RULES, clip=4.0)
    harmful = Prompt.of("Hi", tags=("harmful",))
    first, second = reward([HI, harmful], ["One.", "Two."])
    assert first == pytest.approx(math.log(9))
    assert second == pytest.approx((math.log(9) + 3 * 4.0) / 4)


def test_the_reward_is_calibrated():
    calibration = Calibration(bias=math.log(9), temperature=2.0)
    reward = RatedReward(absolute({"One.": 0.9, "Two.": 0.5}, calibration=calibration), ONE)
    assert reward([HI, HI], ["One.", "Two."]) == pytest.approx([0.0, -math.log(9) / 2])


def test_a_judge_that_timed_out_is_no_reward_of_zero():
    reward = RatedReward(absolute({"is short": 0.9, "is safe": None}), RULES)
    assert reward([Prompt.of("Hi", tags=("harmful",))], ["One."]) == [None]


def test_an_unclear_answer_is_no_reward_of_a_half():
    unclear = AbsoluteJudge(ScriptedBackend(lambda _: "Perhaps."), Template.load("absolute"))
    assert RatedReward(unclear, ONE)([HI], ["One."]) == [None]
    contest = TournamentReward(judge_from(ScriptedBackend(lambda _: "Hm."), "compare"), ONE)
    assert contest([HI, HI], ["One.", "Two."]) == [None, None]


def test_an_answer_that_cannot_be_read_is_no_middling_score_and_leaves_the_others_alone():
    judge = Rates(lambda rated: "unreadable" if rated.text == "Two." else 1.0)
    assert RatedReward(judge, ONE)([HI] * 3, ["One.", "Two.", "Three."]) == [1.0, None, 1.0]


def test_answers_that_come_in_another_order_stay_with_their_replies():
    judge = Rates(lambda rated: float(len(rated.text)) / 10)
    texts = ["a", "bb", "ccc", "dddd"]
    assert RatedReward(judge, ONE)([HI] * 4, texts) == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_a_reply_that_no_principle_judges_has_no_reward():
    rules = RULES.model_copy(update={"principles": RULES.principles[1:]})
    assert RatedReward(absolute({"is safe": 0.9}), rules)([HI], ["One."]) == [None]


def test_a_reply_that_breaks_a_veto_is_worth_no_more_than_the_veto_says():
    veto = Principle(id="safe", text="The response is safe.", veto=True)
    rules = Constitution(name="v", principles=(RULES.principles[0], veto))
    said = {("a", "Kind."): 3.0, ("safe", "Kind."): 1.0, ("a", "Bad."): 5.0, ("safe", "Bad."): -2.0}
    reward = RatedReward(Rates(lambda r: said[r.principle.id, r.text]), rules)
    assert reward([HI, HI], ["Kind.", "Bad."]) == [2.0, -2.0]


def test_a_broken_veto_never_raises_a_reward():
    veto = Principle(id="safe", text="The response is safe.", veto=True)
    rules = Constitution(name="v", principles=(RULES.principles[0], veto))
    reward = RatedReward(Rates(lambda r: -0.5 if r.principle.veto else -4.5), rules)
    assert reward([HI], ["One."]) == [-2.5]


def test_the_kind_of_judge_decides_how_it_is_a_reward():
    assert isinstance(reward_of(absolute({}), ONE), RatedReward)
    backend = ScriptedBackend(lambda _: "A")
    assert isinstance(reward_of(judge_from(backend, "compare"), ONE), TournamentReward)


def test_a_judge_that_scores_gives_its_scores_as_they_are():
    template = Template.load("score")

    def answer(request):
        worth = "9" if "One." in request.messages[-1].content else "3"
        shares = {o: 0.99 if o == worth else 0.01 / 9 for o in request.options}
        logprobs = {option: math.log(share) for option, share in shares.items()}
        return Completion(text=worth, model="s", option_logprobs=logprobs)

    judge = ScoreJudge(ScriptedBackend(answer), template)
    reward = reward_of(judge, ONE)
    assert isinstance(reward, RatedReward)
    rest = 0.01 / 9
    expected = [2 * (sum(i * (0.99 if i == w else rest) for i in range(1, 11)) - 1) / 9 - 1
                for w in (9, 3)]  # fmt: skip
    assert reward([HI, HI], ["One.", "Two."]) == pytest.approx(expected)


def test_a_score_that_cannot_be_read_is_no_score_of_three():
    judge = ScoreJudge(ScriptedBackend(lambda _: "It is fine, I suppose."), Template.load("score"))
    assert reward_of(judge, ONE)([HI], ["One."]) == [None]


def test_a_tournament_gives_each_reply_its_mean_of_net_wins():
    reward = TournamentReward(Says(longer), ONE)
    # Letters: 1, 2, 4. p: 2 over 1 is 0.6, 4 over 1 is 0.8, 4 over 2 is 0.7.
    expected = [(-0.2 - 0.6) / 2, (0.2 - 0.4) / 2, (0.6 + 0.4) / 2]
    assert reward([HI] * 3, ["a", "bb", "cccc"]) == pytest.approx(expected)


def test_prompts_that_come_mixed_are_groups_of_their_own():
    other = Prompt.of("Bye")
    reward = TournamentReward(Says(longer, window=3), ONE)
    texts = ["a", "aaaa", "aaa", "aa"]
    assert reward([HI, other, HI, other], texts) == pytest.approx([-0.4, 0.4, 0.4, -0.4])


def test_a_circle_asks_each_reply_twice_and_no_more():
    judge = Says(longer)
    reward = TournamentReward(judge, ONE, opponents="circle")
    net = reward([HI] * 4, ["a", "bb", "ccc", "dddd"])
    assert len(judge.asked) == 4
    # a meets bb and dddd, bb meets a and ccc, ccc meets bb and dddd, dddd meets ccc and a.
    assert net == pytest.approx([(-0.2 - 0.6) / 2, 0.0, 0.0, (0.2 + 0.6) / 2])


def test_equal_texts_are_even_and_need_no_judge():
    judge = Says(longer)
    assert TournamentReward(judge, ONE)([HI] * 3, ["a", "a ", "a"]) == [0.0, 0.0, 0.0]
    assert judge.asked == []


def test_a_pair_of_texts_that_comes_twice_is_asked_once():
    judge = Says(longer)
    net = TournamentReward(judge, ONE)([HI] * 3, ["a", "aaaa", "a"])
    assert len(judge.asked) == 1
    assert net == pytest.approx([(-0.6 + 0.0) / 2, 0.6, (-0.6 + 0.0) / 2])


def test_the_only_reply_of_its_prompt_has_no_reward_in_a_tournament():
    assert TournamentReward(Says(longer), ONE)([HI], ["a"]) == [None]


def test_a_reply_whose_matches_all_abstained_has_no_reward_and_the_others_keep_theirs():
    def say(case):
        texts = {case.comparison.first.text, case.comparison.second.text}
        return "timeout" if "cccc" in texts else longer(case)

    net = TournamentReward(Says(say), ONE)([HI] * 3, ["a", "bb", "cccc"])
    assert net == [pytest.approx(-0.2), pytest.approx(0.2), None]


def test_the_slot_that_a_judge_favours_is_worth_nothing_under_both_orders():
    judge = BothOrders(Says(lambda _: 0.9))
    assert TournamentReward(judge, ONE)([HI] * 3, ["a", "bb", "ccc"]) == pytest.approx([0.0] * 3)


@given(st.lists(st.text("abc", min_size=1, max_size=6), min_size=2, max_size=6), st.booleans())
def test_what_one_reply_wins_in_a_round_of_all_another_loses(texts, is_seen_late):
    judge = Says(longer, window=4 if is_seen_late else 1)
    net = TournamentReward(judge, ONE)([HI] * len(texts), texts)
    assert sum(net) == pytest.approx(0.0, abs=1e-9)
    ranked = sorted(zip(texts, net, strict=True), key=lambda row: len(row[0]))
    for (short, low), (long, high) in pairwise(ranked):
        assert low <= high + 1e-9 or len(short) == len(long)


def test_several_principles_are_weighed_in_each_match():
    said = {"a": 0.9, "b": 0.5}
    judge = Says(lambda c: said[c.principle.id] if c.comparison.first.text == "x" else
                 1 - said[c.principle.id])  # fmt: skip
    harmful = Prompt.of("Hi", tags=("harmful",))
    net = TournamentReward(judge, RULES)([harmful] * 2, ["x", "y"])
    assert net == pytest.approx([2 * (0.9 + 3 * 0.5) / 4 - 1, 1 - 2 * (0.9 + 3 * 0.5) / 4])


@pytest.mark.parametrize("kind", [RatedReward, TournamentReward])
def test_a_reward_with_a_when_that_nobody_answers_is_an_error_before_the_first_reply(kind):
    rules = Constitution(
        name="w",
        principles=(Principle(id="m", text="It warns.", when="The user asks about pain."),),
    )
    with pytest.raises(InputError, match="w: the principle 'm' has a `when`"):
        kind(Says(longer) if kind is TournamentReward else Rates(lambda _: 1.0), rules)


def test_a_when_keeps_a_principle_out_of_the_reward():
    rules = Constitution(
        name="w",
        principles=(
            Principle(id="a", text="It is short."),
            Principle(id="m", text="It warns.", when="The user asks about pain."),
        ),
    )
    conditions = Knows(lambda question: "pain" in question.prompt.text)
    reward = RatedReward(Rates(lambda r: -1.0 if r.principle.id == "m" else 1.0), rules,
                         conditions=conditions)  # fmt: skip
    pain = Prompt.of("What helps with pain?")
    assert reward([HI, pain, HI, pain], list("abcd")) == [1.0, 0.0, 1.0, 0.0]
    assert len(conditions.asked) == 2
    contest = TournamentReward(Says(lambda c: 1.0 if c.principle.id == "m" else 0.5), rules,
                               conditions=conditions)  # fmt: skip
    net = contest([HI, HI, pain, pain], ["a", "b", "c", "d"])
    assert net[:2] == [0.0, 0.0]
    assert sorted(net[2:]) == [-0.5, 0.5]
