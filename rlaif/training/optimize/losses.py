"""The losses of learning from labels that are there, as plain functions of log-probability ratios.

A ratio is log π(answer) − log π_ref(answer), in nats; a gap is the chosen answer's ratio less the
rejected one's. All tensors are (rows,) and float32.
"""

import torch


def less_sure(p: torch.Tensor, share: float) -> torch.Tensor:
    """Mix each label with its opposite: p(1 − ε) + (1 − p)ε.

    With p = 1 the loss is conservative DPO's (Mitchell 2023).
    """
    return p * (1 - share) + (1 - p) * share


def noise_undone(p: torch.Tensor, share: float) -> torch.Tensor:
    """Undo that a share of the labels is the wrong way round: (p − ε) / (1 − 2ε).

    The loss of such a label is, in the mean over the noise, the clean label's (robust DPO,
    Chowdhury et al. 2024). What comes out may lie beyond 0 and 1.
    """
    return (p - share) / (1 - 2 * share)


def ipo_loss(
    gaps: torch.Tensor, p: torch.Tensor, weights: torch.Tensor, tau: float
) -> torch.Tensor:
    """Hold the gap to a target (IPO, Azar et al. 2023): p(Δ − 1/2τ)² + (1 − p)(Δ + 1/2τ)².

    It is least at Δ = (2p − 1)/2τ, so that a sure label does not push for ever.
    """
    target = 1 / (2 * tau)
    losses = p * (gaps - target) ** 2 + (1 - p) * (gaps + target) ** 2
    return (weights * losses).mean()


def kto_losses(
    ratios: torch.Tensor, good: torch.Tensor, kl: torch.Tensor, beta: float
) -> torch.Tensor:
    """Give each answer's loss: 1 − σ(β(r − kl)) where it is good, else 1 − σ(β(kl − r)).

    Kahneman and Tversky's value of gains and losses about a point of reference, which is how far
    the policy has gone from its reference in all (Ethayarajh et al. 2024, equation 7). `kl` is one
    number; `good` is true or false.
    """
    gains = torch.where(good, ratios - kl, kl - ratios)
    return 1 - torch.sigmoid(beta * gains)
