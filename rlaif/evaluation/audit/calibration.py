"""Whether a judge's probabilities mean what they say: right 80 times of 100 where it says 0.8."""

from collections.abc import Mapping, Sequence

import numpy as np

from rlaif.evaluation.intervals import Draws, Figures, Interval, ratio, wilson
from rlaif.records import Choice, Preference, Record

BINS = 10


class Bin(Record):
    """Labels of like probability."""

    low: float
    high: float
    labels: int
    said: float | None
    """Their mean probability; none where there are none."""
    right: Interval | None
    """How often people chose the same reply (Wilson)."""


class Reliability(Record):
    """A judge's probabilities beside what people chose."""

    labels: int
    """Labels that the judge and people both decided."""
    bins: tuple[Bin, ...]
    """Equal bins of the chosen reply's probability, from 0.5 to 1."""
    ece: Interval | None
    """Expected calibration error: the bins' mean distance of probability and share right, each
    bin by its labels (Guo et al. 2017). Few labels make it larger than it is."""
    brier: Interval | None
    """The mean square of p − 1 where people agree and p where they do not (Brier 1950)."""
    too_sure: Interval | None
    """The mean probability less the share that is right: above 0 is too sure of itself."""


def reliability(
    preferences: Sequence[Preference], people: Mapping[str, Choice], *, rounds: int = 2000
) -> Reliability | None:
    """Hold probabilities against people; None where no label was decided by both.

    Args:
        preferences: the labels.
        people: what people say of a pair, by its id, the chosen reply of the label as the first.
        rounds: of the bootstrap, clustered by prompt.
    """
    rows = [row for row in preferences if people.get(row.id, "tie") != "tie" and row.p_chosen > 0.5]
    if not rows:
        return None
    said = np.array([row.p_chosen for row in rows])
    right = np.array([people[row.id] == "first" for row in rows], dtype=float)
    prompts = [row.prompt.id for row in rows]
    return calibrated(said, right, prompts, square=(said - right) ** 2, rounds=rounds)


def calibrated(
    said: Figures, right: Figures, prompts: Sequence[str], *, square: Figures, rounds: int
) -> Reliability:
    """Hold probabilities, each that of the preferred side, against what is right.

    Args:
        said: from 0.5 to 1.
        right: 1 or 0, or the probability that the side is right.
        prompts: each label's prompt, whose labels are drawn together.
        square: each label's part of the Brier score.
        rounds: of the bootstrap.
    """
    places = np.minimum(((said - 0.5) * 2 * BINS).astype(int), BINS - 1)
    inside = np.eye(BINS)[places]
    draws = Draws(prompts, rounds=rounds)
    one = np.ones(len(said))
    return Reliability(
        labels=len(said),
        bins=tuple(_bin(n, said[places == n], right[places == n]) for n in range(BINS)),
        ece=draws.interval(np.concatenate([inside * (said - right)[:, None], inside], axis=1), ece),
        brier=draws.interval(np.stack([square, one], axis=1), ratio),
        too_sure=draws.interval(np.stack([said - right, one], axis=1), ratio),
    )


def ece(parts: Figures) -> Figures:
    """Give Σ |Σ (p − right)| / n over bins, of parts that hold the sums and then the counts."""
    gaps, counts = np.split(parts, 2, axis=1)
    return np.asarray(np.abs(gaps).sum(axis=1) / counts.sum(axis=1))


def _bin(number: int, said: Figures, right: Figures) -> Bin:
    width = 0.5 / BINS
    return Bin(
        low=round(0.5 + number * width, 9),
        high=round(0.5 + (number + 1) * width, 9),
        labels=len(said),
        said=float(said.mean()) if len(said) else None,
        right=wilson(float(right.mean()), len(said)) if len(said) else None,
    )
