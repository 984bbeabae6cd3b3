"""What a reward model's scores are held to: pairs, all pairs of a prompt, or a whole ranking.

Scores are of single answers, (answers,); a pair names two of them by their places.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812


class Pairs(NamedTuple):
    """Labelled pairs of the answers in a batch; every tensor is (pairs,)."""

    first: torch.Tensor
    """The place of the answer that `p` is about."""
    second: torch.Tensor
    p: torch.Tensor
    """The probability that `first` is the better one; 0.5 is a tie."""
    margin: torch.Tensor
    """Points by which the better one should lead."""
    weight: torch.Tensor
    """How much the label counts, beside others."""
    share: torch.Tensor
    """The part of the batch's mean that is this pair's: 1 / (groups · pairs of its group)."""


def pair_losses(lead: torch.Tensor, p: torch.Tensor, margin: torch.Tensor) -> torch.Tensor:
    """Give each pair's cross-entropy with its label, (pairs,).

    L = −[p · log σ(d − m) + (1 − p) · log σ(m − d)] for a lead of d = r₁ − r₂ and a margin m; p = 1
    is Bradley and Terry's hard loss, with Llama 2's margin (arXiv 2307.09288).
    """
    ahead = lead - margin
    return -(p * F.logsigmoid(ahead) + (1 - p) * F.logsigmoid(-ahead))


def pairs_loss(scores: torch.Tensor, pairs: Pairs) -> torch.Tensor:
    """Give the mean over groups of the mean over their pairs: Ouyang et al. 2022's 1 / C(K, 2)."""
    lead = scores[pairs.first] - scores[pairs.second]
    return (pairs.share * pairs.weight * pair_losses(lead, pairs.p, pairs.margin)).sum()


def centring(scores: torch.Tensor, pairs: Pairs) -> torch.Tensor:
    """Give the mean of (r₁ + r₂)², which a coefficient holds near 0 (arXiv 2312.09244)."""
    return (pairs.share * (scores[pairs.first] + scores[pairs.second]) ** 2).sum()


def luce_loss(
    scores: torch.Tensor, rankings: torch.Tensor, weight: torch.Tensor | None = None
) -> torch.Tensor:
    """Give the mean over rankings of −log of their probability (Plackett 1975, Luce 1959).

    L = −Σₖ [rₖ − log Σ_{j ≥ k} exp rⱼ], the best answer first; of two answers it is the hard loss.

    Args:
        scores: (answers,).
        rankings: (groups, K), places of answers from the best to the worst; −1 is no answer.
        weight: (groups,), how much each counts; 1 where none is given.
    """
    is_there = rankings >= 0
    ranked = scores[rankings.clamp(min=0)].masked_fill(~is_there, -torch.inf)
    # From the worst on: what is left to choose from when the k-th is chosen.
    left = ranked.flip(1).logcumsumexp(1).flip(1)
    chosen = torch.where(is_there, left - ranked, 0.0)
    losses = chosen.sum(1)
    return losses.mean() if weight is None else (weight * losses).mean()
