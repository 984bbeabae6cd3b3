"""`rlaif reward` that is killed, and run again: the same weights as if nothing had happened."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rlaif.storage import write_records
from tests.training.conftest import preferring_yes

LIMIT = 240.0
"""Seconds until the first checkpoint, on a machine that is busy with other things."""


def command(folder: Path, model: Path, out: str) -> list[str]:
    options = "--epochs 12 --batch 2 --lora 2 --held-out 0 --checkpoint 5 --seed 3"
    asked = ["reward", str(folder / "labels.jsonl"), "-o", str(folder / out), "--model", str(model)]
    return [sys.executable, "-m", "rlaif", *asked, *options.split()]


@pytest.mark.slow
def test_a_training_killed_outright_ends_with_the_weights_it_would_have_had(
    tiny_model: Path, tmp_path: Path
) -> None:
    write_records(tmp_path / "labels.jsonl", [preferring_yes(number) for number in range(8)])
    running = subprocess.Popen(command(tmp_path, tiny_model, "killed"), start_new_session=True)
    until = time.monotonic() + LIMIT
    while not list(tmp_path.glob(".killed.work/*/checkpoint-*/whole")):
        assert running.poll() is None, "it ended before its first checkpoint"
        assert time.monotonic() < until
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert not (tmp_path / "killed").exists()
    for out in ("killed", "whole"):
        subprocess.run(command(tmp_path, tiny_model, out), check=True)
    for name in ("model.safetensors", "reward.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    curves = [(tmp_path / f"{out}.curve.jsonl").read_text("utf-8") for out in ("killed", "whole")]
    assert len(curves[0].splitlines()) == len(curves[1].splitlines()) == 48
    assert not list(tmp_path.glob(".*.work"))
