"""A killed run goes on, and ends as if it never had been; members differ by their seeds alone."""

from pathlib import Path
from typing import Any

import pytest

from rlaif.training.config import LoRA, RewardConfig, Trained
from rlaif.training.reward import RewardModel, train_reward_model
from tests.training.conftest import preferring_yes

CONFIG = RewardConfig(
    learning_rate=1e-2, steps=4, batch=2, lora=LoRA(r=4), held_out=0, checkpoint=2
)
LABELS = [preferring_yes(number) for number in range(8)]


class Killed(BaseException):
    pass


def killed_at(step: int, seen: list[int]):
    def progress(now: int, _steps: int, _metrics: object) -> None:
        seen.append(now)
        if now == step:
            raise Killed

    return progress


def weights(done: Trained) -> list[bytes]:
    return [path.read_bytes() for path in sorted(done.path.rglob("*.safetensors"))]


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [{}, {"lora": None}, {"heads": 2}, {"heads": 2, "lora": None}],
    ids=["adapter", "all weights", "heads", "heads and all weights"],
)
def test_a_run_that_was_killed_ends_as_one_that_was_not_to_the_bit(
    tiny_model: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    config = CONFIG.model_copy(update=changes)
    whole = train_reward_model(LABELS, config, tiny_model, tmp_path / "whole", seed=3)
    seen: list[int] = []
    with pytest.raises(Killed):
        train_reward_model(
            LABELS, config, tiny_model, tmp_path / "again", seed=3, progress=killed_at(3, seen)
        )
    assert not (tmp_path / "again").exists()
    # The steps up to the checkpoint are told again, so that a curve is whole; none is done twice.
    again = train_reward_model(
        LABELS, config, tiny_model, tmp_path / "again", seed=3, progress=killed_at(99, seen)
    )
    assert seen == [1, 2, 3, 1, 2, 3, 4]
    assert weights(again) == weights(whole)
    for name in ("loss_first", "loss_last", "accuracy_train", "steps"):
        assert again.metrics[name] == whole.metrics[name]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "whole"]


@pytest.mark.slow
def test_an_ensemble_is_models_of_several_seeds_in_one_folder(
    tiny_model: Path, tmp_path: Path
) -> None:
    config = CONFIG.model_copy(update={"members": 2, "combine": "min", "steps": 1})
    seen: list[int] = []
    done = train_reward_model(
        LABELS, config, tiny_model, tmp_path / "rm", seed=3, progress=killed_at(99, seen)
    )
    assert seen == [1, 2]
    alone = [
        train_reward_model(
            LABELS,
            config.model_copy(update={"members": 1}),
            tiny_model,
            tmp_path / str(seed),
            seed=seed,
        )
        for seed in (3, 4)
    ]
    assert weights(done) == [*weights(alone[1]), *weights(alone[0])]
    asked = ([LABELS[0].prompt] * 2, ["Yes!", "No."])
    scores = [RewardModel(each.path)(*asked) for each in alone]
    assert RewardModel(done.path)(*asked) == [min(each) for each in zip(*scores, strict=True)]
