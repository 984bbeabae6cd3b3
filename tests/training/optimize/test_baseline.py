import math

import pytest
import torch

from rlaif.training.optimize.baseline import RunningMean


def test_the_first_step_compares_each_answer_with_the_others() -> None:
    found = RunningMean().of(torch.tensor([1.0, 2.0, 6.0]))
    assert found.tolist() == pytest.approx([4.0, 3.5, 1.5])


def test_a_step_is_compared_with_those_before_and_not_with_itself() -> None:
    mean = RunningMean()
    mean.of(torch.tensor([1.0, 3.0]))
    assert mean.of(torch.tensor([100.0, 100.0])).tolist() == pytest.approx([2.0, 2.0])
    # The newer step counts 1 to the older one's 0.9.
    assert mean.of(torch.tensor([0.0])).item() == pytest.approx((0.9 * 2 + 100) / 1.9)


def test_an_abstention_is_in_no_mean() -> None:
    mean = RunningMean()
    mean.of(torch.tensor([math.nan, 4.0, 2.0]))
    mean.of(torch.tensor([math.nan]))
    assert mean.of(torch.tensor([0.0])).item() == pytest.approx(3.0)


def test_it_goes_on_from_what_was_kept() -> None:
    first, second = RunningMean(), RunningMean()
    first.of(torch.tensor([5.0, 1.0]))
    second.restore(first.state())
    rewards = torch.tensor([7.0])
    assert first.of(rewards).tolist() == second.of(rewards).tolist()
