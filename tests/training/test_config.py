import subprocess
import sys

import pytest
from pydantic import ValidationError

from rlaif.training.config import OptimizeConfig, SFTConfig


def test_a_config_loads_no_torch() -> None:
    code = "import sys, rlaif.training.config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_group_that_does_not_divide_the_update_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match=r"samples: 3 answers a prompt do not divide .*\(8\)"):
        OptimizeConfig(method="rloo", samples=3, batch=8)


def test_a_group_may_be_spread_over_accumulated_passes() -> None:
    config = OptimizeConfig(method="rloo", samples=8, batch=4, gradient_accumulation=2)
    assert config.samples == 8


def test_dpo_without_a_pull_back_is_refused() -> None:
    with pytest.raises(ValidationError, match="beta"):
        OptimizeConfig(method="dpo", beta=0.0)
    assert OptimizeConfig(method="rloo", beta=0.0).beta == 0.0


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="lerning_rate"):
        SFTConfig.model_validate({"lerning_rate": 1e-4})


@pytest.mark.parametrize("method", ["rloo", "grpo"])
def test_one_answer_a_prompt_cannot_be_compared(method: str) -> None:
    with pytest.raises(ValidationError, match="draw 2 or more"):
        OptimizeConfig.model_validate({"method": method, "samples": 1})


def test_a_group_is_whole_in_what_one_process_draws_at_once() -> None:
    whole = {"method": "grpo", "samples": 8, "batch": 4}
    assert OptimizeConfig.model_validate({**whole, "extra": {"steps_per_generation": 2}})
    with pytest.raises(ValidationError, match="do not divide"):
        OptimizeConfig.model_validate(whole)


def test_the_short_form_of_a_reward_is_one_part() -> None:
    [part] = OptimizeConfig(method="rloo", reward="model").parts
    assert (part.model, part.weight) == ("run", 1.0)
    [part] = OptimizeConfig(method="rloo").parts
    assert part.judge == "run"


def test_what_learns_from_preferences_takes_no_reward() -> None:
    with pytest.raises(ValidationError, match="dpo learns from preferences"):
        OptimizeConfig.model_validate({"rewards": [{"judge": "run"}]})


def test_only_grpo_divides_by_a_deviation() -> None:
    with pytest.raises(ValidationError, match="grpo does"):
        OptimizeConfig(method="rloo", normalise="group")


@pytest.mark.parametrize("method", ["dpo", "rejection", "best-of-n"])
def test_what_draws_nothing_while_it_learns_is_not_monitored(method: str) -> None:
    told = {"method": method, "monitor": {"every": 2}}
    with pytest.raises(ValidationError, match=f"monitor: {method} draws nothing while it learns"):
        OptimizeConfig.model_validate(told)


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ({"method": "ipo", "extra": {"loss_type": ["hinge"]}}, "nothing of `method: ipo`"),
        ({"label_smoothing": 0.1, "extra": {"ld_alpha": 0.5}}, "nothing of `label_smoothing`"),
        ({"smoothing": "robust", "extra": {"loss_type": ["ipo"]}}, "nothing of `smoothing`"),
        ({"method": "rloo", "beta": 0.0, "monitor": {"stop": {"kl": 9}}}, "monitor.stop.kl: with"),
    ],
)
def test_an_option_that_would_count_for_nothing_is_refused(told, line: str) -> None:
    with pytest.raises(ValidationError, match=line):
        OptimizeConfig.model_validate(told)
