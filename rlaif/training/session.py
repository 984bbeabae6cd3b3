"""One training run to its end: from its start or its last checkpoint, to a whole folder.

Ctrl-C and a polite kill end it between two updates, with a checkpoint, and the same call goes on
there. A loss that is no number ends it with what it was at its last checkpoint beside `out`.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import torch
from transformers import TrainerCallback, TrainerState
from transformers.trainer import TRAINER_STATE_NAME

from rlaif.errors import StageError
from rlaif.ranks import is_first, ranks
from rlaif.training.checkpoints import (
    Whole,
    last_checkpoint,
    weights_of,
    whole_checkpoints,
    work_folder,
)
from rlaif.training.common import Watch, run
from rlaif.training.config import Progress, Trained, TrainingConfig
from rlaif.training.folder import save, save_adapter, told_of_length, whole_folder

STOPPED = "stopped"
"""In a run's history: why it ended before its last step."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_TENSORBOARD = "TENSORBOARD_LOGGING_DIR"


@contextlib.contextmanager
def working(out: Path, config: TrainingConfig, model: Path, seed: int, rows: Any) -> Iterator[Path]:
    """Give the folder of a run's checkpoints, of that config, model, seed and rows alone.

    It goes away when the run is done, or has failed before its first checkpoint.
    """
    key = [config.model_dump(mode="json"), seed, str(model), weights_of(model), rows]
    folder = work_folder(out, key)
    try:
        with _tensorboard_beside(out):
            yield folder
    except BaseException:
        # One of several processes may have failed alone, so that none can wait for another here.
        if is_first() and not whole_checkpoints(folder):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    if is_first():
        shutil.rmtree(folder)


@contextlib.contextmanager
def _tensorboard_beside(out: Path) -> Iterator[None]:
    """Let TensorBoard's files stand beside the model: a run's own folder goes away.

    `TENSORBOARD_LOGGING_DIR` is what transformers asks; a value of the user's own is left.
    """
    if _TENSORBOARD in os.environ:
        yield
        return
    os.environ[_TENSORBOARD] = str(out.with_name(f"{out.name}.tensorboard"))
    try:
        yield
    finally:
        del os.environ[_TENSORBOARD]


class Task(NamedTuple):
    """Tokenised rows to train on, how, and where the model is written."""

    tokens: list[dict[str, Any]]
    tokenizer: Any
    left_out: dict[str, int]
    """Rows that are not among them, by reason."""
    config: TrainingConfig
    model: Path
    out: Path
    seed: int
    started: float
    """When the work began, by the clock that never goes back."""


def train_on(
    task: Task,
    make_trainer: Callable[[list[dict[str, Any]], Any, Any, Path, Path, int], Any],
    figures: Sequence[str],
    progress: Progress | None,
) -> Trained:
    """Train on rows and write the model; tell of these figures, each a mean over the last half.

    `make_trainer` is given the rows, the tokenizer, the config, the model, the folder of the run's
    checkpoints and the seed.
    """
    tokens, tokenizer, left_out, config, model, out, seed, started = task
    watch = Watch(progress)
    with working(out, config, model, seed, digest_of(tokens)) as work:
        trainer = make_trainer(tokens, tokenizer, config, model, work, seed)
        carry_through(trainer, tokenizer, watch, out)
    metrics = {
        **watch.first_and_last(),
        **{name: watch.mean(name) for name in figures},
        "seconds": time.monotonic() - started,
    }
    notes = told_of_length(model, config.max_length, left_out["too long"])
    return Trained(out, metrics, len(tokens), left_out, notes)


