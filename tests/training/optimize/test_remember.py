import os
import signal

import pytest

from rlaif.errors import BackendError, OutageError
from rlaif.records import Prompt
from rlaif.training.config import LoRA, OptimizeConfig
from rlaif.training.optimize.by_reward import train_by_reward

PROMPTS = [Prompt.of(f"question {number}") for number in range(8)]
COMMON = {"batch": 4, "samples": 2, "steps": 6, "max_new_tokens": 4, "learning_rate": 1e-2}


def count_of_e(_, texts) -> list[float | None]:
    return [float(text.count("e")) for text in texts]


def trained(model, out, how, stop: int | None = None):
    def progress(step: int, *_) -> None:
        if step == stop:
            os.kill(os.getpid(), signal.SIGINT)

    config = OptimizeConfig.model_validate({**COMMON, **how})
    return train_by_reward(PROMPTS, count_of_e, config, model, out, seed=3, progress=progress)


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        # An epoch is two steps or four, so that each stops within one, or within a draw.
        {"method": "grpo", "lora": None},
        {"method": "reinforce", "baseline": "mean", "lora": None},
        {"method": "reinforce", "baseline": "learned", "samples": 1, "lora": LoRA(r=2)},
        {"method": "ppo", "lora": None, "ppo": {"passes": 2, "updates": 2}},
        {"method": "online-dpo", "lora": None},
        {"method": "online-dpo", "batch": 2, "gradient_accumulation": 2, "lora": LoRA(r=2)},
    ],
    ids=[
        "grpo",
        "reinforce with a mean",
        "reinforce with a critic",
        "ppo within a draw",
        "online-dpo",
        "online-dpo in parts, with an adapter",
    ],
)
def test_a_run_that_was_stopped_ends_as_if_it_never_had_been(tiny_model, tmp_path, how) -> None:
    whole = trained(tiny_model, tmp_path / "whole", how)
    with pytest.raises(KeyboardInterrupt):
        trained(tiny_model, tmp_path / "cut", how, stop=4)
    cut = trained(tiny_model, tmp_path / "cut", how)
    weights = [(path / "model.safetensors").read_bytes() for path in (whole.path, cut.path)]
    assert weights[0] == weights[1]
    for name in ("reward_first", "answers"):
        assert cut.metrics[name] == whole.metrics[name]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut", "whole"]


def test_a_run_that_was_stopped_after_its_last_update_makes_no_other(tiny_model, tmp_path) -> None:
    how = {"method": "reinforce", "lora": None, "schedule": "constant"}
    whole = trained(tiny_model, tmp_path / "whole", how)
    with pytest.raises(KeyboardInterrupt):
        trained(tiny_model, tmp_path / "cut", how, stop=5)
    cut = trained(tiny_model, tmp_path / "cut", how)
    weights = [(path / "model.safetensors").read_bytes() for path in (whole.path, cut.path)]
    assert weights[0] == weights[1]
    for name in ("reward_first", "reward_last", "answers", "steps"):
        assert cut.metrics[name] == whole.metrics[name]


@pytest.mark.slow
def test_a_judge_that_stays_away_leaves_a_checkpoint_and_the_run_goes_on_with_it(
    tiny_model, tmp_path
) -> None:
    how = {"method": "reinforce", "lora": None, "patience": 0.0}
    whole = trained(tiny_model, tmp_path / "whole", how)
    batches = iter(range(99))

    def goes_away(prompts, texts):
        if next(batches) == 3:
            raise BackendError("judge: no answer from http://127.0.0.1:9/v1")
        return count_of_e(prompts, texts)

    config = OptimizeConfig.model_validate({**COMMON, **how})
    with pytest.raises(OutageError, match=r"no answer from .*; what is learned so far is kept"):
        train_by_reward(PROMPTS, goes_away, config, tiny_model, tmp_path / "cut", seed=3)
    seen: list[int] = []
    cut = train_by_reward(
        PROMPTS,
        lambda prompts, texts: seen.append(1) or count_of_e(prompts, texts),
        config,
        tiny_model,
        tmp_path / "cut",
        seed=3,
    )
    assert len(seen) == 3
    weights = [(path / "model.safetensors").read_bytes() for path in (whole.path, cut.path)]
    assert weights[0] == weights[1]
