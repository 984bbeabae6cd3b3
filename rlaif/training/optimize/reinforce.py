"""REINFORCE (Williams 1992): what earned more than was expected becomes likelier.

The loss is −1/n Σ_i (R_i − b_i) Σ_j log π(x_ij), the sequence's form and the token's alike. Each
answer is learned from once, before the policy has moved, so that one forward gives the loss, the
KL and what a learned baseline expects.
"""

from typing import Any

import torch

from rlaif.training.methods import Critic
from rlaif.training.optimize.own import OwnAdvantages


class ReinforceTrainer(OwnAdvantages):
    """Learns from rewards less what was expected, by a running mean, by the critic, or 0."""

    kl_in_loss = False
    critic: Critic = Critic()

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> Any:
        batch = super()._generate_and_score_completions(inputs)
        rewards = self._rewards
        expected = self.baseline.of(rewards) if self.baseline else torch.zeros_like(rewards)
        batch["scored"] = (~rewards.isnan()).float()
        batch["rewards"] = rewards.nan_to_num(0.0)
        batch["expected"] = expected.nan_to_num(0.0)
        return batch

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        logps, entropies, mask, aux = self._read(model, inputs)
        returns, kl = inputs["rewards"], self._kl(logps.detach(), inputs, mask)
        if not self.kl_in_loss:
            returns = returns - self.beta * kl
        expected = inputs["expected"]
        if self.head is not None:
            # Before its first token nothing of the answer is known.
            expected = self.head.take(logps.size(1))[:, 0]
        advantages = (returns - expected.detach()) * inputs["scored"]
        loss = sequence_loss(logps, advantages, mask, inputs.get("importance_sampling_ratio"))
        if self.kl_in_loss:
            loss = loss + self.beta * self._kl_loss(logps, inputs, mask)
        figures = {"advantage": advantages.abs()}
        if self.beta:  # without one nothing reads the reference
            figures["kl/answer"] = kl
        if self.head is not None:
            errors = (expected - returns) ** 2 * inputs["scored"]
            loss = loss + self.critic.weight * errors.mean()
            figures["critic/loss"] = errors
        if self.aux_loss_enabled:
            loss = loss + self.router_aux_loss_coef * aux
        entropy = (entropies * mask).sum() / mask.sum().clamp(min=1)
        self.note({"entropy": entropy, **figures})
        return loss / (self.current_gradient_accumulation_steps if self.model.training else 1)

    def _kl(self, logps: torch.Tensor, inputs: dict[str, Any], mask: torch.Tensor) -> torch.Tensor:
        """Give each answer's log π / π_ref, (answers,)."""
        if self.beta == 0.0:
            return torch.zeros_like(inputs["rewards"])
        return ((logps - inputs["ref_per_token_logps"]) * mask).sum(1)

    def _kl_loss(
        self, logps: torch.Tensor, inputs: dict[str, Any], mask: torch.Tensor
    ) -> torch.Tensor:
        """Estimate the KL with a gradient; the ratio, 1 here, carries that of the draws."""
        if self.beta == 0.0:
            return logps.sum() * 0.0
        gap = inputs["ref_per_token_logps"] - logps
        tokens = torch.exp(logps - logps.detach()) * (gap.exp() - gap - 1)
        return ((tokens * mask).sum(1) * inputs["scored"]).mean()


def sequence_loss(
    logps: torch.Tensor,
    advantages: torch.Tensor,
    mask: torch.Tensor,
    ratio: torch.Tensor | None = None,
) -> torch.Tensor:
    """Give −1/n Σ_i A_i Σ_j log π(x_ij).

    Args:
        logps: (answers, tokens).
        advantages: (answers,), or one for each token.
        mask: 1 on the answers' own tokens.
        ratio: what corrects for another engine's draws, (answers, tokens) or (answers, 1).
    """
    if advantages.dim() == 1:
        advantages = advantages[:, None]
    weighted = advantages * logps * mask
    if ratio is not None:
        weighted = weighted * ratio
    return -weighted.sum(1).mean()
