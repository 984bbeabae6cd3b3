import pytest

from rlaif.records import Prompt
from rlaif.training.config import OptimizeConfig
from rlaif.training.optimize.by_reward import train_by_reward

PROMPTS = [Prompt.of(f"question {number}") for number in range(4)]


@pytest.mark.parametrize("method", ["rloo", "grpo", "reinforce", "ppo", "online-dpo"])
def test_every_method_tells_the_same_of_each_step(tiny_model, tmp_path, method) -> None:
    config = OptimizeConfig(
        method=method, batch=8, samples=4, steps=2, max_new_tokens=5, beta=0.1, lora=None
    )
    logs: list[dict[str, float]] = []
    train_by_reward(
        PROMPTS,
        lambda _, texts: [float(len(text)) for text in texts],
        config,
        tiny_model,
        tmp_path / method,
        progress=lambda *told: logs.append(told[2]),
    )
    wanted = {
        "loss",
        "reward",
        "kl/answer",
        "entropy",
        "completions/mean_length",
        "completions/clipped_ratio",
        "distinct",
        "refusals",
        "abstained",
        "tokens/s",
        "seconds/reward",
        "seconds/generation",
    }
    assert all(wanted <= set(log) for log in logs)
    # The policy is its own reference before it has moved.
    assert logs[0]["kl/answer"] == pytest.approx(0, abs=1e-4)
    assert logs[0]["tokens/s"] > 0
