"""What a reward is compared with, where nothing is learned for it: the mean of earlier ones."""

import torch
from accelerate.utils import gather

_KEPT = 0.9
"""How much of the mean is left after a step."""


class RunningMean:
    """The mean of the rewards of earlier steps, the newer ones counting more.

    A step's own rewards are not in it, since a baseline that depends on an answer would bend the
    gradient. At the first step an answer's is the mean of the others'.
    """

    def __init__(self) -> None:
        """Know of no reward yet."""
        self._sum = self._weight = 0.0

    def of(self, rewards: torch.Tensor) -> torch.Tensor:
        """Give each answer's baseline, then take its rewards in; NaN is no reward. (answers,)."""
        everyone = gather(rewards)
        known = everyone[~everyone.isnan()]
        if self._weight:
            found = torch.full_like(rewards, self._sum / self._weight)
        else:
            others = len(known) - 1
            found = (known.sum() - rewards) / max(1, others) * (others > 0)
        if len(known):
            self._sum = _KEPT * self._sum + (1 - _KEPT) * known.mean().item()
            self._weight = _KEPT * self._weight + (1 - _KEPT)
        return found

    def state(self) -> dict[str, float]:
        """Give what a checkpoint keeps."""
        return {"sum": self._sum, "weight": self._weight}

    def restore(self, state: dict[str, float]) -> None:
        """Go on from what a checkpoint kept."""
        self._sum, self._weight = state["sum"], state["weight"]
