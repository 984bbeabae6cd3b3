import itertools

import numpy as np
import pytest
from scipy.stats import binomtest

from rlaif.evaluation.intervals import Draws, bootstrap, ratio, wilson


@pytest.mark.parametrize(("hits", "count"), [(0, 7), (3, 10), (64, 64), (41, 120)])
def test_wilson_agrees_with_scipy(hits: int, count: int) -> None:
    interval = wilson(hits / count, count)
    expected = binomtest(hits, count).proportion_ci(method="wilson")
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_wilson_by_hand() -> None:
    # p = 1/2, n = 4, z² = 3.8416: centre 1/2, half-width z·sqrt(n/4 + z²/4) / (n + z²).
    assert wilson(0.5, 4).high == pytest.approx(0.5 + 1.96 * (1 + 0.9604) ** 0.5 / 7.8416, abs=1e-4)


def test_the_bootstrap_of_two_prompts_is_that_of_its_four_equally_likely_draws() -> None:
    # Means of the draws aa, ab, ba, bb: 0, 1/2, 1/2, 1.
    interval = bootstrap([0.0, 1.0], ["a", "b"], rounds=2000)
    assert (interval.value, interval.low, interval.high) == (0.5, 0.0, 1.0)


def test_a_prompts_replies_are_drawn_together() -> None:
    # Ten replies to each of two prompts are no more evidence than one to each.
    values, clusters = [0.0] * 10 + [1.0] * 10, ["a"] * 10 + ["b"] * 10
    together = bootstrap(values, clusters)
    apart = bootstrap(values, [str(number) for number in range(20)])
    assert (together.low, together.high) == (0.0, 1.0)
    assert 0.2 < apart.low < apart.high < 0.8


def test_unequal_prompts_are_weighed_by_their_replies() -> None:
    # Draws aa, ab, ba, bb of a: 3 replies of 1, b: 1 reply of 0 give 1, 3/4, 3/4, 0.
    interval = bootstrap([1, 1, 1, 0], ["a", "a", "a", "b"])
    assert (interval.value, interval.low, interval.high) == (0.75, 0.0, 1.0)


def test_the_bootstrap_finds_the_percentiles_of_all_draws() -> None:
    values = [0.0, 0.0, 1.0, 3.0]
    means = [np.mean(draw) for draw in itertools.product(values, repeat=4)]
    low, high = np.percentile(means, (2.5, 97.5))
    interval = bootstrap(values, list("abcd"), rounds=20_000)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.26)


def test_the_same_seed_draws_the_same() -> None:
    values, clusters = [0.1, 0.9, 0.4, 0.3], list("abcd")
    assert bootstrap(values, clusters, seed=3) == bootstrap(values, clusters, seed=3)
    assert bootstrap(values, clusters, seed=3) != bootstrap(values, clusters, seed=4)


def test_nothing_has_no_interval() -> None:
    with pytest.raises(ValueError, match="mean of nothing"):
        bootstrap([], [])
    with pytest.raises(ValueError, match="share of nothing"):
        wilson(0.0, 0)


def test_clear_of_zero_means_that_zero_lies_outside() -> None:
    assert bootstrap([1.0, 1.0], ["a", "b"]).is_clear_of_zero
    assert not bootstrap([1.0, -1.0], ["a", "b"]).is_clear_of_zero


def test_draws_find_the_mean_and_the_interval_that_the_bootstrap_finds() -> None:
    values, clusters = [1.0, 1.0, 1.0, 0.0, 0.5], list("aaabc")
    plain = bootstrap(values, clusters, rounds=4000)
    found = Draws(clusters, rounds=4000).interval([[v, 1.0] for v in values], ratio)
    assert found is not None
    assert found.value == plain.value
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=0.02)


def test_two_figures_of_the_same_draws_are_paired() -> None:
    # The one is always 0.1 above the other, so no draw gives another difference.
    draws = Draws([str(number) for number in range(20)], rounds=1000)
    values = np.random.default_rng(0).random(20)
    one = draws.interval(np.stack([values, np.ones(20)], axis=1), ratio)
    other = draws.interval(np.stack([values + 0.1, np.ones(20)], axis=1), ratio)
    assert one is not None
    assert other is not None
    assert (other.low - one.low, other.high - one.high) == pytest.approx((0.1, 0.1))


def test_a_figure_that_is_not_defined_has_no_interval() -> None:
    draws = Draws(["a", "b"], rounds=1000)
    assert draws.interval([[0.0, 0.0], [0.0, 0.0]], ratio) is None
    assert Draws([], rounds=1000).interval(np.zeros((0, 2)), ratio) is None


def test_draws_in_which_a_figure_is_not_defined_are_left_out() -> None:
    # Half of the draws of two prompts hold "b" alone or not at all; "b" has no pair that counts.
    found = Draws(["a", "b"], rounds=1000).interval([[1.0, 1.0], [0.0, 0.0]], ratio)
    assert found is not None
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)
