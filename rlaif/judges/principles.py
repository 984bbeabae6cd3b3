"""Which principles judge a comparison, and how their verdicts become one probability."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from pydantic import Field

from rlaif.constitution.principle import Principle
from rlaif.judges.base import Case, Judge, Outcome
from rlaif.records import Abstention, Comparison, Record, Verdict

_SURE = 0.25  # a veto decides when its verdict is this far from undecided


class Draw(Record):
    """Draw some principles for each comparison (Bai 2022 draws one)."""

    draw: int = Field(default=1, ge=1)
    """How many principles judge each comparison, beside the vetoes."""


Choice = Draw | Literal["all"]


def choose(principles: Sequence[Principle], how: Choice, seed: str) -> tuple[Principle, ...]:
    """Choose, of the principles in scope, those that judge one comparison.

    A veto is always asked, since one that was not drawn would forbid nothing; the draw is among
    the others. Seeded by the comparison itself, so a resumed run draws what the first run would
    have.
    """
    if how == "all":
        return tuple(principles)
    others = draw([p for p in principles if not p.veto], how.draw, seed)
    return tuple(p for p in principles if p.veto or p in others)


def draw(principles: Sequence[Principle], count: int, seed: str) -> tuple[Principle, ...]:
    """Draw so many principles, or all where there are no more, in the constitution's order."""
    if len(principles) <= count:
        return tuple(principles)
    drawn = random.Random(seed).sample(range(len(principles)), count)
    return tuple(principles[index] for index in sorted(drawn))


def weigh(verdicts: Sequence[Verdict], principles: Mapping[str, Principle]) -> float | None:
    """Average the verdicts by their principles' weights; None where there is no verdict.

    Principles that abstained are not here, so they leave the weighting. A veto that is violated
    decides alone; of several, the surest.
    """
    if not verdicts:
        return None
    vetoes = [v for v in verdicts if principles[str(v.principle)].veto and shows_violation(v)]
    if vetoes:
        return max(vetoes, key=lambda verdict: abs(verdict.p_first - 0.5)).p_first
    weights = [principles[str(verdict.principle)].weight for verdict in verdicts]
    return weighted(zip(weights, (v.p_first for v in verdicts), strict=True))


def shows_violation(verdict: Verdict) -> bool:
    """Say whether one of the two replies breaks the principle, and surely more than the other.

    Where the judge was asked about each reply, the principle must not hold of one of them. A
    judge that only compares cannot tell, so there a sure verdict is enough.

    >>> told = {"holds_first": 0.99, "holds_second": 0.7}  # both keep to it, one more so
    >>> shows_violation(Verdict(p_first=0.97, judge="j", evidence=told))
    False
    >>> told = {"holds_first": 0.9, "holds_second": 0.1}
    >>> shows_violation(Verdict(p_first=0.99, judge="j", evidence=told))
    True
    """
    is_sure = abs(verdict.p_first - 0.5) >= _SURE
    evidence = verdict.evidence
    keeps = [evidence.get(f"holds_{side}", 0.0) >= 0.5 or evidence.get(f"score_{side}", -1.0) >= 0
             for side in ("first", "second")]  # fmt: skip
    return is_sure and not all(keeps)


def weighted(pairs: Iterable[tuple[float, float]]) -> float:
    """Average (weight, value) pairs.

    >>> weighted([(1.0, 0.9), (3.0, 0.5)])
    0.6
    """
    kept = list(pairs)
    return sum(weight * value for weight, value in kept) / sum(weight for weight, _ in kept)


class Asked:
    """A comparison, the principles that judge it, and what has been said under each."""

    def __init__(
        self,
        comparison: Comparison,
        principles: Sequence[Principle],
        abstained: Sequence[Abstention] = (),
    ) -> None:
        """Ask these principles; `abstained` are those of which nobody could say if they apply."""
        self.comparison = comparison
        self.principles = {principle.id: principle for principle in principles}
        self.verdicts: list[Verdict] = []
        self.abstained = list(abstained)
        self._left = len(self.principles)

    def hear(self, principle: Principle, outcome: Outcome) -> bool:
        """Take one principle's answer; say whether it was the last."""
        if isinstance(outcome, Verdict):
            words = principle.fingerprint_of_wording
            self.verdicts.append(outcome.model_copy(update={"wording": words}))
        else:
            self.abstained.append(outcome)
        self._left -= 1
        return self._left == 0

    @property
    def p_first(self) -> float | None:
        """The verdicts weighed; None where there is none."""
        return weigh(self.verdicts, self.principles)


def by_principles(judge: Judge, asked: Iterable[Asked]) -> Iterator[Asked]:
    """Judge each comparison under each of its principles; it comes once, when the last is heard.

    Lazy: comparisons are pulled as the judge has room. Each has a principle at least.
    """
    waiting: dict[int, tuple[Case, Asked]] = {}

    def cases() -> Iterator[Case]:
        for one in asked:
            for principle in one.principles.values():
                case = Case(one.comparison, principle)
                waiting[id(case)] = (case, one)
                yield case

    for case, outcome in judge.decide(cases()):
        _, one = waiting.pop(id(case))
        if one.hear(case.principle, outcome):
            yield one
