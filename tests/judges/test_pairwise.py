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
        ("I'd rather not compare these.", "unreadable"),
        ("C", "unreadable"),
    ],
)
def test_an_answer_that_names_no_single_option_is_an_abstention(said, kind, comparison, principle):
    assert decide(lambda _: said, comparison, principle).kind == kind


def test_a_letter_in_the_thinking_is_not_the_answer(comparison, principle):
    verdict = decide(lambda _: "<think>A? A!</think>\nB", comparison, principle)
    assert verdict.choice == "second"


def test_a_negated_principle_turns_the_answer_round(comparison):
    principle = Principle(id="p", text="It is kind.", negated="The response is the unkinder one.")
    verdict = decide(lambda _: logprobs(0.9, 0.1), comparison, principle)
    assert verdict.p_first == pytest.approx(0.1)
