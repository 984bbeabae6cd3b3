import math

import pytest

from rlaif.backends.scripted import ScriptedBackend
from rlaif.constitution.principle import Principle
from rlaif.judges.base import Case
from rlaif.judges.pairwise import PairwiseJudge
from rlaif.records import Completion
from rlaif.templates import Template


def decide(answer, comparison, principle):
    judge = PairwiseJudge(ScriptedBackend(answer), Template.load("compare"))
    [(_, outcome)] = list(judge.decide([Case(comparison, principle)]))
    return outcome


def logprobs(a, b):
    return Completion(text="A", model="s", option_logprobs={"A": math.log(a), "B": math.log(b)})


def test_p_is_the_softmax_over_the_two_options(comparison, principle):
    verdict = decide(lambda _: logprobs(0.6, 0.2), comparison, principle)
    assert verdict.p_first == pytest.approx(0.75)
    assert verdict.evidence["mass"] == pytest.approx(0.8)


def test_without_log_probabilities_the_letter_is_read_and_said_to_be_a_letter(
    comparison, principle
):
    verdict = decide(lambda _: "B", comparison, principle)
    assert (verdict.p_first, verdict.read) == (0.0, "letter")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("", "empty"),
        ("<think>A is nicer", "empty"),
        ("A or B, who knows", "ambiguous"),
        ("A is better, B is better", "ambiguous"),
        ("B lacks detail", "unreadable"),
        ("I'd rather not compare these.", "refused"),
        ("C", "outside"),
    ],
)
def test_an_answer_that_names_no_single_option_is_an_abstention(said, kind, comparison, principle):
    outcome = decide(lambda _: said, comparison, principle)
    assert (outcome.kind, outcome.said, outcome.principle) == (kind, said, principle.id)


def test_a_letter_in_the_thinking_is_not_the_answer(comparison, principle):
    verdict = decide(lambda _: "<think>A? A!</think>\nB", comparison, principle)
    assert verdict.choice == "second"


def test_a_negated_principle_turns_the_answer_round(comparison):
    principle = Principle(id="p", text="It is kind.", negated="The response is the unkinder one.")
    verdict = decide(lambda _: logprobs(0.9, 0.1), comparison, principle)
    assert verdict.p_first == pytest.approx(0.1)


WORSE = Template.load("compare-worse")


@pytest.mark.parametrize("negated", [None, "The response leaves the question open."])
def test_asked_which_is_worse_the_answer_is_turned_round_once_more(negated, comparison):
    principle = Principle(id="p", text="The response answers.", negated=negated)
    judge = PairwiseJudge(ScriptedBackend(lambda _: logprobs(0.9, 0.1)), WORSE)
    [(_, verdict)] = list(judge.decide([Case(comparison, principle)]))
    # A goes against the sentence; against its negation, A is the one that fits the principle.
    assert verdict.p_first == pytest.approx(0.9 if negated else 0.1)


def test_a_tie_that_the_template_offers_is_a_verdict(comparison, principle):
    template = Template.load("compare")
    answer = template.answer.model_copy(update={"options": ("A", "B", "C")})
    template = template.model_copy(update={"answer": answer})
    judge = PairwiseJudge(ScriptedBackend(lambda _: "C"), template)
    [(_, verdict)] = list(judge.decide([Case(comparison, principle)]))
    assert (verdict.p_first, verdict.choice) == (0.5, "tie")


def test_a_judge_that_thinks_aloud_leaves_its_reasons(comparison, principle):
    template = Template.load("compare")
    answer = template.answer.model_copy(update={"pick": "last"})
    template = template.model_copy(update={"answer": answer})
    said = "A is short. B asks for help. So, A is better."
    judge = PairwiseJudge(ScriptedBackend(lambda _: said), template)
    [(_, verdict)] = list(judge.decide([Case(comparison, principle)]))
    assert (verdict.p_first, verdict.reason) == (1.0, said)
