"""Strengths from pairwise verdicts, and how many triads go round in a circle."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.judges.tournament import Game, cycles, game, mean_wins, strengths
from rlaif.records import Verdict

NAMES = "abcde"


def games_of(strength: dict[str, float]) -> list[Game]:
    return [
        Game(one, other, 1 / (1 + math.exp(strength[other] - strength[one])))
        for one, other in itertools.combinations(strength, 2)
    ]


def test_a_verdict_is_a_game_of_its_two_responses(comparison) -> None:
    assert game(comparison, Verdict(p_first=0.7, judge="j")) == ("egg/1", "egg/2", 0.7)


def test_mean_wins_are_averaged_over_the_games_that_were_played() -> None:
    games = [Game("a", "b", 0.9), Game("b", "a", 0.3), Game("a", "c", 0.5)]
    assert mean_wins(games) == pytest.approx({"a": 2.1 / 3, "b": 0.4 / 2, "c": 0.5})
    assert mean_wins([]) == {} == strengths([])


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=5))
def test_strengths_that_made_the_probabilities_are_found_again(values: list[float]) -> None:
    true = dict(zip(NAMES, values, strict=False))
    found = strengths(games_of(true), prior=1e-9)
    mean = sum(true.values()) / len(true)
    assert found == pytest.approx({name: s - mean for name, s in true.items()}, abs=1e-3)


def test_a_clean_sweep_has_a_finite_strength_and_two_hand_computed_ones() -> None:
    # Each pair has 1 + 0.1 games, of which the better wins 1.05: log(1.05 / 0.05) apart.
    found = strengths([Game("a", "b", 1.0)], prior=0.1)
    assert found["a"] - found["b"] == pytest.approx(math.log(21))


def test_responses_that_met_different_opponents_stay_comparable() -> None:
    true = {"a": 2.0, "b": 1.9, "c": 0.0, "d": -3.0}
    neighbours = ({"a", "b"}, {"b", "c"}, {"c", "d"})
    met = [one for one in games_of(true) if {one.first, one.second} in neighbours]
    assert mean_wins(met)["c"] > mean_wins(met)["a"]  # c has met somebody weak
    found = strengths(met, prior=1e-6)
    assert sorted(found, key=lambda name: -found[name]) == ["a", "b", "c", "d"]


def test_a_circle_is_counted_and_an_order_is_not() -> None:
    circle = [Game("a", "b", 0.9), Game("b", "c", 0.9), Game("a", "c", 0.2)]
    assert cycles(circle) == (1, 1)
    assert cycles([*circle[:2], Game("a", "c", 0.8)]) == (0, 1)
    # Averaged over both games of a and c, a is ahead.
    assert cycles([*circle, Game("c", "a", 0.1)]) == (0, 1)


def test_drawn_and_missing_games_make_no_triad() -> None:
    assert cycles([Game("a", "b", 0.9), Game("b", "c", 0.9), Game("a", "c", 0.5)]) == (0, 0)
    assert cycles([Game("a", "b", 0.9), Game("b", "c", 0.9)]) == (0, 0)
    assert cycles([]) == (0, 0)


@given(st.lists(st.sampled_from([0.1, 0.9]), min_size=10, max_size=10))
def test_cyclic_triads_are_as_many_as_kendalls_formula_says(ps: list[float]) -> None:
    pairs = itertools.combinations(NAMES, 2)
    games = [Game(one, other, p) for (one, other), p in zip(pairs, ps, strict=True)]
    won = dict.fromkeys(NAMES, 0)
    for one, other, p in games:
        won[one if p > 0.5 else other] += 1
    # Kendall and Babington Smith 1940: C(n, 3) − Σ C(wins, 2)
    assert cycles(games) == (10 - sum(math.comb(w, 2) for w in won.values()), 10)
