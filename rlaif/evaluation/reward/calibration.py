"""Whether σ(Δr) is the label's probability: how sure the model is beside how sure it may be."""

from collections.abc import Sequence

import numpy as np

from rlaif.evaluation.audit.calibration import Reliability, calibrated
from rlaif.evaluation.reward.scored import Pair, margins, prompts


def calibration(pairs: Sequence[Pair], *, rounds: int = 2000) -> Reliability:
    """Hold σ(|Δr|), what the model says of the reply that it prefers, against the label's p of it.

    Told from the preferred reply's side, since from the chosen one's every hard label is 1 and
    any model that is sure would seem calibrated. The Brier score is the same from either side.
    """
    gaps = margins(pairs)
    p = np.array([pair.preference.p_chosen for pair in pairs])
    # Equal rewards prefer neither: the mean of the two sides is even.
    target = np.where(gaps > 0, p, np.where(gaps < 0, 1 - p, 0.5))
    said = 1 / (1 + np.exp(-np.abs(gaps)))
    square = np.where(gaps == 0, (0.5 - p) ** 2, (said - target) ** 2)
    return calibrated(said, target, prompts(pairs), square=square, rounds=rounds)
