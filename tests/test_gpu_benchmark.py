"""`benchmarks/gpu.py` where there is no GPU: it says so, and its code runs tiny on the CPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

PROGRAM = Path(__file__).parents[1] / "benchmarks/gpu.py"


def run(*options: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(PROGRAM), *options]
    return subprocess.run(program, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_and_without_a_library_which() -> None:
    done = run()
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert "no GPU here" in done.stdout
    code = (
        "import importlib.util as u, runpy, sys; f = u.find_spec;"
        "u.find_spec = lambda n, *a: None if n in ('trl', 'datasets') else f(n, *a);"
        f"sys.argv = ['gpu.py']; runpy.run_path({str(PROGRAM)!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout.startswith("not installed: trl, datasets;")


@pytest.mark.slow
def test_its_code_runs_tiny_on_the_cpu(tmp_path) -> None:
    done = run("--cpu", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads((tmp_path / "gpu-cpu.json").read_text(encoding="utf-8"))
    figures = {row["name"]: row for row in told["figures"]}
    steps = [row for name, row in figures.items() if name.endswith("finite figures")]
    assert len(steps) >= 9
    assert all(row["value"] >= row["target"] for row in steps)
    assert figures["bfloat16 from float32, nats a token, mean"]["value"] < 0.03
