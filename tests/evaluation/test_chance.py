"""κ and α are those of the libraries, of published examples, and of a table worked by hand."""

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from rlaif.evaluation.chance import (
    alpha_of,
    cohen_kappa,
    coincidence_rows,
    counts_of,
    kappa_of,
    krippendorff_alpha,
    table_rows,
)
from rlaif.evaluation.intervals import Draws

# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011): four observers,
# twelve units, nominal, values missing; the paper gives 0.743.
PUBLISHED = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
    [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
]
# The same, its binary example: two observers, ten units, binary; the paper gives 0.095.
BINARY = [[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]


def draws(count: int) -> Draws:
    return Draws([str(number) for number in range(count)], rounds=1000)


def test_kappa_by_hand() -> None:
    # 20 + 15 of 50 agree: 0.7. By chance (25·30 + 25·20) / 50² = 0.5. κ = 0.2 / 0.5.
    table = np.array([[20, 5, 10, 15]], dtype=float)
    assert kappa_of(table)[0] == pytest.approx(0.4)
    one = np.repeat([0, 0, 1, 1], [20, 5, 10, 15])
    other = np.repeat([0, 1, 0, 1], [20, 5, 10, 15])
    found = cohen_kappa(one, other, 2, draws(50))
    assert found is not None
    assert found.value == pytest.approx(0.4)
    assert found.low < 0.4 < found.high


def test_alpha_of_the_published_example() -> None:
    codes = [np.array(row) - 1 for row in PUBLISHED]
    found = krippendorff_alpha(counts_of(codes, 5), draws(12))
    assert found is not None
    assert found.value == pytest.approx(0.743, abs=5e-4)
    summed = coincidence_rows(counts_of(codes, 5)).sum(axis=0, keepdims=True)
    assert alpha_of(summed)[0] == pytest.approx(found.value)


def test_alpha_of_the_published_binary_example() -> None:
    found = krippendorff_alpha(counts_of([np.array(row) for row in BINARY], 2), draws(10))
    assert found is not None
    assert found.value == pytest.approx(0.095, abs=5e-4)


codes = st.lists(st.integers(0, 2), min_size=12, max_size=12)


@given(codes, codes)
def test_the_formulas_over_tables_are_the_libraries(one: list[int], other: list[int]) -> None:
    if len({*one, *other}) < 2:
        return
    first, second = np.array(one), np.array(other)
    table = table_rows(first, second, 3).sum(axis=0, keepdims=True)
    kappa = cohen_kappa_score(one, other)
    assert kappa_of(table)[0] == pytest.approx(kappa)
    assert cohens_kappa(table.reshape(3, 3), return_results=False) == pytest.approx(kappa)
    coincidences = coincidence_rows(counts_of([first, second], 3)).sum(axis=0, keepdims=True)
    expected = krippendorff.alpha([one, other], level_of_measurement="nominal")
    assert alpha_of(coincidences)[0] == pytest.approx(expected)


FEW = Draws([str(number) for number in range(12)], rounds=200)


@settings(max_examples=25)
@given(codes, codes, st.permutations([0, 1, 2]))
def test_new_names_for_the_answers_change_neither_figure(
    one: list[int], other: list[int], names: list[int]
) -> None:
    first, second, named = np.array(one), np.array(other), np.array(names)
    for figure in (
        lambda a, b: cohen_kappa(a, b, 3, FEW),
        lambda a, b: krippendorff_alpha(counts_of([a, b], 3), FEW),
    ):
        before, after = figure(first, second), figure(named[first], named[second])
        assert (before is None) == (after is None)
        if before and after:
            assert after.value == pytest.approx(before.value)
            assert (after.low, after.high) == pytest.approx((before.low, before.high))


def test_a_weight_of_two_counts_as_two_rows() -> None:
    one, other = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    weights = np.array([1.0, 2.0, 1.0, 1.0])
    twice = cohen_kappa(one[[0, 1, 1, 2, 3]], other[[0, 1, 1, 2, 3]], 2, draws(5))
    weighted = cohen_kappa(one, other, 2, draws(4), weights)
    assert twice is not None
    assert weighted is not None
    assert weighted.value == pytest.approx(twice.value)


def test_rows_that_one_of_them_says_nothing_of_do_not_count() -> None:
    one, other = np.array([0, 0, 1, 1, -1, 0]), np.array([0, 1, 1, 1, 0, -1])
    with_gaps = cohen_kappa(one, other, 2, draws(6))
    without = cohen_kappa(one[:4], other[:4], 2, draws(4))
    assert with_gaps is not None
    assert without is not None
    assert with_gaps.value == without.value


def test_where_only_one_answer_was_ever_given_neither_figure_is_defined() -> None:
    always = np.zeros(5, dtype=int)
    assert cohen_kappa(always, always, 2, draws(5)) is None
    assert krippendorff_alpha(counts_of([always, always], 2), draws(5)) is None
    assert krippendorff_alpha(counts_of([np.array([0, 1])], 2), draws(2)) is None
