"""Figures of a judge that are fitted on what people said: a pair's temperature, rules' weights."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize, minimize_scalar

from rlaif.errors import InputError

_COOLEST, _HOTTEST = 0.01, 1000.0
_MOST_STARTS, _GAP = 50, 1e-8
Floats = NDArray[np.float64]


def fit_pair_temperature(differences: ArrayLike, probabilities: ArrayLike) -> float:
    """Fit τ in p = σ(d/τ) by maximum likelihood on labelled pairs.

    Guo et al., "On Calibration of Modern Neural Networks" (2017), for a pair. A judge that is no
    better than chance gets the highest temperature there is, and never a negative one.

    Args:
        differences: d, each pair's log-odds, or score, of the first reply less the second's.
        probabilities: the probability, or the label 0 or 1, that the first reply is better.

    Raises:
        InputError: where there is no pair, or every difference is 0.
    """
    d, p = np.asarray(differences, float), np.asarray(probabilities, float)
    if not np.any(d):
        raise InputError("a pair's temperature needs pairs of which the judge prefers one reply")

    def loss(log_temperature: float) -> float:
        return cross_entropy(d, p, float(np.exp(log_temperature)))

    bounds = (np.log(_COOLEST), np.log(_HOTTEST))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return round(float(np.exp(found.x)), 4)


def cross_entropy(
    differences: ArrayLike, probabilities: ArrayLike, temperature: float = 1.0
) -> float:
    """Give the mean −[p·log σ(d/τ) + (1−p)·log σ(−d/τ)], in nats.

    >>> round(cross_entropy([0.0], [1.0]), 4)
    0.6931
    """
    odds = np.asarray(differences, float) / temperature
    p = np.asarray(probabilities, float)
    return float(np.mean(p * np.logaddexp(0, -odds) + (1 - p) * np.logaddexp(0, odds)))


class Ranked(NamedTuple):
    """Completions of one prompt, with what a reward model and the rules say of each."""

    features: Sequence[Sequence[float]]
    """Of each completion, each proposition's probability, times its sign."""
    rank: Sequence[float]
    """Of each completion, its place: the lowest is the best; equal places are not compared."""
    base: Sequence[float] | None = None
    """Of each completion, a reward model's score that the rules are added to."""


def fit_weights(rankings: Sequence[Ranked], *, decay: float = 0.01) -> list[float]:
    """Fit w ≥ 0 in r = r_base + Σ w·φ by the hinge loss on ranked completions (Mu et al. 2024).

    Minimises the mean of max(0, 1 − (r_better − r_worse)) over every pair of completions of one
    prompt with different places, plus decay/2·‖w‖². The signs are a person's and stay; what
    rankings speak against gets 0.

    Solved in its dual, which is smooth: w = max(0, Σ a·(φ_better − φ_worse)), 0 ≤ a ≤ 1/(decay·n).

    Raises:
        InputError: where no two completions of a prompt have different places.
    """
    if decay <= 0:
        raise InputError("decay must be above 0, or the weights have no smallest solution")
    d, lead = differences(rankings)
    highest = 1 / (decay * len(d))

    def negative_dual(a: Floats) -> tuple[float, Floats]:
        w = np.maximum(0.0, a @ d)
        return float(0.5 * w @ w - a @ (1 - lead)), d @ w - (1 - lead)

    a, w = np.zeros(len(d)), np.zeros(d.shape[1])
    # L-BFGS-B can stop short on a history that misleads it; begun again from there it goes on.
    # The gap between primal and dual, which only the solution closes, says when it is done.
    for _ in range(_MOST_STARTS):
        found = minimize(
            negative_dual,
            a,
            jac=True,
            bounds=[(0.0, highest)] * len(d),
            method="L-BFGS-B",
            options={"maxiter": 10_000, "maxfun": 100_000, "ftol": 0.0, "gtol": 1e-9},
        )
        a, w = found.x, np.maximum(0.0, found.x @ d)
        primal = np.maximum(0.0, 1 - lead - d @ w).mean() + decay / 2 * w @ w
        if primal + decay * found.fun <= _GAP:
            break
    return [float(weight) for weight in w]


def differences(rankings: Sequence[Ranked]) -> tuple[Floats, Floats]:
    """Give, for each pair of completions, better less worse: the features' and the base's.

    Raises:
        InputError: where no two completions of a prompt have different places.
    """
    rows: list[Floats] = []
    leads: list[float] = []
    for ranked in rankings:
        features = np.asarray(ranked.features, float)
        base = ranked.base if ranked.base is not None else [0.0] * len(ranked.rank)
        for i, better in enumerate(ranked.rank):
            for j, worse in enumerate(ranked.rank):
                if better < worse:
                    rows.append(features[i] - features[j])
                    leads.append(base[i] - base[j])
    if not rows:
        raise InputError("weights need two completions of a prompt of which one is the better")
    return np.stack(rows), np.asarray(leads)
