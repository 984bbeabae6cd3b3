"""A training run that was killed goes on at its last checkpoint, and ends as if it never had been.

Checkpoints stand in a folder beside what is written, which goes away with the end of the run.
"""

import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from rlaif.errors import StageError
from rlaif.ranks import is_first, ranks
from rlaif.records import fingerprint_of
from rlaif.storage import storing, write_atomically
from rlaif.training.config import TrainingConfig
from rlaif.training.team import together

_WHOLE = "whole"
"""A file that says that a checkpoint was written to its end."""
_KEY = "key"
_RANKS = "ranks"


def keeping(config: TrainingConfig) -> dict[str, Any]:
    """Give the options of TRL that keep checkpoints as the config says."""
    return {
        "save_strategy": "steps",
        "save_steps": config.checkpoint,
        # One is whole while the next is written.
        "save_total_limit": 2,
    }


def work_folder(out: Path, key: Any) -> Path:
    """Give the folder of a run's checkpoints; one of another run, by its key, is begun anew.

    Raises:
        StageError: when another number of processes has begun: each would go on elsewhere in the
            rows, and draw other numbers.
    """
    folder = out.with_name(f".{out.name}.work")
    if is_first():
        _begin(folder, fingerprint_of(key))
    together()
    return folder


def _begin(folder: Path, wanted: str) -> None:
    note, count = folder / _KEY, folder / _RANKS
    with storing(folder):
        if folder.is_dir() and not (note.is_file() and note.read_text("utf-8") == wanted):
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
    begun = int(count.read_text("utf-8")) if count.is_file() else ranks()
    if begun != ranks() and any(folder.rglob(f"checkpoint-*/{_WHOLE}")):
        raise StageError(
            f"{folder}: its checkpoints are of a run with {begun} processes, and this one has "
            f"{ranks()}: go on with {begun}, or delete that folder to begin anew"
        )
    write_atomically(count, str(ranks()))
    write_atomically(note, wanted)


def last_checkpoint(folder: Path) -> Path | None:
    """Give the newest whole checkpoint in a folder; what a kill left half written is taken away."""
    if is_first():
        for checkpoint in folder.glob("checkpoint-*"):
            if not (checkpoint / _WHOLE).is_file():
                shutil.rmtree(checkpoint)
    together()
    kept = whole_checkpoints(folder)
    return max(kept, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def whole_checkpoints(folder: Path) -> list[Path]:
    """Give the checkpoints that were written to their end."""
    return [note.parent for note in folder.glob(f"checkpoint-*/{_WHOLE}")]


def weights_of(model: Path) -> list[tuple[str, int, int]]:
    """Stand for a model's weights by its files' names, sizes and times; empty for a hub's name."""
    files = sorted(model.glob("*")) if model.is_dir() else []
    stats = [(file.name, file.stat()) for file in files if file.is_file()]
    return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]


class Whole(TrainerCallback):  # type: ignore[misc]
    """Marks each checkpoint once it is written."""

    def on_save(self, args: Any, state: Any, _control: Any, **_: Any) -> None:
        """Mark the checkpoint of this step, once every process has written its part."""
        together()
        if is_first():
            (Path(args.output_dir) / f"checkpoint-{state.global_step}" / _WHOLE).touch()
        # A process that ends now, as all do where a judge stays away, ends the first one too.
        together()
