"""What `torchrun` runs in `test_deepspeed.py`: every trainer, with a stage of ZeRO.

torchrun --nproc-per-node 2 -m tests.training.with_deepspeed MODEL FOLDER
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import transformers

from rlaif.ranks import rank, ranks
from tests.training.on_ranks import METHODS, judge_goes_away

CUT_OFF = ("rloo", "ppo")
"""Methods whose judge goes away: without a critic, and with one."""


@contextmanager
def stages() -> Iterator[list[int]]:
    """Take down by which stage each run trains."""
    seen: list[int] = []
    trains = transformers.Trainer.train

    def train(trainer: Any, *args: Any, **named: Any) -> Any:
        done = trains(trainer, *args, **named)
        seen.append(trainer.model_wrapped.zero_optimization_stage())
        return done

    transformers.Trainer.train = train
    try:
        yield seen
    finally:
        transformers.Trainer.train = trains


def run() -> None:
    """Train by every method, and once more with a judge that goes away in the middle."""
    model, folder = map(Path, sys.argv[1:])
    found: dict[str, Any] = {}
    for name, train in METHODS.items():
        with stages() as seen:
            train(model, folder / name, ranks())
        found[name] = seen
    for name in CUT_OFF:
        judge_goes_away(model, folder, name)
    (folder / f"rank-{rank()}.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    run()
