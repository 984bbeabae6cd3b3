"""With DeepSpeed's ZeRO, which spreads optimizer, gradients and weights, training ends the same."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.training.on_ranks import METHODS
from tests.training.with_deepspeed import CUT_OFF

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("deepspeed") is None, reason="needs `pip install deepspeed`"),
]


@pytest.fixture(scope="module", params=[2, 3])
def trained(
    request: pytest.FixtureRequest, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[int, Path]:
    stage, folder = request.param, tmp_path_factory.mktemp("zero")
    told = {
        "ACCELERATE_USE_DEEPSPEED": "true",
        "ACCELERATE_DEEPSPEED_ZERO_STAGE": str(stage),
        "ACCELERATE_DEEPSPEED_ZERO3_INIT": str(stage == 3).lower(),
        "ACCELERATE_DEEPSPEED_ZERO3_SAVE_16BIT_MODEL": str(stage == 3).lower(),
        "ACCELERATE_DEEPSPEED_OFFLOAD_OPTIMIZER_DEVICE": "none",
        "ACCELERATE_DEEPSPEED_OFFLOAD_PARAM_DEVICE": "none",
        "OMP_NUM_THREADS": "1",
    }
    program = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*program, "-m", "tests.training.with_deepspeed", str(tiny_model), str(folder)],
        env={**{k: v for k, v in os.environ.items() if "ACCELERATE" not in k}, **told},
        timeout=300,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return stage, folder


@pytest.fixture(scope="module")
def alone(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alone")
    for name, train in METHODS.items():
        train(tiny_model, folder / name, 1)
    return folder


@pytest.mark.parametrize("method", METHODS)
def test_a_method_ends_where_one_process_ends(
    trained: tuple[int, Path], alone: Path, method: str
) -> None:
    stage, folder = trained
    for number in range(2):
        seen = json.loads((folder / f"rank-{number}.json").read_text(encoding="utf-8"))
        # Unless it is looked at, accelerate may train by its own means and nobody sees it.
        assert seen[method] == [stage]
    spread, whole = (load_file(at / method / "model.safetensors") for at in (folder, alone))
    assert spread.keys() == whole.keys()
    for name, weight in whole.items():
        assert spread[name].float().allclose(weight.float(), atol=2e-3, rtol=2e-2), name


@pytest.mark.parametrize("method", CUT_OFF)
def test_a_run_that_was_cut_off_goes_on_with_the_answers_it_had_drawn(
    trained: tuple[int, Path], method: str
) -> None:
    _, folder = trained
    said = [(folder / f"away-{method}-{n}.txt").read_text("utf-8") for n in range(2)]
    assert all("keeps 1:" in line for line in said)
    cut, whole = (load_file(at / method / "model.safetensors") for at in (folder / "away", folder))
    assert all(cut[name].equal(weight) for name, weight in whole.items())
