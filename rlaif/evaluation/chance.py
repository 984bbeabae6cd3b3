"""Agreement beyond chance: Cohen's κ and Krippendorff's α, each with an interval by prompt.

The figures come from scikit-learn and krippendorff. Their intervals need them for thousands of
draws at once, for which both are written here as functions of summed tables.
"""

from collections.abc import Sequence

import krippendorff
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score

from rlaif.evaluation.intervals import Draws, Figures, Interval

Codes = NDArray[np.int_]
"""What somebody said of each row, as numbers from 0; -1 where nothing was said."""


def kappa_of(tables: Figures) -> Figures:
    """Give Cohen's κ = (observed − expected) / (1 − expected) of each table (Cohen 1960).

    Args:
        tables: of shape (draws, k²): how often the one said i and the other j; NaN where both
            always said the same one thing.
    """
    table = _square(tables)
    shares = table / table.sum(axis=(1, 2), keepdims=True)
    observed = np.trace(shares, axis1=1, axis2=2)
    expected = (shares.sum(axis=2) * shares.sum(axis=1)).sum(axis=1)
    return np.asarray((observed - expected) / (1 - expected))


def alpha_of(tables: Figures) -> Figures:
    """Give Krippendorff's nominal α of each coincidence matrix (Krippendorff 2011).

    Args:
        tables: of shape (draws, k²): coincidences within units, symmetric.
    """
    table = _square(tables)
    of_value = table.sum(axis=2)
    total = of_value.sum(axis=1)
    apart = total - np.trace(table, axis1=1, axis2=2)
    chances = total**2 - (of_value**2).sum(axis=1)
    return np.asarray(1 - (total - 1) * apart / chances)


def _square(tables: Figures) -> Figures:
    kinds = round(tables.shape[1] ** 0.5)
    return tables.reshape(-1, kinds, kinds)


def table_rows(one: Codes, other: Codes, kinds: int, weights: Figures | None = None) -> Figures:
    """Give each row's entry in the table of two judges, of shape (rows, k²); unsaid adds nothing.

    >>> table_rows(np.array([0, -1]), np.array([1, 0]), 2).tolist()
    [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    """
    both = np.flatnonzero((one >= 0) & (other >= 0))
    rows = np.zeros((len(one), kinds * kinds))
    rows[both, one[both] * kinds + other[both]] = 1.0 if weights is None else weights[both]
    return rows


def coincidence_rows(counts: Figures) -> Figures:
    """Give each unit's part of the coincidence matrix, of shape (units, k²).

    Args:
        counts: how many raters said each of the k values of each unit, of shape (units, k).
    """
    raters = counts.sum(axis=1)
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(counts.shape[1])
    scale = np.where(raters >= 2, 1 / np.maximum(raters - 1, 1), 0.0)
    return np.asarray((pairs * scale[:, None, None]).reshape(len(counts), -1))


def counts_of(said: Sequence[Codes], kinds: int) -> Figures:
    """Count how many of several judges said each value of each row, of shape (rows, k)."""
    each = [(codes[:, None] == np.arange(kinds)) for codes in said]
    return np.asarray(np.sum(each, axis=0, dtype=np.float64))


def cohen_kappa(
    one: Codes, other: Codes, kinds: int, draws: Draws, weights: Figures | None = None
) -> Interval | None:
    """Give Cohen's κ of two judges, on the rows of which both said something."""
    both = (one >= 0) & (other >= 0)
    if not _differ(one[both], other[both]):
        return None
    value = cohen_kappa_score(
        one[both], other[both], sample_weight=None if weights is None else weights[both]
    )
    return draws.interval(table_rows(one, other, kinds, weights), kappa_of, value=float(value))


def krippendorff_alpha(counts: Figures, draws: Draws) -> Interval | None:
    """Give Krippendorff's nominal α of any number of raters, with values missing.

    Args:
        counts: how many raters said each value of each unit, of shape (units, values).
        draws: of the units' prompts.
    """
    paired = counts * (counts.sum(axis=1, keepdims=True) >= 2)
    if (paired.sum(axis=0) > 0).sum() < 2:
        return None
    value = krippendorff.alpha(value_counts=paired, level_of_measurement="nominal")
    return draws.interval(coincidence_rows(paired), alpha_of, value=float(value))


def _differ(one: Codes, other: Codes) -> bool:
    # With one value alone on both sides, chance agreement is whole and both figures are 0/0.
    return len(set(one.tolist()) | set(other.tolist())) > 1
