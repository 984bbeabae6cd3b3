"""Bugs that shipped elsewhere, each named after what it does wrong; none of them is ours.

They were found in published labelling code, by reading or by running it. Here are those that lie
in how a judge is asked, read, and turned into a label; the whole list is in
`tests/test_bugs_of_peers.py`.
"""

import itertools
import math
import random
from collections.abc import Iterable, Iterator

import pytest

from rlaif.backends.base import Answered
from rlaif.backends.scripted import ScriptedBackend
from rlaif.constitution.principle import Constitution, Principle
from rlaif.feedback.importers import as_comparison
from rlaif.feedback.label import LabelConfig, label
from rlaif.judges.base import Case
from rlaif.judges.build import judge_from
from rlaif.records import (
    Abstention,
    Comparison,
    Completion,
    Failure,
    Preference,
    Prompt,
    Request,
    Response,
    Verdict,
)

LONGER = Constitution(
    name="longer", principles=(Principle(id="longer", text="The response is longer."),)
)
ALL = LabelConfig(principles="all")
NEGATED = Principle(id="longer", text="The response is longer.", negated="It is the shorter one.")


def pair(number: int, first: str, second: str, *, group: str | None = None) -> Comparison:
    prompt = Prompt.of(f"Question {number}?", id=group or f"p{number}")
    one, two = (
        Response(id=f"{number}/{side}", prompt_id=prompt.id, text=text, author="a")
        for side, text in (("1", first), ("2", second))
    )
    return Comparison(id=f"c{number}", prompt=prompt, first=one, second=two, group=group)


def shown(request: Request, name: str) -> str:
    return request.messages[-1].content.split(f"<{name}>\n")[1].split(f"\n</{name}>")[0]


def prefers_longer(request: Request) -> str:
    """A perfect judge of length, asked to compare."""
    return "A" if len(shown(request, "reply_a")) > len(shown(request, "reply_b")) else "B"


def length(request: Request) -> str:
    """A perfect judge of length, asked for a score."""
    return str(len(shown(request, "reply")))


class Scrambled:
    """Answers by a script, in an order of its own."""

    name = "scrambled"

    def __init__(self, script, seed: int) -> None:
        self._script, self._rng = script, random.Random(seed)

    def stream(self, requests: Iterable[Request]) -> Iterator[Answered]:
        held = list(requests)
        self._rng.shuffle(held)
        for request in held:
            said = self._script(request)
            yield request, said if isinstance(said, Failure) else Completion(text=said, model="s")


def labelled(comparisons, script, template="compare", **options) -> list[Preference | Abstention]:
    backend = script if hasattr(script, "stream") else ScriptedBackend(script)
    return list(label(comparisons, LONGER, judge_from(backend, template, **options), ALL))


def test_a_swapped_back_answer_that_is_never_used() -> None:
    # With a perfect judge the first of each pair was chosen 500 times out of 500.
    rng = random.Random(0)
    pairs = [pair(n, *rng.sample(["x" * (2 + n % 7), "x" * (12 + n % 5)], 2)) for n in range(500)]
    for orders in ("both", "one"):
        for outcome in labelled(pairs, prefers_longer, orders=orders):
            assert isinstance(outcome, Preference)
            assert len(outcome.chosen.text) > len(outcome.rejected.text)
    firsts = [len(one.first.text) > len(one.second.text) for one in pairs]
    assert 200 < sum(firsts) < 300


def test_the_reference_answer_that_is_always_rejected_because_it_was_appended_last() -> None:
    people = [
        Preference(
            id=f"c{n}",
            prompt=(one := pair(n, "good", "bad")).prompt,
            chosen=one.first,
            rejected=one.second,
            p_chosen=1.0,
            source="human",
            by="people",
        )
        for n in range(400)
    ]
    firsts = sum(as_comparison(one).first.text == "good" for one in people)
    assert 150 < firsts < 250


