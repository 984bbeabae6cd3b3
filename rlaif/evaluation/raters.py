"""How well people agree among themselves on the same pairs: the height that a judge can reach."""

from collections.abc import Sequence

import numpy as np

from rlaif.evaluation.agreed import UNSAID, codes_of
from rlaif.evaluation.chance import coincidence_rows, kappa_of, krippendorff_alpha
from rlaif.evaluation.intervals import Draws, Figures, Interval, ratio
from rlaif.feedback.people import Rated
from rlaif.records import Choice, Record


class AmongPeople(Record):
    """People with each other, and the judge with each of them, on the pairs both can be told of."""

    pairs: int
    """Pairs that two or more people, and the judge, decided."""
    raters: int
    ties: bool
    """Whether "they are alike" counts as an answer."""
    people: Interval | None
    """How often two of a pair's raters say the same; each pair counts alike."""
    judge: Interval | None
    """How often the judge says what one of a pair's raters says."""
    ratio: Interval | None
    """The judge's agreement with people, divided by people's with each other."""
    people_kappa: Interval | None
    """κ of two raters of a pair, whichever they are; their answers are pooled both ways round."""
    judge_kappa: Interval | None
    """κ of the judge and a rater of a pair, whichever it is."""
    people_alpha: Interval | None
    """Krippendorff's α of the raters."""


def among_people(
    rated: Sequence[Rated], judge: Sequence[Choice | None], draws: Draws, *, ties: bool
) -> AmongPeople | None:
    """Compare people with people and the judge with people; None where no pair has two raters."""
    kinds = 3 if ties else 2
    counts = _counts(rated, kinds, ties=ties)
    said = codes_of(judge, ties=ties)
    raters = counts.sum(axis=1)
    inside = (raters >= 2) & (said >= 0)
    if not inside.any():
        return None
    counts = counts * inside[:, None]
    its = np.eye(kinds)[np.where(inside, said, 0)] * inside[:, None]
    share = counts / np.maximum(raters, 1)[:, None]
    # Each pair's coincidences sum to its number of raters; divided by it, pairs count alike.
    among = coincidence_rows(counts) / np.maximum(raters, 1)[:, None]
    crossed = (share[:, :, None] * its[:, None, :]).reshape(len(share), -1)
    theirs, alike = among[:, :: kinds + 1].sum(axis=1), crossed[:, :: kinds + 1].sum(axis=1)
    one = inside.astype(float)
    return AmongPeople(
        pairs=int(inside.sum()),
        raters=len({r.rater for row, kept in zip(rated, inside, strict=True) if kept
                    for r in row.ratings}),
        ties=ties,
        people=draws.interval(np.stack([theirs, one], axis=1), ratio),
        judge=draws.interval(np.stack([alike, one], axis=1), ratio),
        ratio=draws.interval(np.stack([alike, theirs], axis=1), ratio),
        people_kappa=draws.interval(among, kappa_of),
        judge_kappa=draws.interval(crossed, kappa_of),
        people_alpha=krippendorff_alpha(counts, draws),
    )  # fmt: skip


def _counts(rated: Sequence[Rated], kinds: int, *, ties: bool) -> Figures:
    """Count each pair's raters by what they say, of shape (pairs, kinds)."""
    counts = np.zeros((len(rated), kinds))
    for row, pair in zip(counts, rated, strict=True):
        for code in codes_of([rating.choice for rating in pair.ratings], ties=ties):
            if code != UNSAID:
                row[code] += 1
    return counts
