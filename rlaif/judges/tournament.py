"""From pairwise verdicts to a score for each response: pure functions on games."""

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import choix
import numpy as np

from rlaif.records import Comparison, Verdict

_PRIOR = 0.1  # games that each pair is given as drawn, so that a clean sweep has a finite strength


class Game(NamedTuple):
    """Two responses, by id, and the probability that the first is better."""

    first: str
    second: str
    p_first: float


class Cycles(NamedTuple):
    """Triads of responses that all met and none of whose games was drawn."""

    cyclic: int
    """Those in which each response beats one of the others."""
    triads: int


def game(comparison: Comparison, verdict: Verdict) -> Game:
    """Make a verdict a game."""
    return Game(comparison.first.id, comparison.second.id, verdict.p_first)


def mean_wins(games: Iterable[Game]) -> dict[str, float]:
    """Give each response its mean win probability, in [0, 1].

    >>> mean_wins([Game("a", "b", 0.75), Game("a", "c", 0.25)])
    {'a': 0.5, 'b': 0.25, 'c': 0.75}
    """
    won: dict[str, list[float]] = {}
    for first, second, p in games:
        won.setdefault(first, []).append(p)
        won.setdefault(second, []).append(1 - p)
    return {name: math.fsum(ps) / len(ps) for name, ps in won.items()}


def strengths(games: Sequence[Game], *, prior: float = _PRIOR) -> dict[str, float]:
    """Fit Bradley–Terry strengths: p(i beats j) = σ(s_i − s_j), in log-odds, 0 on average.

    The maximum likelihood of soft wins, with `prior` drawn games added to each pair. Unlike mean
    wins they stay comparable where responses have met different opponents.
    """
    places = {name: place for place, name in enumerate(mean_wins(games))}
    if not places:
        return {}
    wins = np.full((len(places), len(places)), prior / 2)
    for first, second, p in games:
        wins[places[first], places[second]] += p
        wins[places[second], places[first]] += 1 - p
    np.fill_diagonal(wins, 0.0)
    fitted = choix.ilsr_pairwise_dense(wins, max_iter=10_000)
    fitted -= fitted.mean()
    return {name: float(fitted[place]) for name, place in places.items()}


def cycles(games: Iterable[Game]) -> Cycles:
    """Count cyclic triads: a beats b, b beats c, c beats a.

    Several games of one pair are averaged first.

    >>> cycles([Game("a", "b", 0.9), Game("b", "c", 0.9), Game("c", "a", 0.6)])
    Cycles(cyclic=1, triads=1)
    """
    beats: dict[str, set[str]] = {}
    for (one, other), ps in _by_pair(games).items():
        p = math.fsum(ps) / len(ps)
        if p != 0.5:
            better, worse = (one, other) if p > 0.5 else (other, one)
            beats.setdefault(better, set()).add(worse)
            beats.setdefault(worse, set())
    cyclic = triads = 0
    for trio in itertools.combinations(sorted(beats), 3):
        wins = [len(beats[name] & set(trio)) for name in trio]
        triads += sum(wins) == 3
        cyclic += wins == [1, 1, 1]
    return Cycles(cyclic, triads)


def _by_pair(games: Iterable[Game]) -> dict[tuple[str, str], list[float]]:
    met: dict[tuple[str, str], list[float]] = {}
    for first, second, p in games:
        pair, won = ((first, second), p) if first < second else ((second, first), 1 - p)
        met.setdefault(pair, []).append(won)
    return met
