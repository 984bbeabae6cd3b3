"""Which principles judge a comparison, and how their verdicts become one probability."""

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pydantic import Field

from rlaif.constitution.principle import Constitution, Principle
from rlaif.records import Prompt, Record, Verdict

_VETO_IS_SURE = 0.25  # a veto decides when its verdict is this far from undecided


class Draw(Record):
    """Draw some principles for each comparison (Bai 2022 draws one)."""

    draw: int = Field(default=1, ge=1)
    """How many principles judge each comparison."""


Choice = Draw | Literal["all"]


def choose(
    constitution: Constitution, prompt: Prompt, how: Choice, seed: str
) -> tuple[Principle, ...]:
    """Choose the principles for one comparison: those in scope, or a seeded draw of them.

    Seeded by the comparison itself, so a resumed run draws what the first run would have.
    """
    inside = [p for p in constitution.principles if p.applies_to(prompt.tags)]
    if how == "all" or len(inside) <= how.draw:
        return tuple(inside)
    drawn = random.Random(seed).sample(range(len(inside)), how.draw)
    return tuple(inside[index] for index in sorted(drawn))


def weigh(verdicts: Sequence[Verdict], principles: Mapping[str, Principle]) -> float | None:
    """Average the verdicts by their principles' weights; None where there is no verdict.

    Principles that abstained are not here, so they leave the weighting. A veto whose verdict is
    sure decides alone; of several, the surest.
    """
    if not verdicts:
        return None
    vetoes = [v for v in verdicts if principles[str(v.principle)].veto and _is_sure(v)]
    if vetoes:
        return max(vetoes, key=lambda verdict: abs(verdict.p_first - 0.5)).p_first
    weights = [principles[str(verdict.principle)].weight for verdict in verdicts]
    return weighted(zip(weights, (v.p_first for v in verdicts), strict=True))


def weighted(pairs: Iterable[tuple[float, float]]) -> float:
    """Average (weight, value) pairs.

    >>> weighted([(1.0, 0.9), (3.0, 0.5)])
    0.6
    """
    kept = list(pairs)
    return sum(weight * value for weight, value in kept) / sum(weight for weight, _ in kept)


def _is_sure(verdict: Verdict) -> bool:
    return abs(verdict.p_first - 0.5) >= _VETO_IS_SURE
