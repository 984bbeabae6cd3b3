"""Whether a reward model pays for length, and how right it is where length can tell nothing."""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rlaif.evaluation.audit.lengths import Lengths, Rate, lengths, log_ratio, rate
from rlaif.evaluation.intervals import Draws, Figures, Interval, ratio
from rlaif.evaluation.reward.accuracy import Accuracy, accuracy
from rlaif.evaluation.reward.scored import Pair, margins, prompts
from rlaif.records import Record

Row = TypeVar("Row")

NEAR = 1.25
"""Two replies are about equally long where the longer has at most this many times the words."""


class LengthPull(Record):
    """Length and the reward."""

    slope: Interval | None
    """Reward that each doubling of the length adds: Σ Δr·x / Σ x² with x = log₂ of the two
    replies' words; a pair has two replies and no order, so the line passes through 0."""
    correlation: Interval | None
    """The same without a unit, Σ Δr·x / √(Σ Δr² · Σ x²): 1 where length alone decides."""
    longer: Interval | None
    """The share of pairs, of different length, where the longer reply has the higher reward."""
    labels_longer: Interval | None
    """The share of the same pairs where the label prefers the longer reply."""
    matched: Accuracy | None
    """The accuracy on pairs whose replies are about equally long."""
    balanced: Interval | None
    """The mean of the accuracy where the better reply is the longer one and where it is the
    shorter: 0.5 for a model that goes by length alone."""
    equal: Rate
    """The accuracy raw, and on a logistic curve at a length ratio of 1."""
    choices: Lengths
    """The longer reply's share of higher rewards, by how much longer it is."""


def length_pull(pairs: Sequence[Pair], name: str, *, rounds: int = 2000) -> LengthPull:
    """Measure how the reward follows the length of the reply, in words."""
    x = np.array([log_ratio(pair.preference.chosen, pair.preference.rejected) for pair in pairs])
    gaps, of = margins(pairs), prompts(pairs)
    right = np.array([pair.right for pair in pairs])
    decided = np.array([pair.is_decided for pair in pairs])
    draws = Draws(of, rounds=rounds)
    differ = x != 0
    prefers_longer = np.where(x > 0, right, 1 - right)
    near = np.abs(x) <= math.log2(NEAR) + 1e-9
    tells = decided & (gaps != 0)
    sums = np.stack([gaps * x, x * x, gaps * gaps], axis=1)
    longer = np.stack([prefers_longer * differ, differ], axis=1)
    said = np.stack([(x > 0) & decided, differ & decided], axis=1)
    sides = [right * (decided & (x > 0)), decided & (x > 0)]
    sides += [right * (decided & (x < 0)), decided & (x < 0)]
    return LengthPull(
        slope=draws.interval(sums[:, :2], ratio),
        correlation=draws.interval(sums, _correlation),
        longer=draws.interval(longer, ratio),
        labels_longer=draws.interval(said, ratio),
        matched=accuracy(f"within × {NEAR:g} words", _those(pairs, near)),
        balanced=draws.interval(np.stack(sides, axis=1), _balanced),
        equal=rate(
            "accuracy",
            (gaps[tells] > 0).tolist(),
            x[tells].tolist(),
            _those(of, tells),
            rounds=rounds,
        ),
        choices=lengths([p.as_label(name) for p in pairs], draws),
    )


def _those(rows: Sequence[Row], chosen: NDArray[np.bool_]) -> list[Row]:
    return [rows[place] for place in np.flatnonzero(chosen).tolist()]


def _correlation(parts: Figures) -> Figures:
    return np.asarray(parts[:, 0] / np.sqrt(parts[:, 1] * parts[:, 2]))


def _balanced(parts: Figures) -> Figures:
    return (ratio(parts[:, :2]) + ratio(parts[:, 2:])) / 2
