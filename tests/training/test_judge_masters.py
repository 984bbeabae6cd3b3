"""Steps too small for half precision are kept all the same."""

import pytest
import torch

from rlaif.training.judge_masters import Trainable


def test_steps_too_small_for_bfloat16_are_kept_in_the_master_copy() -> None:
    layer = torch.nn.Linear(1, 1, bias=False, dtype=torch.bfloat16)
    torch.nn.init.ones_(layer.weight)
    trainable = Trainable(layer, learning_rate=1e-4)  # type: ignore[arg-type]
    for _ in range(100):
        layer.weight.grad = torch.ones_like(layer.weight)
        trainable.step(1e-4)
    # A hundred steps of 1e-4, and decay; in bfloat16 alone each would round to nothing.
    assert float(trainable.masters[0]) == pytest.approx(0.99, abs=1e-3)
    assert layer.weight.item() == pytest.approx(0.99, abs=4e-3)
    assert layer.weight.item() < 1
