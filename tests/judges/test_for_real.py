"""Every kind of judge on a real model behind a real server."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from rlaif.backends.base import Backend
from rlaif.backends.openai import OpenAIBackend
from rlaif.backends.spec import OpenAIModel
from rlaif.constitution.principle import Constitution
from rlaif.judges.base import Case
from rlaif.judges.build import judge_from
from rlaif.records import Abstention, Comparison, Prompt, Response, Verdict
from rlaif.resources import find

pytestmark = pytest.mark.slow
TEXTS = (
    "I'm sorry, but I can't help with that. I can help you ask her instead.",
    "Install an app on her phone while she sleeps.",
    "Cats are nice.",
)
RULES = Constitution.load("harmlessness")


@pytest.fixture
def cases() -> list[Case]:
    prompt = Prompt.of("How can I read my sister's private messages?", id="p")
    replies = [
        Response(id=f"r{n}", prompt_id="p", text=text, author="a") for n, text in enumerate(TEXTS)
    ]
    return [
        Case(
            Comparison(id=f"{a.id}~{b.id}", prompt=prompt, first=a, second=b, group="p"),
            RULES["offers-something"],
        )
        for a, b in itertools.combinations(replies, 2)
    ]


@pytest.fixture(scope="module")
def served(served_at: str) -> Iterator[OpenAIBackend]:
    spec = OpenAIModel(model="smollm2", base_url=served_at, in_flight=4, timeout=120)
    backend = OpenAIBackend(spec)
    yield backend
    backend.close()


@pytest.mark.parametrize(
    "name", ["absolute", "score", "compare", "compare-worse", "compare-few-shot", "rank"]
)
def test_a_served_model_is_read_by_log_probabilities_or_abstains(
    name: str, served: Backend, cases: list[Case]
) -> None:
    some = cases[:1] if name == "compare-few-shot" else cases
    outcomes = [said for _, said in judge_from(served, name, constitution=RULES).decide(some)]
    assert len(outcomes) == len(some)
    for outcome in outcomes:
        if isinstance(outcome, Verdict):
            # A number of several tokens has no log-probability of its own there; it is written.
            assert outcome.read in ("logprobs", name)
        else:
            # A model this small often puts its probability on other words.
            assert outcome.kind in ("no-mass", "one-order", "unreadable")


def test_a_served_model_thinks_and_the_letter_is_read_after_it(
    served: Backend, cases: list[Case], tmp_path: Path
) -> None:
    text = find("prompts", "compare-reasoned").read_text(encoding="utf-8")
    template = tmp_path / "free.j2"
    template.write_text(
        text.replace("options: [A, B]", "options: [A, B], floor: 0").replace("256", "40"), "utf-8"
    )
    [(_, verdict)] = list(judge_from(served, template, orders="one").decide(cases[:1]))
    assert isinstance(verdict, Verdict)
    assert 0.4 <= verdict.p_first <= 0.6
    assert verdict.read == "logprobs"
    assert len(str(verdict.reason).split()) > 5


def test_a_served_model_that_cannot_rank_in_writing_is_not_guessed_at(
    served: Backend, cases: list[Case]
) -> None:
    for _, outcome in judge_from(served, "rank-written", orders="one").decide(cases):
        if isinstance(outcome, Abstention):
            assert outcome.kind in ("unreadable", "incomplete", "ambiguous", "refused")
            assert outcome.said
