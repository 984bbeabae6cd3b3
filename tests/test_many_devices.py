"""What is shipped for machines with GPUs fits what it is for, as far as that shows without one."""

import re
from pathlib import Path

import pytest
import trl
import yaml
from accelerate.commands.config.config_args import load_config_from_file

from rlaif.cli.main import main
from rlaif.experiment.config import load_experiment
from rlaif.resources import shipped, shipped_names
from rlaif.training.common import arguments
from rlaif.training.optimize.by_reward import need_whole_groups

LAUNCHES = sorted((shipped("experiments") / "accelerate").glob("*.yaml"))
REAL = [name for name in shipped_names("experiments") if re.match("qwen|one", name)]
PAGE = (Path(__file__).parents[1] / "docs/from-laptop-to-8-gpus.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", LAUNCHES, ids=lambda path: path.stem)
def test_accelerate_reads_each_of_its_files(path: Path) -> None:
    config = load_config_from_file(str(path))
    expected = {"ddp": "MULTI_GPU", "fsdp2": "FSDP", "zero2": "DEEPSPEED", "zero3": "DEEPSPEED"}
    assert config.distributed_type.value == expected.get(path.stem, "NO")
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    # A key that it does not know is an error; one that it drops would be none.
    assert written.keys() <= vars(config).keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_an_experiment_with_real_names_is_planned_without_its_models(
    name, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "none is asked")
    assert main(["run", name, "--dry-run"]) == 0
    assert "optimize" in capsys.readouterr().out


@pytest.mark.parametrize("name", REAL)
def test_trl_takes_what_an_experiment_tells_it(name, tmp_path) -> None:
    experiment = load_experiment(shipped("experiments") / f"{name}.yaml")
    how = experiment.optimize
    assert how is not None
    kind = {"rloo": trl.RLOOConfig, "grpo": trl.GRPOConfig}[how.method]
    need_whole_groups(arguments(kind, how, tmp_path, 0, num_generations=how.samples))
    for section, of in ((experiment.sft, trl.SFTConfig), (experiment.reward, trl.RewardConfig)):
        assert section is not None
        arguments(of, section, tmp_path, 0)


def test_the_page_names_every_launch_and_every_ready_experiment() -> None:
    assert all(f"`{path.stem}`" in PAGE for path in LAUNCHES)
    assert all(f"experiments/{name}.yaml" in PAGE for name in REAL)


def test_the_files_that_the_page_launches_with_are_there() -> None:
    named = re.findall(r"--config_file (\S+)", PAGE)
    assert len(named) == 2
    assert all((Path(__file__).parents[1] / path).is_file() for path in named)