@pytest.mark.parametrize("seed", range(5))
def test_scores_appended_in_completion_order_that_attach_to_the_wrong_pairs(seed: int) -> None:
    pairs = [pair(n, "x" * (1 + n % 9), "x" * (10 - n % 9)) for n in range(60)]
    backend = Scrambled(length, seed)
    for outcome in labelled(pairs, backend, "score"):
        number = int(outcome.id[1:])
        assert {len(outcome.chosen.text), len(outcome.rejected.text)} == {
            1 + number % 9,
            10 - number % 9,
        }
        assert len(outcome.chosen.text) > len(outcome.rejected.text)


def test_a_failed_score_that_shifts_every_later_one() -> None:
    def say(request: Request) -> str | Failure:
        return Failure(kind="timeout") if shown(request, "reply") == "xxx" else length(request)

    pairs = [pair(n, "x" * (1 + n % 8), "x" * 9) for n in range(40)]
    outcomes = labelled(pairs, Scrambled(say, 1), "score")
    failed = {one.subject for one in outcomes if isinstance(one, Abstention)}
    assert failed == {f"c{n}" for n in range(40) if n % 8 == 2}
    kept = [one for one in outcomes if isinstance(one, Preference)]
    assert len(kept) == 35
    assert all(one.chosen.text == "x" * 9 for one in kept)


def test_one_exception_that_loses_the_whole_data_set() -> None:
    def say(request: Request) -> str | Failure:
        if "Question 7?" in request.messages[-1].content:
            return Failure(kind="backend", detail="HTTP 500")
        return prefers_longer(request)

    outcomes = labelled([pair(n, "xx", "xxxx") for n in range(20)], say)
    assert len([one for one in outcomes if isinstance(one, Preference)]) == 19


def test_one_order_alone_that_makes_a_judges_favourite_slot_a_label() -> None:
    for outcome in labelled([pair(n, "xx", "x") for n in range(9)], lambda _: "A"):
        assert isinstance(outcome, Preference)
        assert (outcome.p_chosen, outcome.verdicts[0].choice) == (0.5, "tie")


INVALID = ["", "?", "C", "Both.", "-1", "I can't compare these.", "A is better. B is better."]


@pytest.mark.parametrize("said", INVALID)
@pytest.mark.parametrize("orders", ["both", "any", "one"])
@pytest.mark.parametrize("template", ["compare", "compare-worse", "compare-reasoned"])
def test_an_invalid_answer_that_becomes_second_wins_after_a_flip(
    said: str, orders: str, template: str
) -> None:
    backend = ScriptedBackend(lambda _: said)
    judge = judge_from(backend, template, orders=orders)
    for principle in (LONGER.principles[0], NEGATED):
        [(_, outcome)] = list(judge.decide([Case(pair(0, "xx", "x"), principle)]))
        assert isinstance(outcome, Abstention)


def test_an_answer_in_one_order_and_nonsense_in_the_other_that_becomes_a_label() -> None:
    def say(request: Request) -> str:
        return "A" if shown(request, "reply_a") == "xx" else "neither, really"

    [outcome] = labelled([pair(0, "xx", "x")], say)
    assert isinstance(outcome, Abstention)
    assert outcome.kind == "one-order"


def test_failures_and_ties_that_count_as_first_chosen() -> None:
    [failed] = labelled([pair(0, "xx", "x")], lambda _: Failure(kind="timeout"))
    assert isinstance(failed, Abstention)
    for first, second in (("xx", "yy"), ("yy", "xx")):
        [tied] = labelled([pair(0, first, second)], length, "score")
        assert isinstance(tied, Preference)
        assert tied.p_chosen == 0.5
        assert tied.verdicts[0].choice == "tie"


def test_a_limit_of_requests_after_which_every_answer_is_invalid() -> None:
    outcomes = labelled([pair(n, "xx", "x") for n in range(1200)], prefers_longer)
    assert sum(isinstance(one, Preference) for one in outcomes) == 1200


REPLIES = [Response(id=f"r{n}", prompt_id="g", text="x" * n, author="a") for n in (1, 2, 3)]
QUESTION = Prompt.of("Question?", id="g")
GROUP = [
    Case(
        Comparison(id=f"{a.id}~{b.id}", prompt=QUESTION, first=a, second=b, group="g"),
        LONGER.principles[0],
    )
    for a, b in itertools.combinations(REPLIES, 2)
]


