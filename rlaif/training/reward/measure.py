"""How often a reward model agrees with labels that it never saw."""

import math
from collections.abc import Sequence

from datasets import Dataset

from rlaif.training.reward.model import RewardModel
from rlaif.training.reward.rows import Pair


def measure(reward: RewardModel, answers: Dataset, pairs: Sequence[Pair]) -> dict[str, float]:
    """Say how often the better answer of a held-out pair scores higher, with a 95 % interval.

    Of a model that reads principles, beside all pairs those of each: `accuracy/ID`.
    """
    # A tie has no right side.
    decided = [pair for pair in pairs if pair.p != 0.5]
    if not decided:
        return {"n_held_out": 0.0}
    rows = sorted({row for pair in decided for row in (pair.first, pair.second)})
    scores = dict(zip(rows, reward.scores(answers[rows]["ids"]), strict=True))
    right = [_right(scores[pair.first] - scores[pair.second], pair.p) for pair in decided]
    found = _figures(right, "")
    for principle in dict.fromkeys(pair.principle for pair in decided):
        if principle is not None:
            own = [r for r, pair in zip(right, decided, strict=True) if pair.principle == principle]
            found |= _figures(own, f"/{principle}")
    return found


def _figures(right: Sequence[float], of: str) -> dict[str, float]:
    share = sum(right) / len(right)
    low, high = wilson(sum(right), len(right))
    return {
        f"accuracy{of}": share,
        f"accuracy_low{of}": low,
        f"accuracy_high{of}": high,
        f"n_held_out{of}": float(len(right)),
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
