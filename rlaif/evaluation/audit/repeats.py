"""Whether a judge says the same when it is asked again."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from rlaif.evaluation.chance import cohen_kappa
from rlaif.evaluation.intervals import Draws, Interval, ratio
from rlaif.records import Preference, Record, Verdict

_REPEAT = re.compile(r"repeat \d+/p_(first|second)")


class Stability(Record):
    """The same pairs, asked more than once."""

    pairs: int
    """Labels in both runs, or verdicts that were repeated."""
    same: Interval | None
    """How often two answers to one question named the same reply; ties are answers."""
    kappa: Interval | None
    """Cohen's κ of two label runs; none for repeats within one run."""
    moved: Interval | None
    """The mean distance of two answers' probabilities."""


def between_runs(
    preferences: Iterable[Preference], again: Mapping[str, Preference], *, rounds: int = 2000
) -> Stability | None:
    """Compare two runs' labels of the same pairs; None where they share none."""
    both = [(row, again[row.id]) for row in preferences if row.id in again]
    if not both:
        return None
    draws = Draws([row.prompt.id for row, _ in both], rounds=rounds)
    # Which reply is called the first must not depend on what was chosen.
    firsts = [_p_of(row, min(row.chosen.text, row.rejected.text)) for row, _ in both]
    seconds = [_p_of(other, min(row.chosen.text, row.rejected.text)) for row, other in both]
    one, other = np.array([np.sign(np.array(p) - 0.5) for p in (firsts, seconds)])
    moved = np.abs(np.array(firsts) - np.array(seconds))
    unit = np.ones(len(both))
    return Stability(
        pairs=len(both),
        same=draws.interval(np.stack([one == other, unit], axis=1), ratio),
        kappa=cohen_kappa(_codes(one), _codes(other), 3, draws),
        moved=draws.interval(np.stack([moved, unit], axis=1), ratio),
    )


def within_run(preferences: Sequence[Preference], draws: Draws) -> Stability | None:
    """Compare the repeats that verdicts keep in their evidence; None where none was repeated.

    Args:
        preferences: the labels.
        draws: of the labels' prompts.
    """
    rows, repeated = [], 0
    for preference in preferences:
        said = [p for verdict in preference.verdicts if len(p := _repeats(verdict)) > 1]
        repeated += len(said)
        rows.append(np.sum([_pairs(p) for p in said], axis=0) if said else np.zeros(3))
    if not repeated:
        return None
    counted = np.array(rows)
    return Stability(
        pairs=repeated,
        same=draws.interval(counted[:, [0, 2]], ratio),
        kappa=None,
        moved=draws.interval(counted[:, [1, 2]], ratio),
    )


def _repeats(verdict: Verdict) -> list[float]:
    """Give each repeat's probability of one and the same reply."""
    found = [(_REPEAT.fullmatch(name), p) for name, p in verdict.evidence.items()]
    return [p if match[1] == "first" else 1 - p for match, p in found if match]


def _pairs(said: Sequence[float]) -> tuple[float, float, float]:
    """Count, over all pairs of a verdict's repeats, how many are alike and how far they lie apart.

    Each verdict counts as one, however often it was repeated.
    """
    pairs = list(combinations(said, 2))
    alike = sum(np.sign(one - 0.5) == np.sign(other - 0.5) for one, other in pairs)
    return alike / len(pairs), sum(abs(a - b) for a, b in pairs) / len(pairs), 1.0


def _p_of(preference: Preference, text: str) -> float:
    return preference.p_chosen if preference.chosen.text == text else 1 - preference.p_chosen


def _codes(signs: np.ndarray) -> np.ndarray:
    return signs.astype(int) + 1