def carry_through(
    trainer: Any, tokenizer: Any, watch: Watch, out: Path, *, is_apart: bool = False
) -> None:
    """Train to the end and write `out`, whole; the trainer's own folder is that of its checkpoints.

    With `is_apart` an adapter is written alone, and not merged into its base.

    Raises:
        KeyboardInterrupt: after a checkpoint, where the run was told to stop.
        StageError: for a loss that is no number; the message says what was kept, and where.
    """
    work = Path(trainer.args.output_dir)
    trainer.add_callback(watch)
    trainer.add_callback(Whole())
    with _stopping_between_updates(trainer):
        try:
            if not is_done(trainer, last_checkpoint(work)):
                run(trainer, last_checkpoint(work))
        except StageError as error:
            raise _keeping_the_last(error, trainer, tokenizer, out) from None
    with whole_folder(out) as folder:
        if is_apart:
            save_adapter(trainer.model, folder)
        else:
            save(trainer.model, tokenizer, folder)


def is_done(trainer: Any, checkpoint: Path | None) -> bool:
    """Take in a checkpoint of the last update, after which transformers would make one more.

    What watches the run is told of its beginning and its end, as if it had ended only now.
    """
    if checkpoint is None:
        return False
    state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))
    stopped = any(STOPPED in log for log in state.log_history)
    if state.global_step < state.max_steps and not stopped:
        return False
    trainer._load_from_checkpoint(str(checkpoint))
    trainer.state = state
    told = trainer.args, state, trainer.control
    trainer.callback_handler.on_train_begin(*told)
    trainer.callback_handler.on_train_end(*told)
    return True


def _keeping_the_last(error: StageError, trainer: Any, tokenizer: Any, out: Path) -> StageError:
    """Write the model of the last checkpoint beside `out`, where there is one."""
    if ranks() > 1:
        # The others may know of no error, and writing takes all of them; the checkpoint stays.
        kept = whole_checkpoints(Path(trainer.args.output_dir))
        return StageError(f"{error}; checkpoints are in {kept[0].parent}") if kept else error
    checkpoint = last_checkpoint(Path(trainer.args.output_dir))
    if checkpoint is None:
        return error
    step = checkpoint.name.rpartition("-")[2]
    beside = out.with_name(f"{out.name}-step-{step}")
    trainer._load_from_checkpoint(str(checkpoint))
    with whole_folder(beside) as folder:
        save(trainer.model, tokenizer, folder)
    return StageError(f"{error}; the model as it was after step {step} is in {beside}")


class _Stop(TrainerCallback):  # type: ignore[misc]
    """Ends a run after the update at hand, with a checkpoint, once a signal has come."""

    def __init__(self) -> None:
        """Wait for a signal."""
        self.signal: int | None = None

    def on_step_end(self, args: Any, _state: Any, control: Any, **_: Any) -> None:
        """Save and stop, on all ranks at the same update."""
        told = self.signal is not None
        if args.world_size > 1:
            flag = torch.tensor(float(told), device=args.device)
            torch.distributed.all_reduce(flag, torch.distributed.ReduceOp.MAX)
            told = bool(flag)
        if told:
            self.signal = self.signal or signal.SIGTERM
            control.should_save = control.should_training_stop = True


@contextlib.contextmanager
def _stopping_between_updates(trainer: Any) -> Iterator[None]:
    """Hold the first signal back until a checkpoint is written; a second Ctrl-C ends at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stop = _Stop()
    trainer.add_callback(stop)
    before: dict[int, Any] = {number: signal.getsignal(number) for number in _SIGNALS}

    def note(number: int, frame: FrameType | None) -> None:
        if stop.signal == number == signal.SIGINT:
            _pass_on(before[number], number, frame)
        stop.signal = number

    try:
        for number in _SIGNALS:
            signal.signal(number, note)
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    if stop.signal is not None:
        _pass_on(before[stop.signal], stop.signal, None)
        raise KeyboardInterrupt


def _pass_on(handler: Any, number: int, frame: FrameType | None) -> None:
    """Do what would have been done; where that is nothing, end all the same."""
    if callable(handler):
        handler(number, frame)
    raise KeyboardInterrupt


def digest_of(rows: Iterable[dict[str, Any]]) -> str:
    """Stand for tokenised rows, in order."""
    made = hashlib.blake2b(digest_size=16)
    for row in rows:
        made.update(repr(sorted(row.items())).encode())
    return made.hexdigest()
