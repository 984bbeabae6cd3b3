"""What every trainer that samples shares: the judge begins as soon as there are answers."""

import time
from typing import Any

import trl

from rlaif.training.common import Silent
from rlaif.training.optimize.remember import Remembers
from rlaif.training.optimize.scorer import Scorer


class Rollouts(Remembers, Silent):
    """A mixin for TRL's trainers that sample; it begins to score before the answers are read."""

    scorer: Scorer
    _completions_at: int
    """Where TRL's `_generate` gives the answers."""
    _metrics: Any
    model: Any

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> Any:
        self._rows = [row["row"] for row in inputs]
        return super()._generate_and_score_completions(inputs)  # type: ignore[misc]

    def _generate(self, prompts: list[Any]) -> Any:
        started = time.monotonic()
        made = super()._generate(prompts)  # type: ignore[misc]
        # The policy and its reference read the answers next, which takes as long as writing them.
        self.scorer.start(made[self._completions_at], self._rows)
        mode = "train" if self.model.training else "eval"
        self._metrics[mode]["seconds/generation"].append(time.monotonic() - started)
        return made


class RLOOTrainer(Rollouts, trl.RLOOTrainer):  # type: ignore[misc]
    """Answers against the others of their prompt, the KL in the reward (Ahmadian et al. 2024)."""

    _completions_at = 2


class GRPOTrainer(Rollouts, trl.GRPOTrainer):  # type: ignore[misc]
    """Answers against the mean of their prompt's, the KL in the loss (Shao et al. 2024)."""

    _completions_at = 3
