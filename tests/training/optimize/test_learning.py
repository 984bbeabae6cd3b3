"""Each method on a reward that can be counted: how many of ten letters are an e."""

from statistics import mean

import pytest

from rlaif.records import Prompt
from rlaif.training.config import OptimizeConfig
from rlaif.training.optimize.by_reward import train_by_reward

pytestmark = pytest.mark.slow

PROMPTS = [Prompt.of(f"question {number}") for number in range(4)]
COMMON = {
    "steps": 50,
    "batch": 32,
    "samples": 4,
    "beta": 0.0,
    "learning_rate": 2e-2,
    "schedule": "constant",
    "lora": None,
    "max_new_tokens": 10,
}


def count_of_e(_, texts) -> list[float | None]:
    return [float(text.count("e")) for text in texts]


def rewards(model, out, **how) -> list[float]:
    seen: list[float] = []
    config = OptimizeConfig.model_validate({**COMMON, **how})
    train_by_reward(
        PROMPTS,
        count_of_e,
        config,
        model,
        out,
        progress=lambda *told: seen.append(told[2]["reward"]),
    )
    return seen


@pytest.mark.parametrize("method", ["reinforce", "rloo", "grpo", "ppo"])
def test_it_finds_what_is_rewarded(tiny_model, tmp_path, method: str) -> None:
    seen = rewards(tiny_model, tmp_path / method, method=method)
    assert mean(seen[:3]) < 1
    assert mean(seen[-5:]) >= 9
