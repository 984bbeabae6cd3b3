"""Whether a judge goes by length, and what it says of replies that are equally long."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from statsmodels.discrete.discrete_model import Logit
from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationWarning

from rlaif.evaluation.intervals import Draws, Interval, ratio
from rlaif.evaluation.measures import length_of
from rlaif.judges.propositions import sigmoid
from rlaif.records import Preference, Record, Response

FEWEST = 20
"""Pairs below which no curve is fitted."""
_BINS = 8


class Point(Record):
    """Pairs of like length ratio: how many, and how often the longer reply was chosen."""

    times_longer: float
    """How many times longer the longer reply is, at the mean of the ratios' logarithms."""
    longer: float
    pairs: int


class Rate(Record):
    """A rate as it is, and as it would be if the two replies were equally long."""

    name: str
    """What it is a rate of."""
    pairs: int
    raw: Interval | None
    equal: Interval | None
    """The logistic curve's rate at a length ratio of 1 (Lee et al. 2023); None for few pairs, or
    where length alone decides."""


class Lengths(Record):
    """Length and the judge's choice."""

    pairs: int
    """Decided labels whose replies differ in length."""
    longer: Interval | None
    """The share of those where the longer reply was chosen."""
    slope: Interval | None
    """Log-odds of being chosen that each doubling of the length ratio adds; 0 is no pull."""
    points: tuple[Point, ...]
    rates: tuple[Rate, ...]


def lengths(preferences: Sequence[Preference], draws: Draws, rates: Sequence[Rate] = ()) -> Lengths:
    """Fit the choice on the logarithm of the length ratio, through even odds at a ratio of 1."""
    prompts = [row.prompt.id for row in preferences]
    ratios = np.array([log_ratio(row.chosen, row.rejected) for row in preferences])
    ratios = np.where([row.p_chosen > 0.5 for row in preferences], ratios, 0.0)
    differ = ratios != 0
    return Lengths(
        pairs=int(differ.sum()),
        longer=draws.interval(np.stack([ratios > 0, differ], axis=1), ratio),
        slope=_slope(ratios[differ], [p for p, kept in zip(prompts, differ, strict=True) if kept]),
        points=tuple(_points(ratios[differ])),
        rates=tuple(rates),
    )


def log_ratio(one: Response, other: Response) -> float:
    """Give log₂ of how many times longer the one reply is, in words; nothing counts as one word."""
    return math.log2(max(length_of(one.text), 1) / max(length_of(other.text), 1))


def rate(
    name: str,
    wins: Sequence[bool],
    ratios: Sequence[float],
    prompts: Sequence[str],
    *,
    rounds: int = 2000,
) -> Rate:
    """Give a rate raw, and where the replies are equally long.

    Args:
        name: what it is a rate of.
        wins: whether each pair counts for it.
        ratios: `log_ratio` of the reply whose win is counted to the other.
        prompts: each pair's prompt, whose pairs are kept together.
        rounds: of the bootstrap behind the raw rate's interval.
    """
    won, one = np.array(wins, dtype=float), np.ones(len(wins))
    slopes = np.array(ratios, dtype=float)
    # Where every reply is as long as the other there is no slope to fit.
    design = np.stack([one, slopes] if slopes.any() else [one], axis=1)
    fitted = _fit(won, design, prompts)
    draws = Draws(prompts, rounds=rounds)
    parts = np.stack([won, one], axis=1)
    return Rate(
        name=name,
        pairs=len(won),
        raw=draws.interval(parts, ratio),
        equal=_with(fitted, sigmoid) if fitted else None,
    )


def _slope(ratios: NDArray[np.float64], prompts: Sequence[str]) -> Interval | None:
    # Which of the two replies is called the first is free: the curve passes through even odds.
    # So that both answers occur, it is the chosen one in every other pair.
    sides = np.where(np.arange(len(ratios)) % 2, -1.0, 1.0)
    return _fit((sides > 0).astype(float), (sides * ratios)[:, None], prompts)


def _fit(
    wins: NDArray[np.float64], design: NDArray[np.float64], prompts: Sequence[str]
) -> Interval | None:
    """Fit a logistic curve; give its first coefficient, its errors clustered by prompt."""
    if len(wins) < FEWEST or len(set(prompts)) < 2 or len(set(wins.tolist())) < 2:
        return None
    names = {name: index for index, name in enumerate(dict.fromkeys(prompts))}
    groups = np.array([names[name] for name in prompts])
    with warnings.catch_warnings(), np.errstate(over="ignore"):
        # Where length alone decides there is no curve: its slope has no bound.
        warnings.simplefilter("error", PerfectSeparationWarning)
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            fitted: Any = Logit(wins, design).fit(
                disp=0, cov_type="cluster", cov_kwds={"groups": groups}
            )
        except (PerfectSeparationWarning, ConvergenceWarning, np.linalg.LinAlgError):
            return None
    low, high = fitted.conf_int()[0]
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    return Interval(value=float(fitted.params[0]), low=float(low), high=float(high))


def _with(interval: Interval, change: Any) -> Interval:
    return Interval(
        value=change(interval.value), low=change(interval.low), high=change(interval.high)
    )


def _points(ratios: NDArray[np.float64]) -> list[Point]:
    """Bin pairs by how many times longer the longer reply is, as many in each."""
    order = np.argsort(np.abs(ratios))
    bins = min(_BINS, len(ratios) // FEWEST)
    return [
        Point(
            times_longer=float(2 ** np.abs(ratios[part]).mean()),
            longer=float((ratios[part] > 0).mean()),
            pairs=len(part),
        )
        for part in (np.array_split(order, bins) if bins else ())
    ]
