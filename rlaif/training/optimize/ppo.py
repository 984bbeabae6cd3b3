"""PPO (Schulman et al. 2017): clipped steps, and a critic that says what each token earns.

TRL's clipped ratio over advantages by token; the critic sits in the policy's own forward.
"""

from typing import Any

import torch

from rlaif.training.methods import PPO, Critic
from rlaif.training.optimize.gae import advantages_of, token_rewards, whitened
from rlaif.training.optimize.own import OwnAdvantages


class PPOTrainer(OwnAdvantages):
    """Learns from generalised advantages, the KL in each token's reward."""

    how: PPO = PPO()
    critic: Critic = Critic()

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> Any:
        batch = super()._generate_and_score_completions(inputs)
        scored, mask = ~self._rewards.isnan(), batch["completion_mask"]
        logps, values = self._drawn_with(batch)
        # What the update compares with: the same forward that the critic spoke in.
        batch["old_per_token_logps"] = logps
        kl = logps - batch["ref_per_token_logps"] if self.beta else torch.zeros_like(logps)
        mask = mask * scored[:, None]
        rewards = token_rewards(self._rewards.nan_to_num(0.0), kl, mask, self.beta)
        advantages, returns = advantages_of(
            rewards, values, mask, self.how.discount, self.how.smoothing
        )
        batch["advantages"] = whitened(advantages, mask) if self.how.whiten else advantages
        batch["values"], batch["returns"], batch["counted"] = values * mask, returns, mask
        if self.beta:  # without one nothing reads the reference
            self.note({"kl/answer": (kl * mask).sum(1)})
        return batch

    def _drawn_with(self, batch: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Read the answers as they were drawn: log-probabilities, and what the critic says."""
        assert self.head is not None
        size = self.args.per_device_train_batch_size
        names = ("prompt_ids", "prompt_mask", "completion_ids", "completion_mask")
        found = []
        with torch.no_grad():
            for at in range(0, len(batch["prompt_ids"]), size):
                part = {name: batch[name][at : at + size] for name in names}
                logps = self._read(self.model, part)[0]
                found.append((logps, self.head.take(logps.size(1))))
        logps, values = (torch.cat(each) for each in zip(*found, strict=True))
        return logps, values

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        assert self.head is not None
        self.head.said = []
        # The KL is in the rewards; in the loss it would count twice.
        beta, self.beta = self.beta, 0.0
        try:
            loss: torch.Tensor = super()._compute_loss(model, inputs)
        finally:
            self.beta = beta
        values = self.head.take(inputs["values"].size(1))
        errors = value_errors(values, inputs["values"], inputs["returns"], self.how.value_clip)
        value_loss = (errors * inputs["counted"]).sum() / self._tokens(inputs)
        self.note({"critic/loss": value_loss})
        return loss + self.critic.weight * value_loss

    def _tokens(self, inputs: dict[str, Any]) -> torch.Tensor:
        """Give what TRL divides the policy's loss by: a process's part of an update's tokens."""
        tokens: torch.Tensor = inputs["num_items_in_batch"].clamp(min=1)
        tokens = tokens / self.accelerator.num_processes
        if self.model.training:
            passes = self.current_gradient_accumulation_steps
            tokens = tokens * passes / self.args.steps_per_generation
        return tokens


def value_errors(
    values: torch.Tensor, before: torch.Tensor, returns: torch.Tensor, clip: float | None
) -> torch.Tensor:
    """Give half the squared error of each value: the worse of where it is and where it may be."""
    errors = (values - returns) ** 2
    if clip is not None:
        held = before + (values - before).clamp(-clip, clip)
        errors = torch.max(errors, (held - returns) ** 2)
    return errors / 2
