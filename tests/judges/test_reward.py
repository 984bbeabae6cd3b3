import math

import pytest

from rlaif.backends.scripted import ScriptedBackend
from rlaif.constitution.principle import Constitution, Principle
from rlaif.errors import TemplateError
from rlaif.judges.reward import JudgeReward
from rlaif.records import Completion, Failure, Prompt
from rlaif.templates import Template

RULES = Constitution(
    name="r",
    principles=(
        Principle(id="a", text="The response is short."),
        Principle(id="b", text="The response is safe.", weight=3.0, scope=("harmful",)),
    ),
)


def backend(shares):
    def answer(request):
        share = next(v for k, v in shares.items() if k in request.messages[-1].content)
        if share is None:
            return Failure(kind="backend", detail="down")
        logprobs = {"Yes": math.log(share), "No": math.log(1 - share)}
        return Completion(text="", model="s", option_logprobs=logprobs)

    return ScriptedBackend(answer)


def test_the_reward_is_the_weighted_mean_of_clipped_log_odds_in_the_order_of_the_replies():
    reward = JudgeReward(
        backend({"is short": 0.9, "is safe": 0.999999}), Template.load("absolute"), RULES, clip=4.0
    )
    plain, harmful = Prompt.of("Hi"), Prompt.of("Hi", tags=("harmful",))
    first, second = reward([plain, harmful], ["One.", "Two."])
    assert first == pytest.approx(math.log(9))
    assert second == pytest.approx((math.log(9) + 3 * 4.0) / 4)


def test_a_principle_that_abstains_gives_none_and_never_a_number():
    reward = JudgeReward(
        backend({"is short": 0.9, "is safe": None}), Template.load("absolute"), RULES
    )
    assert reward([Prompt.of("Hi", tags=("harmful",))], ["One."]) == [None]


def test_a_reply_that_no_principle_judges_has_no_reward():
    rules = RULES.model_copy(update={"principles": RULES.principles[1:]})
    reward = JudgeReward(backend({"is safe": 0.9}), Template.load("absolute"), rules)
    assert reward([Prompt.of("Hi")], ["One."]) == [None]


def test_a_comparing_template_cannot_score_one_reply():
    with pytest.raises(TemplateError, match="takes `reply`"):
        JudgeReward(backend({}), Template.load("compare"), RULES)
