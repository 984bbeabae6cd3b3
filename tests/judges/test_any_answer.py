"""Whatever a model says, a whole judge gives a verdict or an abstention, with what was said."""

import itertools
import math
import re
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rlaif.judges
from rlaif.backends.scripted import Script, ScriptedBackend
from rlaif.constitution.principle import Constitution, Principle
from rlaif.feedback.label import LabelConfig, label
from rlaif.judges.base import Case, Judge
from rlaif.judges.build import judge_from
from rlaif.judges.compose import Judging, Member, judge_of
from rlaif.judges.orders import Orders
from rlaif.judges.reward import reward_of
from rlaif.records import (
    Abstention,
    Comparison,
    Completion,
    Failure,
    Preference,
    Prompt,
    Response,
    Verdict,
)
from rlaif.resources import shipped_names
from rlaif.templates import Template

RULES = Constitution(
    name="r",
    principles=(
        Principle(id="kind", text="The reply is kind.", negated="The reply is unkind."),
        Principle(id="plain", text="The reply is plain.", weight=2.0),
    ),
)
PROMPT = Prompt.of("What is two times two?", id="p")
REPLIES = [
    Response(id=f"r{n}", prompt_id="p", text=text, author="a")
    for n, text in enumerate(("Four.", "Answer: A", "I cannot say."))
]
CASES = [
    Case(Comparison(id=f"{a.id}~{b.id}", prompt=PROMPT, first=a, second=b, group="g"), principle)
    for a, b in itertools.combinations(REPLIES, 2)
    for principle in RULES.principles
]
TEMPLATES = ["absolute", "score", "compare", "compare-worse", "compare-reasoned", "rank",
             "rank-written"]  # fmt: skip
WORDS = ["A", "B", "C", "Yes", "No", ">", "is better", "not", "8", "/10", "<think>", "</think>",
         "\n", ":", "Answer", "I can't", "D", "**", "…", "Four."]  # fmt: skip
TEXTS = st.text() | st.lists(st.sampled_from(WORDS)).map(" ".join)
SHARES = st.dictionaries(
    st.sampled_from(["A", "B", "C", "Yes", "No", "1", "10", "x"]), st.floats(allow_nan=True)
)
FAILURES = st.sampled_from(["backend", "timeout", "empty", "refused", "no-logprobs"])
SAID = (
    st.builds(lambda text: Completion(text=text, model="m"), TEXTS)
    | st.builds(lambda text, p: Completion(text=text, model="m", option_logprobs=p), TEXTS, SHARES)
    | st.builds(lambda kind: Failure(kind=kind), FAILURES)
)
_SAY: list[Script] = []


@lru_cache
def whole(template: str, orders: Orders, *, many: bool) -> Judge:
    """Make a judge once; what it says changes."""
    backend = ScriptedBackend(lambda request: _SAY[-1](request))
    if many:
        other = ScriptedBackend(lambda request: _SAY[-1](request), name="other")
        config = Judging(template=template, orders=orders, panel="median")
        return judge_of([Member(backend), Member(other)], config, RULES)
    return judge_from(backend, template, orders=orders, constitution=RULES)


def test_every_shipped_prompt_file_that_judges_pairs_is_among_them() -> None:
    judging = {n for n in shipped_names("prompts") if "principle" in Template.load(n).inputs}
    texts = {name for name in judging if Template.load(name).answer.kind == "text"}
    assert judging - texts == {*TEMPLATES, "compare-few-shot"}  # asked as `compare` is


@settings(max_examples=150)
@given(
    st.sampled_from(TEMPLATES),
    st.sampled_from(["both", "any", "one"]),
    st.booleans(),
    st.lists(SAID, min_size=1, max_size=6),
)
def test_whatever_is_said_each_case_ends_once_as_a_verdict_or_an_abstention(
    template: str, orders: Orders, many: bool, said: list[Completion | Failure]
) -> None:
    answers = itertools.cycle(said)
    _SAY.append(lambda _: next(answers))
    outcomes = list(whole(template, orders, many=many).decide(CASES))
    assert sorted(id(case) for case, _ in outcomes) == sorted(map(id, CASES))
    for case, outcome in outcomes:
        if isinstance(outcome, Verdict):
            assert 0 <= outcome.p_first <= 1
            assert not any(math.isnan(figure) for figure in outcome.evidence.values())
        else:
            assert isinstance(outcome, Abstention)
            assert outcome.subject == case.comparison.id


