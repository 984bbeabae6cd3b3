import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.backends.scripted import ScriptedBackend
from rlaif.constitution.principle import Principle
from rlaif.judges.base import Case
from rlaif.judges.build import judge_from
from rlaif.judges.orders import BothOrders
from rlaif.judges.pairwise import PairwiseJudge
from rlaif.records import Abstention, Comparison, Completion, Prompt, Response, Verdict
from rlaif.templates import Template


class Fixed:
    """A judge that says what its function says of each case."""

    name = contract = "fixed"

    def __init__(self, say):
        self.say = say
        self.asked = []

    def decide(self, cases):
        for case in cases:
            self.asked.append(case)
            said = self.say(case)
            yield case, said if isinstance(said, Abstention) else Verdict(p_first=said, judge="f")


def decide(say, comparison, principle, **options):
    [(_, outcome)] = list(BothOrders(Fixed(say), **options).decide([Case(comparison, principle)]))
    return outcome


def missing(case):
    return Abstention(kind="timeout", subject=case.comparison.id, by="f")


def test_a_judge_that_always_says_a_ends_in_a_tie(comparison, principle):
    judge = BothOrders(PairwiseJudge(ScriptedBackend(lambda _: "A"), Template.load("compare")))
    [(_, verdict)] = list(judge.decide([Case(comparison, principle)]))
    assert (verdict.p_first, verdict.choice) == (0.5, "tie")
    assert verdict.evidence["flipped"] == 1.0


def test_the_two_distributions_are_averaged_and_both_are_kept(comparison, principle):
    first = comparison.first

    def say(case):
        return 0.9 if case.comparison.first == first else 0.3

    verdict = decide(say, comparison, principle)
    assert verdict.p_first == pytest.approx((0.9 + 0.7) / 2)
    assert verdict.evidence["p_forward"] == 0.9
    assert verdict.evidence["p_backward"] == pytest.approx(0.7)
    assert verdict.evidence["flipped"] == 0.0


def test_one_order_missing_abstains_and_is_never_filled_with_a_half(comparison, principle):
    first = comparison.first

    def say(case):
        return 0.9 if case.comparison.first == first else missing(case)

    outcome = decide(say, comparison, principle)
    assert isinstance(outcome, Abstention)
    assert outcome.kind == "one-order"
    assert "timeout" in outcome.detail


def test_one_order_may_stand_alone_where_that_is_asked_for(comparison, principle):
    first = comparison.first

    def say(case):
        return missing(case) if case.comparison.first == first else 0.2

    verdict = decide(say, comparison, principle, keep_one=True)
    assert verdict.p_first == pytest.approx(0.8)


def test_both_orders_missing_is_one_abstention(comparison, principle):
    assert decide(missing, comparison, principle).kind == "timeout"


def test_equal_cases_in_one_stream_stay_apart(comparison, principle):
    case = Case(comparison, principle)
    judge = Fixed(lambda _: 0.6)
    outcomes = list(BothOrders(judge).decide([case, Case(*case), case]))
    assert len(outcomes) == 3
    assert len(judge.asked) == 6


@given(st.floats(0, 1))
def test_swapping_a_verdict_twice_is_the_identity(p):
    verdict = Verdict(p_first=p, judge="j")
    assert verdict.swapped().swapped() == verdict
    assert math.isclose(verdict.p_first, p, abs_tol=1e-15)


def test_swapping_a_comparison_twice_is_the_identity(comparison: Comparison):
    assert comparison.swapped() != comparison
    assert comparison.swapped().swapped() == comparison


def test_the_completion_of_a_missing_option_does_not_count_as_zero(comparison, principle):
    only_a = Completion(text="A", model="s", option_logprobs={"A": math.log(0.9)})
    judge = BothOrders(PairwiseJudge(ScriptedBackend(lambda _: only_a), Template.load("compare")))
    [(_, verdict)] = list(judge.decide([Case(comparison, principle)]))
    assert verdict.p_first == 0.5


