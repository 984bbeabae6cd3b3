"""How often a reward model agrees with labels that it never saw."""

import math
from collections.abc import Sequence

from datasets import Dataset

from rlaif.training.reward.model import RewardModel
from rlaif.training.reward.rows import Pair


def measure(reward: RewardModel, answers: Dataset, pairs: Sequence[Pair]) -> dict[str, float]:
    """Say how often the better answer of a held-out pair scores higher, with a 95 % interval."""
    # A tie has no right side.
    decided = [pair for pair in pairs if pair.p != 0.5]
    if not decided:
        return {"n_held_out": 0.0}
    rows = sorted({row for pair in decided for row in (pair.first, pair.second)})
    scores = dict(zip(rows, reward.scores(answers[rows]["ids"]), strict=True))
    right = sum(_right(scores[pair.first] - scores[pair.second], pair.p) for pair in decided)
    low, high = wilson(right, len(decided))
    return {
        "accuracy": right / len(decided),
        "accuracy_low": low,
        "accuracy_high": high,
        "n_held_out": float(len(decided)),
    }


def _right(lead: float, p: float) -> float:
    return 0.5 if lead == 0 else float((lead > 0) == (p > 0.5))


def wilson(right: float, n: int) -> tuple[float, float]:
    """Give Wilson's 95 % interval of a share.

    >>> [round(bound, 3) for bound in wilson(8, 10)]
    [0.49, 0.943]
    """
    z = 1.959964
    share, spread = right / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return middle - half, middle + half
