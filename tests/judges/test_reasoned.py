"""A judge that thinks first: two turns, one verdict, and no answer out of the thinking."""

import math
from collections.abc import Iterable, Iterator

import pytest

from rlaif.backends.base import Answered
from rlaif.backends.scripted import ScriptedBackend
from rlaif.constitution.principle import Principle
from rlaif.judges.asking import MoreRoom
from rlaif.judges.base import Case
from rlaif.judges.reasoned import ReasonedJudge
from rlaif.records import Completion, Failure, Request, Verdict
from rlaif.templates import Template

TEMPLATE = Template.load("compare-reasoned")
FREE = TEMPLATE.model_copy(update={"answer": TEMPLATE.answer.model_copy(update={"clamp": (0, 1)})})


def script(thought, answer):
    return lambda request: answer if "then?" in request.messages[-1].content else thought


def letter(a, b):
    return Completion(text="A", model="s", option_logprobs={"A": math.log(a), "B": math.log(b)})


def decide(backend, case, template=TEMPLATE):
    [(given, outcome)] = list(ReasonedJudge(backend, template).decide([case]))
    assert given is case
    return outcome


@pytest.fixture
def case(comparison, principle):
    return Case(comparison, principle)


def test_the_thought_stands_before_the_question_for_the_letter(case):
    backend = ScriptedBackend(script("<think>hm</think>A is brief.", letter(0.6, 0.2)))
    verdict = decide(backend, case)
    thinks, asks = backend.seen
    assert thinks.options == ()
    assert asks.options == ("A", "B")
    assert asks.messages[: len(thinks.messages)] == thinks.messages
    assert [m.role for m in asks.messages[len(thinks.messages) :]] == ["assistant", "user"]
    assert asks.messages[-2].content == "A is brief."
    assert verdict.reason == "A is brief."


def test_p_is_kept_within_two_fifths_and_three_fifths_unless_the_template_says_otherwise(case):
    backend = ScriptedBackend(script("A is brief.", letter(0.6, 0.2)))
    assert decide(backend, case).p_first == 0.6
    assert decide(backend, case, FREE).p_first == pytest.approx(0.75)
    word = ScriptedBackend(script("A is brief.", "B"))
    verdict = decide(word, case)
    assert (verdict.p_first, verdict.read) == (0.4, "letter")


def test_a_letter_in_the_thinking_is_not_the_answer(case):
    backend = ScriptedBackend(script("A is better. Answer: A", "B"))
    assert decide(backend, case, FREE).p_first == 0.0


def test_thinking_that_nobody_sees_abstains_after_a_second_try_with_more_room(case):
    backend = ScriptedBackend(script("<think>and so on and", "A"))
    outcome = decide(MoreRoom(backend), case)
    assert (outcome.kind, outcome.said) == ("no-reasoning", "<think>and so on and")
    assert [request.sampling.max_tokens for request in backend.seen] == [256, 2048]


def test_thinking_that_needed_the_second_try_goes_on_to_its_answer(case):
    def say(request):
        if "then?" in request.messages[-1].content:
            return "A"
        return "" if request.sampling.max_tokens == 256 else "A helps."

    verdict = decide(MoreRoom(ScriptedBackend(say)), case)
    assert (verdict.p_first, verdict.reason) == (0.6, "A helps.")


@pytest.mark.parametrize(
    ("thought", "answer", "kind"),
    [
        (Failure(kind="timeout", detail="60 s"), "A", "timeout"),
        ("Hm.", Failure(kind="backend", detail="HTTP 500"), "backend"),
        ("Hm.", "", "empty"),
        ("Hm.", "Both.", "outside"),
        ("Hm.", letter(0.01, 0.01), "no-mass"),
    ],
)
def test_either_step_may_fail_and_each_failure_keeps_its_kind(thought, answer, kind, case):
    assert decide(ScriptedBackend(script(thought, answer)), case).kind == kind


def test_a_negated_principle_is_thought_about_in_its_negated_wording(case):
    negated = case.principle.model_copy(update={"negated": "The response leaves it open."})
    backend = ScriptedBackend(script("A does.", letter(0.8, 0.2)))
    verdict = decide(backend, Case(case.comparison, negated), FREE)
    assert "Principle: The response leaves it open." in backend.seen[0].messages[-1].content
    assert verdict.p_first == pytest.approx(0.2)


class Windowed:
    """Holds a few requests and answers the newest first; says how many were open at once."""

    name = "windowed"

    def __init__(self, size: int) -> None:
        self.size, self.most = size, 0

    def stream(self, requests: Iterable[Request]) -> Iterator[Answered]:
        held: list[Request] = []
        pending = iter(requests)
        while True:
            while len(held) < self.size and (request := next(pending, None)):
                held.append(request)
            if not held:
                return
            self.most = max(self.most, len(held))
            request = held.pop()
            failed = "fails" in request.messages[1].content and not request.options
            thought = Failure(kind="timeout") if failed else Completion(text="Hm.", model="w")
            yield request, letter(0.55, 0.45) if request.options else thought


def test_outcomes_come_as_they_land_and_no_more_is_open_than_the_backend_allows(comparison):
    def cases(pulled):
        for number in range(50):
            pulled.append(number)
            text = "fails" if number % 3 == 0 else "fine"
            reply = comparison.first.model_copy(update={"text": f"{text} {number}"})
            yield Case(comparison.model_copy(update={"id": str(number), "first": reply}), principle)

    principle = Principle(id="p", text="It helps.")
    backend, pulled = Windowed(4), []
    stream = ReasonedJudge(backend, TEMPLATE).decide(cases(pulled))
    next(stream)
    assert len(pulled) <= 8
    rest = list(stream)
    assert len(rest) == 49
    assert backend.most == 4
    for case, outcome in rest:
        fails = int(case.comparison.id) % 3 == 0
        assert isinstance(outcome, Verdict) is not fails


def test_a_judge_whose_every_thought_fails_does_not_hold_the_outcomes_back(case):
    pulled = []

    def cases():
        for _ in range(100):
            pulled.append(1)
            yield Case(*case)

    backend = ScriptedBackend(lambda _: Failure(kind="backend"))
    next(ReasonedJudge(backend, TEMPLATE).decide(cases()))
    assert len(pulled) == 1


def test_the_wording_of_either_turn_is_in_the_contract():
    backend = ScriptedBackend(lambda _: "A")
    contracts = {
        ReasonedJudge(backend, template).contract
        for template in (
            TEMPLATE,
            FREE,
            TEMPLATE.model_copy(
                update={"thinking": TEMPLATE.thinking.model_copy(update={"max_tokens": 9})}
            ),
            TEMPLATE.model_copy(update={"turns": TEMPLATE.turns[1:]}),
        )
    }
    assert len(contracts) == 4
