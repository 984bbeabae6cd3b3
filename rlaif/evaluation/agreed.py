"""One judge beside people: how often it says what they say, and how much of that is chance."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlaif.evaluation.chance import Codes, cohen_kappa, counts_of, krippendorff_alpha
from rlaif.evaluation.intervals import Draws, Figures, Interval, ratio
from rlaif.records import Choice, Comparison, Record

CODES: dict[Choice, int] = {"first": 0, "second": 1, "tie": 2}
UNSAID = -1
Mask = NDArray[np.bool_]


class Agreed(Record):
    """How often one judge says what people say."""

    name: str
    share: Interval | None
    """Agreement among the pairs that it decided; none where it decided none."""
    of_all: Interval | None
    """Agreement among all pairs it was asked about, one that it left open counted against it."""
    kappa: Interval | None
    """Cohen's κ: agreement beyond what chance would give; none where it is not defined."""
    alpha: Interval | None
    """Krippendorff's α of the two; none where it is not defined, and where pairs are weighted."""
    agreed: int
    disagreed: int
    undecided: int
    """Pairs it answered and could not decide, in no share: a tie, or a rule that says nothing."""
    unanswered: int = 0
    """Pairs it was asked about and abstained on."""

    @property
    def coverage(self) -> float:
        """The share of the pairs it was asked about that it decided."""
        asked = self.agreed + self.disagreed + self.undecided + self.unanswered
        return (self.agreed + self.disagreed) / asked if asked else 0.0


class Said(NamedTuple):
    """What one judge, or one rule, says of each pair."""

    name: str
    choices: Sequence[Choice | None]
    """In the order of the pairs; None where it abstained."""
    asked: Mask
    """Whether it was asked about the pair at all."""

    @property
    def answered(self) -> Mask:
        """Say of each pair whether it got an answer, be it a tie."""
        said = np.array([choice is not None for choice in self.choices], dtype=bool)
        return np.asarray(self.asked & said)


def codes_of(choices: Sequence[Choice | None], *, ties: bool) -> Codes:
    """Write choices as numbers; a tie is a third answer, or no answer.

    >>> codes_of(["second", "tie", None], ties=False).tolist()
    [1, -1, -1]
    """
    codes = np.array([UNSAID if choice is None else CODES[choice] for choice in choices], dtype=int)
    return codes if ties else np.where(codes == CODES["tie"], UNSAID, codes)


def agreed(
    said: Said,
    people: Sequence[Choice | None],
    draws: Draws,
    *,
    among: Mask | None = None,
    ties: bool = False,
    weights: Figures | None = None,
) -> Agreed:
    """Hold what a judge says against what people say.

    Args:
        said: the judge's choices.
        people: theirs, pair by pair.
        draws: of the pairs' prompts.
        among: the pairs that the shares are of, where they are not all that were asked about.
        ties: whether "they are alike" is an answer that one can agree with; else pairs that
            either left open are in no share.
        weights: how much each pair counts; all alike where none are given.
    """
    theirs = np.where(said.asked, codes_of(people, ties=ties), UNSAID)
    its = codes_of(said.choices, ties=ties)
    concerned, right = theirs >= 0, (theirs >= 0) & (theirs == its)
    inside = concerned if among is None else concerned & among
    decided, hits = inside & (its >= 0), inside & right
    one, other = np.where(decided, theirs, UNSAID), np.where(decided, its, UNSAID)
    kinds, even = 3 if ties else 2, weights is None
    each = np.ones(len(theirs)) if weights is None else weights
    return Agreed(
        name=said.name,
        share=draws.interval(np.stack([hits * each, decided * each], axis=1), ratio),
        # What it abstained on has no weight, and α no weighted form that is agreed upon.
        of_all=draws.interval(np.stack([right, concerned], axis=1), ratio) if even else None,
        kappa=cohen_kappa(one, other, kinds, draws, weights),
        alpha=krippendorff_alpha(counts_of([one, other], kinds), draws) if even else None,
        agreed=int(hits.sum()),
        disagreed=int((decided & ~hits).sum()),
        undecided=int((inside & said.answered & ~decided).sum()),
        unanswered=int((inside & ~said.answered).sum()),
    )


def by_rule(
    name: str,
    rule: Callable[[Comparison], Choice],
    comparisons: Sequence[Comparison],
    asked: Mask,
) -> Said:
    """Ask a rule about the pairs that the judge was asked about."""
    return Said(name, [rule(comparison) for comparison in comparisons], asked)


def hits_of(said: Said, people: Sequence[Choice | None]) -> tuple[Mask, Mask]:
    """Say of each pair whether the judge and people both decided it, and alike."""
    its, theirs = codes_of(said.choices, ties=False), codes_of(people, ties=False)
    decided = (its >= 0) & (theirs >= 0) & said.asked
    return decided, decided & (its == theirs)