def test_the_least_mass_and_both_reasons_are_kept(comparison, principle):
    first = comparison.first

    class Told(Fixed):
        def decide(self, cases):
            for case in cases:
                is_forward = case.comparison.first == first
                mass, reason = (0.9, "One.") if is_forward else (0.6, "Two.")
                evidence = {"mass": mass}
                yield case, Verdict(p_first=0.5, judge="f", reason=reason, evidence=evidence)

    [(_, verdict)] = list(BothOrders(Told(None)).decide([Case(comparison, principle)]))
    assert verdict.evidence["mass"] == 0.6
    assert verdict.reason == "One.\n\nIn the other order: Two."


ANSWERS = st.one_of(st.none(), st.floats(0, 1))


@given(ANSWERS, ANSWERS, st.booleans())
def test_what_is_missing_is_never_made_a_half(forward, backward, keep_one):
    prompt = Prompt.of("Hi", id="p")
    pair = [Response(id=n, prompt_id="p", text=n, author="a") for n in ("one", "two")]
    comparison = Comparison(id="c", prompt=prompt, first=pair[0], second=pair[1])

    def say(case):
        said = forward if case.comparison.first is pair[0] else backward
        return missing(case) if said is None else said

    outcome = decide(say, comparison, Principle(id="x", text="It fits."), keep_one=keep_one)
    there = [p for p in (forward, None if backward is None else 1 - backward) if p is not None]
    if len(there) == 2 or (there and keep_one):
        assert isinstance(outcome, Verdict)
        assert math.isclose(outcome.p_first, sum(there) / len(there), abs_tol=1e-12)
    else:
        assert isinstance(outcome, Abstention)
        assert outcome.kind == ("one-order" if there else "timeout")


ALWAYS = [
    ("compare", lambda _: "A"),
    ("compare", lambda request: leaning(request, 0.8)),
    ("compare-worse", lambda request: leaning(request, 0.8)),
    ("compare-few-shot", lambda _: "B"),
    ("compare-reasoned", lambda request: leaning(request, 0.9) if request.options else "Hm."),
    ("rank", lambda request: leaning(request, 0.7)),
    ("rank-written", lambda request: "C > A > B" if "C in order" in asked(request) else "B > A"),
]


def asked(request):
    return request.messages[-1].content


def leaning(request, share):
    """Put a share on the first option, and the rest on the others alike."""
    first, *others = request.options
    rest = {option: math.log((1 - share) / len(others)) for option in others}
    return Completion(text=first, model="s", option_logprobs={first: math.log(share), **rest})


@pytest.mark.parametrize(("template", "answer"), ALWAYS)
def test_whoever_always_answers_the_same_ends_in_a_tie(template, answer, prompt, principle):
    replies = [
        Response(id=f"r{n}", prompt_id=prompt.id, text=f"Reply {n}.", author="a") for n in range(3)
    ]
    cases = [
        Case(
            Comparison(id=f"{a.id}~{b.id}", prompt=prompt, first=a, second=b, group="g"), principle
        )
        for a, b in itertools.combinations(replies, 2)
    ]
    judge = judge_from(ScriptedBackend(answer), template)
    outcomes = [outcome for _, outcome in judge.decide(cases)]
    assert [round(outcome.p_first, 12) for outcome in outcomes] == [0.5] * 3
    assert all(outcome.evidence["flipped"] for outcome in outcomes)


def test_what_is_asked_of_a_pair_goes_out_together_both_orders_side_by_side(comparison, principle):
    """So that a server finds in its cache what prompts begin with alike."""
    other = comparison.model_copy(update={"id": "other"})
    rules = [principle, Principle(id="kind", text="It is kind.")]
    backend = ScriptedBackend(lambda _: "A")
    judge = BothOrders(PairwiseJudge(backend, Template.load("compare")))
    list(judge.decide([Case(pair, rule) for pair in (comparison, other) for rule in rules]))
    texts = [request.messages[-1].content for request in backend.seen]
    assert len(texts) == 8
    for forward, backward in zip(texts[::2], texts[1::2], strict=True):
        assert forward != backward
        assert sorted(forward.split()) == sorted(backward.split())