@pytest.mark.parametrize("said", ["A > A", "A > B > A", "A > B", "A > B > C > D", "B"])
def test_the_same_reply_named_as_best_and_as_worst(said: str) -> None:
    # A random pair was labelled in its stead.
    judge = judge_from(ScriptedBackend(lambda _: said), "rank-written")
    outcomes = [outcome for _, outcome in judge.decide(GROUP)]
    assert len(outcomes) == 3
    assert all(isinstance(one, Abstention) for one in outcomes)


def test_a_last_partial_batch_that_is_dropped() -> None:
    lone = pair(9, "xx", "x", group="alone")
    judge = judge_from(ScriptedBackend(lambda _: "A > B > C"), "rank-written", orders="one")
    answered = [case.comparison.id for case, _ in judge.decide([*GROUP, Case(lone, NEGATED)])]
    assert answered == [*(case.comparison.id for case in GROUP), "c9"]


@pytest.mark.parametrize("template", ["absolute", "score", "compare", "rank", "rank-written"])
@pytest.mark.parametrize("said", ["…", "unclear", Failure(kind="timeout"), Failure(kind="backend")])
def test_an_unclear_answer_that_becomes_a_middling_score_a_zero_or_an_a(
    template: str, said: str | Failure
) -> None:
    [outcome] = labelled([pair(0, "xx", "x", group="g")], lambda _: said, template)
    assert isinstance(outcome, Abstention)


def test_two_equal_ratings_that_make_the_same_reply_chosen_and_rejected() -> None:
    [outcome] = labelled([pair(0, "one way", "another way")], lambda _: "4", "score")
    assert isinstance(outcome, Preference)
    assert outcome.chosen.text != outcome.rejected.text
    assert outcome.p_chosen == 0.5


def test_two_missing_ratings_that_kill_the_batch() -> None:
    def say(request: Request) -> str:
        return "" if "Question 1?" in request.messages[-1].content else length(request)

    outcomes = labelled([pair(n, "x", "xxx") for n in range(3)], say, "score")
    kinds = {getattr(one, "subject", "labelled"): getattr(one, "kind", None) for one in outcomes}
    assert kinds == {"labelled": None, "c1": "empty"}


@pytest.mark.parametrize("template", ["absolute", "score", "compare", "compare-reasoned", "rank"])
def test_a_prompt_that_is_cut_where_it_contains_a_colon(template: str) -> None:
    text = "Human: translate this: one: two\n\nAssistant: no: wait"
    asked = pair(0, "a: b", "c: d").model_copy(update={"prompt": Prompt.of(text, id="p0")})
    backend = ScriptedBackend(lambda _: "A")
    list(judge_from(backend, template).decide([Case(asked, LONGER.principles[0])]))
    assert backend.seen
    for request in backend.seen:
        question = "\n".join(message.content for message in request.messages)
        assert text in question
        assert "a: b" in question or "c: d" in question


def test_a_verdict_that_is_reversed_by_the_reasons_given_after_it() -> None:
    def say(request: Request) -> str:
        has_reasoned = any(turn.role == "assistant" for turn in request.messages)
        return "B" if has_reasoned else "A is better. But then, A lectures."

    judge = judge_from(ScriptedBackend(say), "compare-reasoned", orders="one")
    [(_, verdict)] = list(judge.decide([Case(pair(0, "x", "y"), LONGER.principles[0])]))
    assert isinstance(verdict, Verdict)
    assert verdict.choice == "second"


def test_log_probabilities_that_are_quietly_replaced_by_the_letter() -> None:
    judge = judge_from(ScriptedBackend(lambda _: "A"), "compare", orders="one")
    case = Case(pair(0, "x", "y"), LONGER.principles[0])
    [(_, verdict)] = list(judge.decide([case]))
    assert isinstance(verdict, Verdict)
    assert verdict.read == "letter"
    share = Completion(text="A", model="s", option_logprobs={"A": math.log(0.7), "B": -9.0})
    judge = judge_from(ScriptedBackend(lambda _: share), "compare", orders="one")
    [(_, verdict)] = list(judge.decide([case]))
    assert isinstance(verdict, Verdict)
    assert verdict.read == "logprobs"
