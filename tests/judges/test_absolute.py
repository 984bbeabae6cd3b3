import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.backends.scripted import ScriptedBackend
from rlaif.constitution.principle import Principle, Proposition
from rlaif.judges.absolute import AbsoluteJudge, Calibration
from rlaif.judges.base import Case
from rlaif.judges.propositions import sigmoid
from rlaif.judges.rating import Rater, Single
from rlaif.records import Abstention, Completion, Failure, Verdict
from rlaif.templates import Template


def says(yes_by_reply):
    """A backend whose share of yes depends on the reply that it is shown."""

    def answer(request):
        text = request.messages[-1].content
        share = next(share for reply, share in yes_by_reply.items() if reply in text)
        if share is None:
            return Failure(kind="timeout", detail="no answer in 60 s")
        logprobs = {"Yes": math.log(share), "No": math.log(1 - share)}
        return Completion(text="Yes", model="script", option_logprobs=logprobs)

    return ScriptedBackend(answer)


def decide(judge, comparison, principle):
    [(_, outcome)] = list(judge.decide([Case(comparison, principle)]))
    return outcome


def test_the_reply_that_holds_to_the_principle_wins_by_the_difference_of_log_odds(
    comparison, principle
):
    backend = says({"Eight minutes.": 0.9, "Ask a cook.": 0.2})
    verdict = decide(AbsoluteJudge(backend, Template.load("absolute")), comparison, principle)
    expected = sigmoid(math.log(0.9 / 0.1) - math.log(0.2 / 0.8))
    assert verdict.p_first == pytest.approx(expected)
    assert verdict.evidence == {"holds_first": 0.9, "holds_second": 0.2}
    assert verdict.read == "logprobs"


def test_the_order_in_which_replies_are_shown_does_not_matter(comparison, principle):
    backend = says({"Eight minutes.": 0.7, "Ask a cook.": 0.4})
    judge = AbsoluteJudge(backend, Template.load("absolute"))
    there = decide(judge, comparison, principle)
    back = decide(judge, comparison.swapped(), principle)
    assert back.p_first == pytest.approx(1 - there.p_first)


def test_no_answer_about_one_reply_is_an_abstention_and_not_a_tie(comparison, principle):
    backend = says({"Eight minutes.": 0.9, "Ask a cook.": None})
    outcome = decide(AbsoluteJudge(backend, Template.load("absolute")), comparison, principle)
    assert isinstance(outcome, Abstention)
    assert (outcome.kind, outcome.subject, outcome.principle) == ("timeout", "egg/1-2", "useful")


def test_options_that_hold_too_little_of_the_probability_are_an_abstention(comparison, principle):
    backend = ScriptedBackend(
        lambda _: Completion(text="Well", model="s", option_logprobs={"Yes": -4.0, "No": -4.0})
    )
    outcome = decide(AbsoluteJudge(backend, Template.load("absolute")), comparison, principle)
    assert outcome.kind == "no-mass"


def test_calibration_takes_the_bias_off_and_cools(comparison, principle):
    backend = says({"Eight minutes.": 0.9, "Ask a cook.": 0.6})
    judge = AbsoluteJudge(
        backend, Template.load("absolute"), Calibration(bias=math.log(0.9 / 0.1), temperature=2.0)
    )
    verdict = decide(judge, comparison, principle)
    assert verdict.evidence["holds_first"] == pytest.approx(0.5)
    expected = sigmoid((math.log(0.9 / 0.1) - math.log(0.6 / 0.4)) / 2)
    assert verdict.p_first == pytest.approx(expected)


def test_a_negated_wording_is_asked_and_its_answer_turned_round(comparison):
    principle = Principle(id="p", text="It answers.", negated="The response evades the question.")
    backend = says({"Eight minutes.": 0.1, "Ask a cook.": 0.8})
    judge = AbsoluteJudge(backend, Template.load("absolute"))
    verdict = decide(judge, comparison, principle)
    assert isinstance(verdict, Verdict)
    assert verdict.p_first > 0.9
    assert "evades the question" in backend.seen[0].messages[-1].content


