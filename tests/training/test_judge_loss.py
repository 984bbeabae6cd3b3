"""What an answer costs, by hand: cross-entropy, and for a ranked pair the log of a sigmoid."""

import math

import pytest
import torch

from rlaif.training.judge_data import Question
from rlaif.training.judge_loss import RANKING, answer_loss


def test_the_loss_of_an_answer_is_its_cross_entropy_and_of_a_pair_the_log_of_its_sigmoid() -> None:
    # Token 0 says true and 1 says not, with shares of 3/4 and 1/4, then 1/4 and 3/4.
    logits = torch.log(torch.tensor([[0.75, 0.25, 1e-9], [0.25, 0.75, 1e-9]]))
    sides = torch.tensor([[0, 1], [0, 1]])
    alone = [Question("t", "x", 1.0), Question("t", "x", 0.5)]
    loss, odds = answer_loss(logits, sides, alone)
    assert odds == pytest.approx([math.log(3), -math.log(3)])
    soft = -(math.log(0.25) + math.log(0.75)) / 2
    assert float(loss) == pytest.approx(-math.log(0.75) + soft, abs=1e-5)
    ranked = [question._replace(pair="p") for question in alone]
    paired, _ = answer_loss(logits, sides, ranked)
    # The first is the likelier one, by log 3 − (−log 3) = log 9: σ(log 9) = 0.9.
    assert float(paired - loss) == pytest.approx(-RANKING * math.log(0.9), abs=1e-5)
    other, _ = answer_loss(logits, sides, [ranked[0], ranked[1]._replace(text="y")])
    assert float(other) == pytest.approx(float(loss))
