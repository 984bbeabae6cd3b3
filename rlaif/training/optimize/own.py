"""What REINFORCE and PPO share: TRL's GRPO trainer, with advantages of our own and a critic."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import trl

from rlaif.training.optimize.critic import HEAD, add_value_head
from rlaif.training.optimize.rollouts import GRPOTrainer


@dataclass
class OwnConfig(trl.GRPOConfig):  # type: ignore[misc]
    """TRL's options, which here may draw a single answer to a prompt."""

    def __post_init__(self) -> None:
        """Take one answer a prompt, which TRL refuses, since it compares them."""
        drawn: int = self.num_generations  # type: ignore[has-type]
        if drawn == 1:
            # All that one process draws divides what all of them draw; only that is looked at here.
            passes = self.steps_per_generation or self.gradient_accumulation_steps
            at_once = self.generation_batch_size or self.per_device_train_batch_size * passes
            self.num_generations = max(2, at_once)
        super().__post_init__()
        self.num_generations = drawn


class OwnAdvantages(GRPOTrainer):
    """A policy that learns from advantages of our own; None of them comes from a group."""

    beta: float
    critic_rate: float | None = None

    def add_critic(self, rate: float | None) -> None:
        """Put a critic on the policy, with a learning rate of its own if given."""
        self.head = add_value_head(self.model)
        self.critic_rate = rate
        if engine := getattr(self, "vllm_generation", None):
            _send_no_head(engine)

    def create_optimizer(self, *args: Any) -> Any:
        """Make TRL's optimizer; the critic's weights are in a group of their own."""
        optimizer = super().create_optimizer(*args)
        if self.head is None or self.critic_rate is None:
            return optimizer
        own = [w for name, w in self.model.named_parameters() if f"{HEAD}." in name]
        ids = {id(weight) for weight in own}
        for group in self.optimizer.param_groups:
            group["params"] = [w for w in group["params"] if id(w) not in ids]
        self.optimizer.add_param_group({"params": own, "lr": self.critic_rate, "weight_decay": 0.0})
        return optimizer

    def _calculate_rewards(self, *given: Any) -> torch.Tensor:
        found: torch.Tensor = super()._calculate_rewards(*given)
        count = len(given[1])
        first = self.accelerator.process_index * count
        # One column: parts are mixed before TRL sees them. NaN is an abstention.
        self._rewards = found[first : first + count, 0].clone()
        return found

    def _read(self, model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, ...]:
        """Give log-probabilities, entropies and the mask of the answers' tokens, and aux loss."""
        ids = torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], dim=1)
        seen = torch.cat([inputs["prompt_mask"], inputs["completion_mask"]], dim=1)
        tokens = inputs["completion_ids"].size(1)
        if self.head is not None:
            self.head.said = []
        logps, entropies, aux = self._get_per_token_logps_and_entropies(
            model,
            ids,
            seen,
            tokens,
            compute_entropy=True,
            compute_aux_loss=self.aux_loss_enabled,
        )
        return logps, entropies, inputs["completion_mask"], aux


def _send_no_head(engine: Any) -> None:
    """Keep the critic from vLLM, which is sent the policy's weights and knows no critic."""
    named = engine._iter_named_params

    def of_the_policy() -> Iterator[tuple[str, torch.Tensor]]:
        return (each for each in named() if not each[0].startswith(f"{HEAD}."))

    engine._iter_named_params = of_the_policy
