"""Each loss against values computed by hand."""

import math

import pytest
import torch

from rlaif.training.common import soft_loss
from rlaif.training.optimize.losses import ipo_loss, less_sure, noise_undone

ONE = torch.ones(1)


def nats(margin: float) -> float:
    """−log σ(margin)."""
    return math.log1p(math.exp(-margin))


def test_conservative_dpo_is_the_mean_over_a_label_and_its_opposite() -> None:
    loss = soft_loss(torch.tensor([2.0]), less_sure(ONE, 0.1), ONE).item()
    assert loss == pytest.approx(0.9 * 0.126928 + 0.1 * 2.126928, abs=1e-5)
    assert less_sure(torch.tensor([0.75]), 0.2).item() == pytest.approx(0.75 * 0.8 + 0.25 * 0.2)


def test_robust_dpo_is_chowdhurys_formula() -> None:
    share, margin = 0.1, 2.0
    by_hand = ((1 - share) * nats(margin) - share * nats(-margin)) / (1 - 2 * share)
    assert by_hand == pytest.approx(-0.123072, abs=1e-5)
    loss = soft_loss(torch.tensor([margin]), noise_undone(ONE, share), ONE).item()
    assert loss == pytest.approx(by_hand, abs=1e-6)


def test_the_robust_loss_of_noisy_labels_is_the_clean_loss_in_the_mean() -> None:
    margin, share = torch.tensor([1.3]), 0.3
    kept = soft_loss(margin, noise_undone(ONE, share), ONE)
    flipped = soft_loss(margin, noise_undone(1 - ONE, share), ONE)
    mean = (1 - share) * kept + share * flipped
    assert mean.item() == pytest.approx(nats(1.3), abs=1e-6)


def test_smoothing_by_nothing_changes_no_label() -> None:
    p = torch.tensor([0.0, 0.3, 1.0])
    assert torch.equal(less_sure(p, 0.0), p)
    assert torch.equal(noise_undone(p, 0.0), p)


def test_ipo_is_the_squared_distance_from_half_over_tau() -> None:
    loss = ipo_loss(torch.tensor([1.0]), ONE, ONE, tau=0.1).item()
    assert loss == pytest.approx((1 - 5) ** 2)
    soft = ipo_loss(torch.tensor([1.0]), torch.tensor([0.75]), torch.tensor([2.0]), tau=0.5).item()
    assert soft == pytest.approx(2 * (0.75 * 0.0 + 0.25 * 4.0))


def test_ipo_is_least_where_the_label_says() -> None:
    gap = torch.tensor([0.6 / 0.2], requires_grad=True)
    ipo_loss(gap, torch.tensor([0.8]), ONE, tau=0.1).backward()
    assert gap.grad is not None
    assert gap.grad.item() == pytest.approx(0.0, abs=1e-5)