@settings(max_examples=60)
@given(st.sampled_from(TEMPLATES), st.lists(SAID, min_size=1, max_size=6))
def test_whatever_is_said_a_label_is_a_preference_or_an_abstention_and_a_reward_a_number_or_none(
    template: str, said: list[Completion | Failure]
) -> None:
    answers = itertools.cycle(said)
    _SAY.append(lambda _: next(answers))
    judge = whole(template, "both", many=False)
    asked = [case.comparison for case in CASES[::2]]
    outcomes = list(label(asked, RULES, judge, LabelConfig(principles="all")))
    assert len(outcomes) == len(asked)
    assert all(isinstance(one, Preference | Abstention) for one in outcomes)
    rewards = reward_of(judge, RULES)([PROMPT] * 3, [reply.text for reply in REPLIES])
    assert len(rewards) == 3
    assert all(one is None or math.isfinite(one) for one in rewards)


ONE = Case(CASES[0].comparison, RULES.principles[1])
CANNOT_BE_READ = [
    ("compare", "", "empty"),
    ("compare", "<think>A or B", "empty"),
    ("compare", "A tie, I find.", "unreadable"),
    ("compare", "A is better. B is better.", "ambiguous"),
    ("compare", "Perhaps", "outside"),
    ("compare", "I'm sorry, I can't compare these.", "refused"),
    ("absolute", "That depends.", "unreadable"),
    ("absolute", "Yes and No", "ambiguous"),
    ("score", "11", "outside"),
    ("score", "It makes 3 errors, so 8", "ambiguous"),
    ("rank-written", "A > A", "incomplete"),
    ("rank-written", "A > B, or B > A", "ambiguous"),
    ("rank", "A", "no-logprobs"),
    ("compare-reasoned", "<think>It is long", "no-reasoning"),
]
SHARED = [
    ("compare", {"A": -9.0, "B": -9.0}, "no-mass"),
    ("compare", {"A": math.nan, "B": -1.0}, "no-logprobs"),
]
FAILED = [("compare", "timeout"), ("absolute", "backend"), ("compare-reasoned", "refused")]


@pytest.mark.parametrize(("template", "said", "kind"), CANNOT_BE_READ)
def test_each_failure_of_reading_has_its_kind_and_keeps_the_raw_text_whole(
    template: str, said: str, kind: str
) -> None:
    raw = f"{said}\n" if said else said
    judge = judge_from(ScriptedBackend(lambda _: raw), template, orders="one")
    [(_, outcome)] = judge.decide([ONE])
    assert isinstance(outcome, Abstention)
    assert (outcome.kind, outcome.said, outcome.principle) == (kind, raw, "plain")


@pytest.mark.parametrize(("template", "shares", "kind"), SHARED)
def test_log_probabilities_that_tell_nothing_keep_the_text_that_came_with_them(
    template: str, shares: dict[str, float], kind: str
) -> None:
    said = Completion(text="So", model="m", option_logprobs=shares)
    [(_, outcome)] = judge_from(ScriptedBackend(lambda _: said), template).decide([ONE])
    assert isinstance(outcome, Abstention)
    assert (outcome.kind, outcome.said) == (kind, "So")


@pytest.mark.parametrize(("template", "kind"), FAILED)
def test_a_failure_of_the_backend_has_its_kind(template: str, kind: str) -> None:
    failure = Failure.model_validate({"kind": kind, "detail": "so it was"})
    [(_, outcome)] = judge_from(ScriptedBackend(lambda _: failure), template).decide([ONE])
    assert isinstance(outcome, Abstention)
    assert (outcome.kind, outcome.detail) == (kind, "so it was")


def test_each_kind_of_the_judges_page_is_made_here_or_where_answers_are_put_together() -> None:
    page = (Path(rlaif.judges.__file__).parent / "README.md").read_text(encoding="utf-8")
    table = page.split("## When there is no answer")[1]
    kinds = re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)
    made = {row[-1] for row in [*CANNOT_BE_READ, *SHARED, *FAILED]}
    put_together = {"one-order", "no-principle", "same", "unsure"}
    assert [kind for kind in kinds[:-5] if kind not in made | put_together] == []
    assert made | put_together <= set(kinds)
