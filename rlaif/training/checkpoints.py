"""A training run that was killed goes on at its last checkpoint, and ends as if it never had been.

Checkpoints stand in a folder beside what is written, which goes away with the end of the run.
"""

import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from rlaif.records import fingerprint_of
from rlaif.storage import storing, write_atomically
from rlaif.training.config import TrainingConfig

_WHOLE = "whole"
"""A file that says that a checkpoint was written to its end."""
_KEY = "key"


def keeping(config: TrainingConfig) -> dict[str, Any]:
    """Give the options of TRL that keep checkpoints as the config says."""
    return {
        "save_strategy": "steps",
        "save_steps": config.checkpoint,
        # One is whole while the next is written.
        "save_total_limit": 2,
    }


def work_folder(out: Path, key: Any) -> Path:
    """Give the folder of a run's checkpoints; one of another run, by its key, is begun anew."""
    folder, wanted = out.with_name(f".{out.name}.work"), fingerprint_of(key)
    note = folder / _KEY
    with storing(folder):
        if folder.is_dir() and not (note.is_file() and note.read_text("utf-8") == wanted):
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
    write_atomically(note, wanted)
    return folder


def last_checkpoint(folder: Path) -> Path | None:
    """Give the newest whole checkpoint in a folder; what a kill left half written is taken away."""
    kept = []
    for checkpoint in folder.glob("checkpoint-*"):
        if (checkpoint / _WHOLE).is_file():
            kept.append(checkpoint)
        else:
            shutil.rmtree(checkpoint)
    return max(kept, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def weights_of(model: Path) -> list[tuple[str, int, int]]:
    """Stand for a model's weights by its files' names, sizes and times; empty for a hub's name."""
    files = sorted(model.glob("*")) if model.is_dir() else []
    stats = [(file.name, file.stat()) for file in files if file.is_file()]
    return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]


class Whole(TrainerCallback):  # type: ignore[misc]
    """Marks each checkpoint once it is written."""

    def on_save(self, args: Any, state: Any, _control: Any, **_: Any) -> None:
        """Mark the checkpoint of this step."""
        (Path(args.output_dir) / f"checkpoint-{state.global_step}" / _WHOLE).touch()
