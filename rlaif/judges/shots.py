"""Worked comparisons to learn from: principles' own examples, shown with their answers.

Each stands under a principle of its own (Bai et al. 2022: few-shot examples each with their own
drawn principle), and neither letter is the answer more often than the other.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

from rlaif.constitution.principle import Example, Principle
from rlaif.judges.base import Case
from rlaif.templates import Template


class Shot(NamedTuple):
    """One worked comparison, as a template's `[example …]` sections show it."""

    prompt: str
    first: str
    second: str
    principle: str
    answer: str
    """The option that is right."""
    why: str


def shots(case: Case, template: Template, pool: Sequence[Principle]) -> list[Shot]:
    """Draw worked comparisons for a case, seeded by the case and the same in both its orders.

    Principles are drawn first and then one example of each, in rounds, until there are as many as
    the template wants or none is left. Whatever shares the case's prompt is left out, so that a
    judge is never shown the pair it judges.
    """
    rng = random.Random(f"{case.comparison.id}:{case.principle.id}")
    drawn = _drawn(case, pool or (case.principle,), template.shots, rng)
    answers = _balanced(template.answer.options, len(drawn), rng)
    return [
        _shot(principle, example, template, answer)
        for (principle, example), answer in zip(drawn, answers, strict=True)
    ]


def _drawn(
    case: Case, pool: Sequence[Principle], count: int, rng: random.Random
) -> list[tuple[Principle, Example]]:
    judged = _plain(case.comparison.prompt.text)
    left = [
        (principle, rng.sample(fitting, len(fitting)))
        for principle in rng.sample(list(pool), len(pool))
        if (fitting := [e for e in principle.examples if _plain(e.prompt) != judged])
    ]
    drawn: list[tuple[Principle, Example]] = []
    while left and len(drawn) < count:
        drawn += [(principle, examples.pop()) for principle, examples in left]
        left = [(principle, examples) for principle, examples in left if examples]
    return drawn[:count]


def _balanced(options: Sequence[str], count: int, rng: random.Random) -> list[str]:
    """Draw as many answers of each of two options; the odd one out is either."""
    halves = [*options[:2]] * (count // 2)
    return rng.sample(halves + rng.sample(options[:2], count % 2), count)


def _shot(principle: Principle, example: Example, template: Template, answer: str) -> Shot:
    # Asked in its negated wording, or for the worse reply, a letter means the other reply.
    is_turned = (principle.negated is not None) != (template.answer.asks == "worse")
    first_is_better = (answer == template.answer.options[0]) != is_turned
    pair = (example.better, example.worse) if first_is_better else (example.worse, example.better)
    return Shot(example.prompt, *pair, principle.negated or principle.text, answer, example.why)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
