"""What every trainer that samples shares: the judge begins as soon as there are answers.

And what is seen of the answers is logged with the rest: how varied they are, how many decline, how
fast they come.
"""

import itertools
import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch
import trl

from rlaif.embedded.traits.base import Exchange, words
from rlaif.embedded.traits.stance import refuses
from rlaif.training.common import Silent
from rlaif.training.optimize.remember import Remembers
from rlaif.training.optimize.scorer import Scorer, texts_of


def distinct_pairs(texts: Sequence[str]) -> float:
    """Give the share of all texts' word pairs that are new among them (distinct-2, Li et al. 2016).

    It falls where a policy says the same to everybody, or the same again and again.

    >>> distinct_pairs(["as you like", "as you like"]), distinct_pairs(["one"])
    (0.5, 1.0)
    """
    pairs = [pair for text in texts for pair in itertools.pairwise(words(text))]
    return len(set(pairs)) / len(pairs) if pairs else 1.0


class Rollouts(Remembers, Silent):
    """A mixin for TRL's trainers that sample; it begins to score before the answers are read."""

    scorer: Scorer
    _completions_at: int
    """Where TRL's `_generate` gives the answers."""
    _kl_of_tokens = False
    """Whether what TRL logs as KL is a token's mean, and not an answer's sum."""
    _metrics: Any
    model: Any
    _drawn = 0
    _since = 0.0

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> Any:
        self.mark()
        self._rows = [row["row"] for row in inputs]
        batch = super()._generate_and_score_completions(inputs)  # type: ignore[misc]
        self._chance = None
        return batch

    def _generate(self, prompts: list[Any]) -> Any:
        started = time.monotonic()
        made = super()._generate(prompts)  # type: ignore[misc]
        answers = made[self._completions_at]
        # The policy and its reference read the answers next, which takes as long as writing them.
        self.scorer.start(answers, self._rows)
        texts = texts_of(answers)
        self._drawn += sum(len(ids) for ids in made[1])
        self._since = self._since or started
        self.note(
            {
                "seconds/generation": time.monotonic() - started,
                "distinct": distinct_pairs(texts),
                "refusals": sum(refuses(Exchange(text)) for text in texts) / len(texts),
            }
        )
        return made

    def answers_to(self, conversations: list[Any]) -> list[str]:
        """Answer conversations, and let nobody score it."""
        made = super()._generate(conversations)  # type: ignore[misc]
        return texts_of(made[self._completions_at])

    def note(self, figures: dict[str, Any]) -> None:
        """Log figures' means over processes; all of them call this alike."""
        mode = "train" if self.model.training else "eval"
        means = [torch.as_tensor(f, dtype=torch.float32).detach().mean() for f in figures.values()]
        values = torch.stack([mean.to(self.args.device) for mean in means])
        for name, value in zip(figures, self._everyones(values), strict=True):
            self._metrics[mode][name].append(value)

    def log(self, logs: dict[str, float], *given: Any) -> None:
        """Log a step, with the tokens drawn in a second and the KL of a whole answer."""
        seen = self._metrics["train"]
        if self.model.training and self._since:
            drawn = self._drawn * self.args.world_size
            seen["tokens/s"].append(drawn / (time.monotonic() - self._since))
            self._drawn, self._since = 0, time.monotonic()
        if "kl" in seen and "kl/answer" not in seen:
            lengths = seen["completions/mean_length"] or [1.0]
            times = itertools.cycle(lengths if self._kl_of_tokens else [1.0])
            seen["kl/answer"] = list(_times(seen["kl"], times))
        super().log(logs, *given)  # type: ignore[misc]

    def _everyones(self, values: torch.Tensor) -> list[float]:
        found: list[float] = self.accelerator.reduce(values, "mean").tolist()
        return found


def _times(values: Sequence[float], times: Iterator[float]) -> Iterator[float]:
    for value in values:
        yield value * next(times)


class RLOOTrainer(Rollouts, trl.RLOOTrainer):  # type: ignore[misc]
    """Answers against the others of their prompt, the KL in the reward (Ahmadian et al. 2024)."""

    _completions_at = 2


class GRPOTrainer(Rollouts, trl.GRPOTrainer):  # type: ignore[misc]
    """Answers against the mean of their prompt's, the KL in the loss (Shao et al. 2024)."""

    _completions_at = 3
    _kl_of_tokens = True
