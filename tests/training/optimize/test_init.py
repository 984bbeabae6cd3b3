import pytest

from rlaif.errors import StageError
from rlaif.records import Prompt
from rlaif.training.config import OptimizeConfig
from rlaif.training.optimize import optimize_policy


def test_dpo_without_preferences_says_what_it_lacks(tiny_model, tmp_path) -> None:
    with pytest.raises(StageError, match="dpo learns from preferences"):
        optimize_policy(OptimizeConfig(), tiny_model, tmp_path / "out", prompts=[Prompt.of("q")])


def test_rloo_without_a_reward_says_what_it_lacks(tiny_model, tmp_path) -> None:
    config = OptimizeConfig(method="rloo")
    with pytest.raises(StageError, match="rloo needs prompts and a reward"):
        optimize_policy(config, tiny_model, tmp_path / "out", prompts=[Prompt.of("q")])


def test_the_method_named_is_the_method_run(tiny_model, preferences, tmp_path) -> None:
    by_pairs = optimize_policy(
        OptimizeConfig(steps=1), tiny_model, tmp_path / "dpo", preferences=preferences
    )
    assert "logratio_chosen" in by_pairs.metrics
    by_reward = optimize_policy(
        OptimizeConfig(method="rloo", steps=1, max_new_tokens=4),
        tiny_model,
        tmp_path / "rloo",
        prompts=[Prompt.of("q")],
        reward=lambda _, texts: [0.0] * len(texts),
    )
    assert "reward_last" in by_reward.metrics
