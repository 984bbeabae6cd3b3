import pytest
import torch

from rlaif.training.reward.model import combine

SCORES = torch.tensor([[1.0, 4.0], [3.0, 0.0]])


@pytest.mark.parametrize(
    ("how", "spread", "combined"),
    [
        ("mean", 1.0, [2.0, 2.0]),
        ("min", 1.0, [1.0, 0.0]),
        # Deviations of 1 and 2 about means of 2.
        ("lower", 1.0, [1.0, 0.0]),
        ("lower", 0.5, [1.5, 1.0]),
    ],
)
def test_the_scores_of_an_ensemble_become_one(how, spread, combined) -> None:
    assert combine(SCORES, how, spread).tolist() == combined


def test_one_model_alone_is_its_own_score() -> None:
    for how in ("mean", "min", "lower"):
        assert combine(SCORES[:1], how, 1.0).tolist() == [1.0, 4.0]