WELL = Principle(
    id="p",
    text="It declines well.",
    propositions=(
        Proposition(text="The reply declines.", sign=1, weight=3.0),
        Proposition(text="The reply scolds.", sign=-1),
    ),
)


def says_of(shares):
    """A backend whose share of yes depends on the reply and on the statement."""

    def answer(request):
        text = request.messages[-1].content
        share = next(p for (reply, asked), p in shares.items() if reply in text and asked in text)
        logprobs = {"Yes": math.log(share), "No": math.log(1 - share)}
        return Completion(text="Yes", model="script", option_logprobs=logprobs)

    return ScriptedBackend(answer)


def test_propositions_are_asked_one_by_one_and_composed_by_sign_and_weight(comparison):
    backend = says_of({
        ("Eight", "declines"): 0.9, ("Eight", "scolds"): 0.2,
        ("Ask", "declines"): 0.4, ("Ask", "scolds"): 0.6,
    })  # fmt: skip
    verdict = decide(AbsoluteJudge(backend, Template.load("absolute")), comparison, WELL)
    first, second = 0.75 * 0.9 + 0.25 * 0.8, 0.75 * 0.4 + 0.25 * 0.4
    assert verdict.p_first == pytest.approx(sigmoid(math.log(first / (1 - first))
                                                    - math.log(second / (1 - second))))  # fmt: skip
    assert verdict.evidence == {
        "holds_first": pytest.approx(first), "holds_second": pytest.approx(second),
        "yes_1_first": 0.9, "yes_2_first": 0.2, "yes_1_second": 0.4, "yes_2_second": 0.6,
    }  # fmt: skip


def test_swapping_a_verdict_takes_what_was_said_of_each_reply_along(comparison, principle):
    backend = says({"Eight minutes.": 0.9, "Ask a cook.": 0.2})
    verdict = decide(AbsoluteJudge(backend, Template.load("absolute")), comparison, principle)
    assert verdict.swapped().evidence == {"holds_first": 0.2, "holds_second": 0.9}
    assert verdict.swapped().swapped() == verdict


def test_a_pairs_temperature_cools_the_pair_and_leaves_the_replies(comparison, principle):
    backend = says({"Eight minutes.": 0.9, "Ask a cook.": 0.6})
    judge = AbsoluteJudge(backend, Template.load("absolute"), Calibration(pair_temperature=4.0))
    verdict = decide(judge, comparison, principle)
    assert verdict.p_first == pytest.approx(sigmoid((math.log(9) - math.log(1.5)) / 4))
    assert verdict.evidence["holds_first"] == 0.9


def test_one_reply_is_rated_by_its_calibrated_log_odds(prompt, principle):
    judge = AbsoluteJudge(
        says({"Eight": 0.9, "Ask": None}), Template.load("absolute"), Calibration(temperature=2.0)
    )
    assert isinstance(judge, Rater)
    rated = [Single(prompt, text, principle) for text in ("Eight minutes.", "Ask a cook.")]
    said = {reply.text: outcome for reply, outcome in judge.rate(rated)}
    assert said["Eight minutes."] == pytest.approx(math.log(9) / 2)
    assert isinstance(said["Ask a cook."], Abstention)
    assert (said["Ask a cook."].kind, said["Ask a cook."].subject) == ("timeout", "egg")


@given(st.floats(0, 1), st.floats(-5, 5), st.floats(0.1, 10))
def test_a_calibrated_log_odds_is_always_finite(share, bias, temperature):
    assert math.isfinite(Calibration(bias=bias, temperature=temperature).logit(share))


def test_another_calibration_is_another_contract():
    backend = ScriptedBackend(lambda _: "Yes")
    template = Template.load("absolute")
    one = AbsoluteJudge(backend, template, Calibration(bias=1.0)).contract
    assert one != AbsoluteJudge(backend, template).contract
    assert one == AbsoluteJudge(backend, template, Calibration(bias=1.0)).contract
