"""What each token of an answer earned: rewards by token, and advantages by what a critic expected.

Tensors are (answers, tokens); a mask is 1 on an answer's own tokens, which come before padding.
"""

import torch
from accelerate.utils import reduce


def token_rewards(
    scores: torch.Tensor, kl: torch.Tensor, mask: torch.Tensor, beta: float
) -> torch.Tensor:
    """Give each token −β of its KL, and an answer's last token its score, (answers,), too."""
    rewards = -beta * kl * mask
    last = (mask.cumsum(1) == mask.sum(1, keepdim=True)) & (mask > 0)
    return rewards + torch.where(last, scores[:, None], 0.0)


def advantages_of(
    rewards: torch.Tensor,
    values: torch.Tensor,
    mask: torch.Tensor,
    discount: float,
    smoothing: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Give advantages and returns, by generalised advantage estimation (arXiv 1506.02438).

    A_t = Σ_l (g·λ)^l δ_{t+l}, with δ_t = r_t + g·V_{t+1} − V_t, g the discount, λ the smoothing,
    and V 0 after the last token; a return is A_t + V_t.
    """
    values = values * mask
    carried = torch.zeros_like(rewards[:, 0])
    found = torch.zeros_like(rewards)
    for step in reversed(range(rewards.shape[1])):
        after = values[:, step + 1] if step + 1 < rewards.shape[1] else torch.zeros_like(carried)
        surprise = rewards[:, step] + discount * after - values[:, step]
        carried = (surprise + discount * smoothing * carried) * mask[:, step]
        found[:, step] = carried
    return found, (found + values) * mask


def whitened(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Give values mean 0 and deviation 1 over all processes' masked tokens; 0 elsewhere."""
    masked = values * mask
    sums = torch.stack([masked.sum(), (masked**2).sum(), mask.sum().to(values.dtype)])
    total, squares, count = reduce(sums, reduction="sum")
    mean = total / count.clamp(min=1)
    variance = (squares / count.clamp(min=1) - mean**2).clamp(min=0)
    return (values - mean) * torch.rsqrt(variance + 1e-8) * mask
