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
