"""A training stage's steps: shown as they come, and kept for the report's curves."""

import json
from pathlib import Path

from rlaif.experiment.progress import Watcher
from rlaif.ranks import is_first


class Curve:
    """Takes each training step's metrics; calling it is the trainers' progress callback."""

    def __init__(self, path: Path, watcher: Watcher, stage: str) -> None:
        """Begin the stage's line and an empty file of steps."""
        self._path = path
        self._watcher = watcher
        if is_first():
            path.unlink(missing_ok=True)
        watcher.begin(stage, None)

    def __call__(self, step: int, total: int, metrics: dict[str, float]) -> None:
        """Keep one step; of several processes the first does."""
        if not is_first():
            return
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "total": total, **metrics}) + "\n")
        loss = f"  loss {metrics['loss']:.3f}" if "loss" in metrics else ""
        self._watcher.advance(step, f"step {step} of {total}{loss}")


def arrow(metrics: dict[str, float]) -> str:
    """Say how the reward moved, or the loss where there is none.

    >>> arrow({"loss_first": 2.41, "loss_last": 1.93})
    'loss 2.410 → 1.930'
    """
    for name in ("reward", "loss"):
        if f"{name}_first" in metrics:
            return f"{name} {metrics[f'{name}_first']:.3f} → {metrics[f'{name}_last']:.3f}"
    return "no loss was logged"
