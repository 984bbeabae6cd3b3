"""Each formula against values computed by hand."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rlaif.training.reward.losses import Pairs, centring, luce_loss, pair_losses, pairs_loss


def pairs_of(*rows: tuple[int, int, float, float, float, float]) -> Pairs:
    first, second, *others = zip(*rows, strict=True)
    places = (torch.tensor(first), torch.tensor(second))
    return Pairs(*places, *(torch.tensor(values) for values in others))


def one(lead: float, p: float, margin: float = 0.0) -> float:
    return pair_losses(*(torch.tensor([value]) for value in (lead, p, margin))).item()


def test_a_sure_label_gives_the_hard_loss() -> None:
    # −log σ(2) = log(1 + e⁻²)
    assert one(2.0, 1.0) == pytest.approx(0.126928, abs=1e-6)
    assert one(-2.0, 1.0) == pytest.approx(2.126928, abs=1e-6)


def test_a_soft_label_gives_the_cross_entropy() -> None:
    # 0.7 · 0.126928 + 0.3 · 2.126928
    assert one(2.0, 0.7) == pytest.approx(0.726928, abs=1e-6)


def test_a_tie_is_least_where_both_score_alike() -> None:
    assert one(0.0, 0.5) == pytest.approx(math.log(2), abs=1e-6)
    assert one(1.0, 0.5) == pytest.approx(one(-1.0, 0.5), abs=1e-6)
    assert one(1.0, 0.5) > one(0.0, 0.5)


def test_a_margin_asks_for_a_lead() -> None:
    # A lead of 2 over a margin of 2 is no lead at all.
    assert one(2.0, 1.0, margin=2.0) == pytest.approx(math.log(2), abs=1e-6)
    # −log σ(0.5)
    assert one(1.5, 1.0, margin=1.0) == pytest.approx(0.474077, abs=1e-6)


@given(st.floats(0.01, 0.99))
def test_a_soft_label_is_met_where_the_lead_is_its_log_odds(p: float) -> None:
    lead = torch.tensor([math.log(p / (1 - p))], requires_grad=True)
    pair_losses(lead, torch.tensor([p]), torch.zeros(1)).sum().backward()
    assert lead.grad is not None
    assert lead.grad.item() == pytest.approx(0, abs=1e-5)


def test_weights_and_groups_make_the_mean_of_the_paper() -> None:
    scores = torch.tensor([2.0, 0.0, 1.0, 1.0])
    # A group of two pairs, one of them thrice as heavy, and a group of one, a tie.
    pairs = pairs_of(
        (0, 1, 1.0, 0.0, 3.0, 0.25), (0, 2, 1.0, 0.0, 1.0, 0.25), (2, 3, 0.5, 0.0, 1.0, 0.5)
    )
    # 1/4 · 3 · 0.126928 + 1/4 · 0.313262 + 1/2 · 0.693147
    assert pairs_loss(scores, pairs).item() == pytest.approx(0.520085, abs=1e-6)


def test_centring_is_the_squared_sum_of_each_pair() -> None:
    scores = torch.tensor([2.0, 1.0, -1.0])
    pairs = pairs_of((0, 1, 1.0, 0.0, 1.0, 0.5), (1, 2, 1.0, 0.0, 1.0, 0.5))
    assert centring(scores, pairs).item() == pytest.approx((9 + 0) / 2)


def test_a_ranking_is_chosen_from_the_best_on() -> None:
    scores = torch.tensor([0.0, 2.0, 1.0])
    # 2 of {2, 1, 0}, then 1 of {1, 0}: 0.407606 + 0.313262
    assert luce_loss(scores, torch.tensor([[1, 2, 0]])).item() == pytest.approx(0.720868, abs=1e-6)


def test_a_ranking_of_two_is_a_hard_pair_and_a_gap_is_no_answer() -> None:
    scores = torch.tensor([0.5, -1.5, 7.0], requires_grad=True)
    loss = luce_loss(scores, torch.tensor([[0, 1, -1]]))
    assert loss.item() == pytest.approx(one(2.0, 1.0), abs=1e-6)
    loss.backward()
    assert scores.grad is not None
    assert scores.grad[2] == 0
    assert scores.grad[0] == pytest.approx(-1 / (1 + math.exp(2)), abs=1e-6)
