"""Against the definition, computed as it is written."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rlaif.training.optimize.gae import advantages_of, token_rewards, whitened


def by_definition(rewards, values, discount, smoothing):
    """A_t = Σ_l (g·λ)^l (r_{t+l} + g·V_{t+l+1} − V_{t+l})."""
    length = len(rewards)
    after = [*values[1:], 0.0]
    surprises = [rewards[t] + discount * after[t] - values[t] for t in range(length)]
    return [
        sum((discount * smoothing) ** (s - t) * surprises[s] for s in range(t, length))
        for t in range(length)
    ]


NUMBERS = st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=1, max_size=6)


@given(NUMBERS, st.floats(0.5, 1.0), st.floats(0.0, 1.0), st.integers(0, 3))
def test_advantages_are_those_of_the_definition_whatever_the_padding(
    rows, discount, smoothing, padding
) -> None:
    rewards, values = map(list, zip(*rows, strict=True))
    mask = torch.tensor([[1.0] * len(rows) + [0.0] * padding])
    # What stands on padding is nothing.
    padded = [torch.tensor([each + [9.0] * padding]) for each in (rewards, values)]
    found, returns = advantages_of(padded[0] * mask, padded[1], mask, discount, smoothing)
    expected = by_definition(rewards, values, discount, smoothing)
    assert found[0, : len(rows)].tolist() == pytest.approx(expected, abs=1e-3)
    assert found[0, len(rows) :].tolist() == [0.0] * padding
    assert returns[0, : len(rows)].tolist() == pytest.approx(
        [a + v for a, v in zip(expected, values, strict=True)], abs=1e-3
    )


def test_looking_to_the_end_trusts_rewards_alone_and_not_looking_the_next_value() -> None:
    rewards, values = torch.tensor([[0.0, 0.0, 6.0]]), torch.tensor([[1.0, 2.0, 3.0]])
    mask = torch.ones(1, 3)
    assert advantages_of(rewards, values, mask, 1.0, 1.0)[0].tolist() == [[5.0, 4.0, 3.0]]
    assert advantages_of(rewards, values, mask, 1.0, 0.0)[0].tolist() == [[1.0, 1.0, 3.0]]


def test_the_score_falls_on_the_last_token_and_the_kl_on_each() -> None:
    mask = torch.tensor([[1, 1, 0], [1, 1, 1]])
    kl = torch.tensor([[0.5, 1.0, 7.0], [0.0, 0.0, 2.0]])
    found = token_rewards(torch.tensor([3.0, -1.0]), kl, mask, 0.1)
    assert found.flatten().tolist() == pytest.approx([-0.05, 2.9, 0.0, 0.0, 0.0, -1.2])


def test_an_answer_of_nothing_earns_nothing() -> None:
    mask = torch.tensor([[0, 0]])
    assert token_rewards(torch.tensor([3.0]), torch.ones(1, 2), mask, 0.1).tolist() == [[0.0, 0.0]]


def test_whitening_forgets_scale_and_place_and_leaves_padding_at_0() -> None:
    values = torch.tensor([[1.0, 3.0, 99.0], [5.0, 7.0, 0.0]])
    mask = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
    found = whitened(values, mask)
    assert found[:, 2].tolist() == [0.0, 0.0]
    kept = found[:, :2]
    assert kept.mean().item() == pytest.approx(0, abs=1e-6)
    assert kept.std(correction=0).item() == pytest.approx(1, abs=1e-4)
