"""95 % intervals: a prompt's replies are kept together, since they are not independent."""

import math
from collections.abc import Sequence

import numpy as np

from rlaif.records import Record

_Z = 1.959963984540054  # the normal quantile that leaves 2.5 % above
_TAILS = (2.5, 97.5)


class Interval(Record):
    """A figure, and between what it would fall 95 times of 100."""

    value: float
    low: float
    high: float

    @property
    def half(self) -> float:
        """Half the interval's width, for `± half`."""
        return (self.high - self.low) / 2

    @property
    def is_clear_of_zero(self) -> bool:
        """Say whether zero lies outside."""
        return self.low > 0 or self.high < 0


def wilson(share: float, count: float) -> Interval:
    """Give Wilson's interval of a share of `count` independent observations.

    >>> wilson(0.0, 10).high > 0.2
    True
    """
    if count <= 0:
        raise ValueError("a share of nothing has no interval")
    spread = _Z * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    centre, scale = share + _Z**2 / (2 * count), 1 + _Z**2 / count
    low, high = (centre - spread) / scale, (centre + spread) / scale
    return Interval(value=share, low=min(max(low, 0.0), share), high=max(min(high, 1.0), share))


def bootstrap(
    values: Sequence[float], clusters: Sequence[str], *, rounds: int = 2000, seed: int = 0
) -> Interval:
    """Give the mean and its percentile interval, drawing whole clusters with replacement.

    Handed differences of paired values, it is the paired bootstrap.
    """
    if not values:
        raise ValueError("the mean of nothing has no interval")
    names = {name: index for index, name in enumerate(dict.fromkeys(clusters))}
    places = [names[name] for name in clusters]
    sums = np.bincount(places, weights=values)
    counts = np.bincount(places)
    drawn = np.random.default_rng(seed).integers(len(names), size=(rounds, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, _TAILS)
    return Interval(value=float(sums.sum() / counts.sum()), low=float(low), high=float(high))
