"""`benchmarks/gpu.py` where there is no GPU: it says so, and its code runs tiny on the CPU."""

import importlib.util
import json
import runpy
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def load(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return lambda: runpy.run_path(str(FOLDER / "gpu.py"))["main"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_in_a_line(load, capsys) -> None:
    assert load()([]) == 0
    said = capsys.readouterr().out
    assert said.startswith("no GPU here")
    assert said.count("\n") == 1


def test_what_is_not_installed_is_named_in_a_line(load, capsys, monkeypatch) -> None:
    finds = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name in ("trl", "datasets") else finds(name),
    )
    assert load()([]) == 2
    assert capsys.readouterr().out.startswith("not installed: trl, datasets;")


@pytest.mark.slow
def test_its_code_runs_tiny_on_the_cpu(load, tmp_path) -> None:
    assert load()(["--cpu", "--out", str(tmp_path)]) == 0
    told = json.loads((tmp_path / "gpu-cpu.json").read_text(encoding="utf-8"))
    figures = {row["name"]: row for row in told["figures"]}
    steps = [row for name, row in figures.items() if name.endswith("finite figures")]
    assert len(steps) >= 9
    assert all(row["value"] >= row["target"] for row in steps)
    assert figures["bfloat16 from float32, nats a token, mean"]["value"] < 0.03
