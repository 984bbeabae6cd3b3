"""Each reply has a score of its own; a pair's probability follows from two of them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.backends.scripted import ScriptedBackend
from rlaif.constitution.principle import Principle, Proposition
from rlaif.judges.base import Case
from rlaif.judges.score import ScoreJudge
from rlaif.records import Abstention, Comparison, Completion, Failure, Prompt, Response, Verdict
from rlaif.templates import Template

TEMPLATE = Template.load("score")
BRIEF = Principle(id="brief", text="The response is brief.")


def case_of(first: str = "one", second: str = "two", principle: Principle = BRIEF) -> Case:
    prompt = Prompt.of("Hi", id="p")
    pair = [Response(id=text, prompt_id="p", text=text, author="a") for text in (first, second)]
    return Case(Comparison(id="c", prompt=prompt, first=pair[0], second=pair[1]), principle)


def scores(table):
    """Say the number that stands in a table beside what occurs in the question."""
    return lambda request: next(
        said for text, said in table.items() if f"\n{text}\n" in request.messages[-1].content
    )


def decide(script, case=None, **options):
    judge = ScoreJudge(ScriptedBackend(script), TEMPLATE, **options)
    [(_, outcome)] = list(judge.decide([case or case_of()]))
    return outcome


def test_p_is_a_logistic_of_the_difference_of_two_scores() -> None:
    verdict = decide(scores({"one": "10", "two": "1"}))
    # (1 − (−1)) / 0.5 = 4
    assert verdict.p_first == pytest.approx(1 / (1 + math.exp(-4)))
    assert (verdict.evidence["score_first"], verdict.evidence["score_second"]) == (1.0, -1.0)
    assert verdict.read == "score"


def test_a_fitted_temperature_stands_for_the_templates_own_and_is_in_the_contract() -> None:
    verdict = decide(scores({"one": "10", "two": "1"}), temperature=2.0)
    assert verdict.p_first == pytest.approx(1 / (1 + math.exp(-1)))
    backend = ScriptedBackend(lambda _: "5")
    fitted = ScoreJudge(backend, TEMPLATE, temperature=2.0)
    assert fitted.contract != ScoreJudge(backend, TEMPLATE).contract


def test_the_expected_score_is_taken_over_the_options_and_the_least_mass_is_kept() -> None:
    def say(request):
        mass = 0.9 if "\none\n" in request.messages[-1].content else 0.7
        half = math.log(mass / 2)
        return Completion(text="7", model="s", option_logprobs={"7": half, "10": half})

    verdict = decide(say)
    assert verdict.evidence["score_first"] == pytest.approx(2 / 3, abs=1e-6)
    assert verdict.evidence["mass"] == pytest.approx(0.7)
    assert (verdict.p_first, verdict.read) == (0.5, "logprobs")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("", "empty"),
        ("12", "outside"),
        ("between 3 and 8", "ambiguous"),
        ("very good indeed", "unreadable"),
        (Failure(kind="timeout"), "timeout"),
        (Completion(text="x", model="s", option_logprobs={"5": -5.0}), "no-mass"),
    ],
)
def test_one_score_that_is_missing_leaves_the_pair_without_a_verdict(said, kind) -> None:
    outcome = decide(scores({"one": "8", "two": said}))
    assert isinstance(outcome, Abstention)
    assert outcome.kind == kind


def test_a_negated_wording_turns_the_scores_round() -> None:
    principle = Principle(id="p", text="It is brief.", negated="The response is long.")
    verdict = decide(scores({"one": "10", "two": "1"}), case_of(principle=principle))
    assert verdict.p_first == pytest.approx(1 / (1 + math.exp(4)))


def test_propositions_are_scored_one_by_one_and_weighed_with_their_signs() -> None:
    principle = Principle(
        id="p",
        text="It is a good refusal.",
        propositions=(
            Proposition(text="It declines.", weight=3),
            Proposition(text="It lectures.", sign=-1, weight=1),
        ),
    )

    def say(request):
        question = request.messages[-1].content
        if "It lectures." in question:
            return "10" if "\ntwo\n" in question else "1"
        return "10"

    verdict = decide(say, case_of(principle=principle))
    # first: 0.75·1 − 0.25·(−1), second: 0.75·1 − 0.25·1
    assert verdict.evidence["score_first"] == pytest.approx(1.0)
    assert verdict.evidence["score_second"] == pytest.approx(0.5)


@given(st.integers(1, 10), st.integers(1, 10))
def test_which_reply_stands_first_does_not_matter(one: int, two: int) -> None:
    script = scores({"one": str(one), "two": str(two)})
    forward = decide(script)
    backward = decide(script, case_of("two", "one"))
    assert isinstance(forward, Verdict)
    assert forward.p_first == pytest.approx(1 - backward.p_first)
    assert (forward.p_first > 0.5) is (one > two)
