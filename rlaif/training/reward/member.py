"""One model of an ensemble after another, each from a seed of its own; mostly there is one."""

from pathlib import Path
from typing import Any, NamedTuple

import trl

from rlaif.ranks import is_first
from rlaif.records import Record
from rlaif.storage import write_atomically
from rlaif.training.checkpoints import Whole, keeping, last_checkpoint
from rlaif.training.common import Watch, adapter, arguments, repeatable, run
from rlaif.training.config import Progress, RewardConfig
from rlaif.training.folder import checked, merged, reading, save, tokens_read, whole_folder
from rlaif.training.quantised import train_in_full
from rlaif.training.reward.collator import AnswerCollator
from rlaif.training.reward.groups import Groups
from rlaif.training.reward.heads import narrow, widen
from rlaif.training.reward.probe import fit_probe
from rlaif.training.reward.rows import Rows
from rlaif.training.reward.trainer import GroupTrainer
from rlaif.training.session import is_done
from rlaif.training.whole_weights import gather_in_place

_APART = "the model's answers cannot share a row, so that each is read in a row of its own"


class Job(NamedTuple):
    """What each member is trained on, and how."""

    rows: Rows
    groups: Groups
    tokenizer: Any
    config: RewardConfig
    model: Path
    work: Path
    """Where checkpoints and finished members are kept."""


class Members(NamedTuple):
    """Trained members."""

    folders: list[Path]
    metrics: dict[str, float]
    """Of the first."""
    notes: tuple[str, ...]


def train_members(job: Job, seed: int, progress: Progress | None) -> Members:
    """Train what an earlier run has not finished."""
    folders = []
    for number in range(job.config.members):
        own = _numbered(progress, number, job.config.members) if progress else None
        folder = job.work / f"member-{number}-of-{job.rows.fingerprint}"
        if not folder.is_dir():
            _train(job, folder, seed + number, own)
        folders.append(folder)
    told = [_told(folder) for folder in folders]
    notes = dict.fromkeys(note for each in told for note in each.notes)
    return Members(folders, told[0].metrics, tuple(notes))


def _numbered(progress: Progress, number: int, count: int) -> Progress:
    """Count the steps of all members together."""

    def report(step: int, steps: int, metrics: dict[str, float]) -> None:
        progress(number * steps + step, count * steps, metrics)

    return report


def _train(job: Job, out: Path, seed: int, progress: Progress | None) -> None:
    with repeatable(seed):
        model, told = (_fitted if job.config.probe else _trained)(job, out, seed, progress)
        if is_first():
            write_atomically(_told_in(out), told.model_dump_json())
        with whole_folder(out) as folder:
            write_member(model, job.tokenizer, job.config.heads, folder)


def write_member(model: Any, tokenizer: Any, heads: int, folder: Path) -> None:
    """Write a trained member, an adapter merged and its heads beside it.

    Every process takes part, since each may hold a part of the weights; the first one writes.
    """
    # Before an adapter is merged and a head read: a part of a weight cannot be.
    gather_in_place(model)
    if not is_first():
        return
    whole = merged(model)
    # One number, as it is: vLLM would give its sigmoid.
    whole.config.problem_type = "regression"
    if heads > 1:
        narrow(whole, folder)
    save(whole, tokenizer, folder)


def _trained(job: Job, out: Path, seed: int, progress: Progress | None) -> tuple[Any, "_Told"]:
    checkpoints = out.with_name(f"{out.name}.checkpoints")
    watch = Watch(progress)
    trainer = make_trainer(job, checkpoints, seed)
    trainer.add_callback(watch)
    trainer.add_callback(Whole())
    is_apart = job.config.share_prompts and not trainer.share_prompts()
    if not is_done(trainer, last_checkpoint(checkpoints)):
        run(trainer, last_checkpoint(checkpoints))
    metrics = {**watch.first_and_last(), "accuracy_train": watch.mean("accuracy")}
    return trainer.model, _Told(metrics=metrics, notes=(_APART,) if is_apart else ())


def _fitted(job: Job, _out: Path, _seed: int, progress: Progress | None) -> tuple[Any, "_Told"]:
    done = fit_probe(
        job.model, job.tokenizer, job.rows.answers, job.groups.rows, job.config, progress
    )
    return done.model, _Told(metrics=done.metrics, notes=())


class _Told(Record):
    """What is kept of a finished member beside its weights."""

    metrics: dict[str, float]
    notes: tuple[str, ...]


def _told(member: Path) -> _Told:
    return _Told.model_validate_json(_told_in(member).read_text(encoding="utf-8"))


def _told_in(member: Path) -> Path:
    return member.with_name(f"{member.name}.json")


def make_trainer(job: Job, folder: Path, seed: int) -> GroupTrainer:
    """Put the trainer together; it keeps its checkpoints in a folder."""
    config = job.config
    more = {
        "max_length": tokens_read(job.model, config.max_length),
        "center_rewards_coefficient": config.centring,
        **keeping(config),
    }
    args = arguments(trl.RewardConfig, config, folder, seed, **more)
    # A classifier of several labels is a base too: its labels' weights make room for one score.
    args.model_init_kwargs["ignore_mismatched_sizes"] = True
    with reading(job.model):
        trainer = GroupTrainer(
            model=checked(job.model),
            args=args,
            train_dataset=job.groups.rows,
            data_collator=AnswerCollator(job.rows.answers, job.tokenizer.pad_token_id),
            processing_class=job.tokenizer,
            peft_config=adapter(config.lora, job.model, "SEQ_CLS"),
        )
    train_in_full(trainer.model)
    if config.heads > 1:
        widen(trainer.model, config.heads)
    return trainer
