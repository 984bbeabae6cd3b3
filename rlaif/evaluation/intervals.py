"""95 % intervals: a prompt's replies are kept together, since they are not independent."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlaif.records import Record

Figures = NDArray[np.float64]
Statistic = Callable[[Figures], Figures]
"""From summed parts, one row a draw, to one figure a draw; no finite number where there is none."""

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


class Draws:
    """Prompts drawn with replacement: the same draws for every figure, so that figures pair up."""

    def __init__(self, prompts: Sequence[str], *, rounds: int = 2000, seed: int = 0) -> None:
        """Draw; `prompts` names each row's prompt, whose rows are drawn together."""
        names = {name: index for index, name in enumerate(dict.fromkeys(prompts))}
        self._places = np.array([names[name] for name in prompts], dtype=np.intp)
        rng, count = np.random.default_rng(seed), len(names)
        self._times = np.zeros((rounds, count), dtype=np.uint16)
        for drawn in self._times if count else ():
            drawn += np.bincount(rng.integers(count, size=count), minlength=count).astype(np.uint16)

    def interval(
        self, parts: ArrayLike, statistic: Statistic, *, value: float | None = None
    ) -> Interval | None:
        """Give a figure and its percentile interval; None where the figure is not defined.

        Args:
            parts: what each row adds, of shape (rows, parts); a row that has no say adds zeros.
            statistic: the figure of summed parts, for many draws at once.
            value: the figure itself, where a library has computed it.
        """
        added = np.asarray(parts, dtype=np.float64)
        sums = np.zeros((self._times.shape[1], added.shape[1]))
        np.add.at(sums, self._places, added)
        with np.errstate(divide="ignore", invalid="ignore"):
            if value is None:
                value = float(statistic(sums.sum(axis=0, keepdims=True))[0])
            figures = statistic(self._summed(sums))
        figures = figures[np.isfinite(figures)]
        if not math.isfinite(value) or not len(figures):
            return None
        low, high = (float(edge) for edge in np.percentile(figures, _TAILS))
        # A figure that every draw moves one way, as a mean distance, may lie outside of them.
        return Interval(value=value, low=min(low, value), high=max(high, value))

    def _summed(self, sums: Figures) -> Figures:
        # In parts, so that a hundred thousand prompts do not need gigabytes.
        step = max(1, 4_000_000 // max(len(sums), 1))
        starts = range(0, len(self._times), step)
        return np.concatenate([self._times[start : start + step] @ sums for start in starts])


def ratio(parts: Figures) -> Figures:
    """Divide the first part by the second: a mean, or a weighted share."""
    return parts[:, 0] / parts[:, 1]
