"""Moving a policy by itself, on plain files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rlaif.errors import InputError
from rlaif.experiment.alone_rewarded import Rewarding, Run, one_stage
from rlaif.experiment.alone_training import left_out_notes, local_path
from rlaif.experiment.config import OptimizeSection, override_with
from rlaif.experiment.context import Context
from rlaif.experiment.curve import Curve, arrow
from rlaif.experiment.dry_run import DryContext, count
from rlaif.experiment.estimate import Estimates
from rlaif.experiment.learned import read_learned
from rlaif.experiment.progress import Watcher
from rlaif.experiment.work.optimize import move_by_reward
from rlaif.feedback.select import widest
from rlaif.feedback.sound import Aside
from rlaif.training.config import Trained
from rlaif.training.optimize import optimize_policy
from rlaif.yamlfile import validated


def optimize_config(
    lora: int, options: dict[str, Any], bits: int | None = None, settings: Sequence[str] = ()
) -> OptimizeSection:
    """Make a config of the command's options; `lora` is the adapter's rank, 0 for every weight.

    `bits` are those of the frozen weights below an adapter. `settings` such as `samples=8` come
    last: any key of an experiment's section `optimize`.

    Raises:
        InputError: for options that do not go together, or out of range.
    """
    said = {name: value for name, value in options.items() if value is not None}
    if bits and not lora:
        raise InputError("--bits: only weights below an adapter can be read in few; give --lora 16")
    data = {**said, "lora": {"r": lora, "bits": bits} if lora else None}
    for setting in settings:
        override_with(data, setting)
    # A full training takes about a tenth of an adapter's rate.
    data.setdefault("learning_rate", 3e-4 if data["lora"] else 3e-5)
    return validated(data, OptimizeSection)


class Job(NamedTuple):
    """What is moved, by what, to where."""

    paths: Sequence[Path]
    """Files of labels, or one of prompts."""
    model: str
    out: Path
    config: OptimizeSection
    seed: int = 0
    who: Rewarding | None = None


def optimize_alone(job: Job, watcher: Watcher) -> str:
    """Move a policy by files of labels, or by a reward on a file of prompts; say where it is."""
    trained = (_by_reward if job.config.by_reward else _by_labels)(job, watcher)
    for note in (*trained.notes, *left_out_notes(trained)):
        watcher.say(note)
    return f"kept in {trained.path}"


def _by_labels(job: Job, watcher: Watcher) -> Trained:
    config, aside = job.config, Aside()
    files = [*job.paths, *map(Path, config.also)]
    learned = read_learned(files, config.method, aside=aside)
    for line in aside.lines():
        watcher.say(line)
    pairs = learned.preferences
    trained = optimize_policy(
        config,
        local_path(job.model, watcher),
        job.out,
        preferences=widest(pairs) if config.pairs == "widest" else pairs,
        unpaired=learned.unpaired,
        seed=job.seed,
        progress=_curve(job, watcher),
    )
    what = "answers" if config.method == "kto" else "pairs"
    watcher.end(f"{config.method}, {trained.rows} {what}, {arrow(trained.metrics)}")
    return trained._replace(left_out={**aside.counts, **learned.left_out, **trained.left_out})


def _by_reward(job: Job, watcher: Watcher) -> Trained:
    run = _run(Context, job, watcher)
    samples = job.out.with_name(f"{job.out.name}.samples.jsonl")
    try:
        trained = move_by_reward(run, job.config, job.out, samples, _curve(job, watcher))
    finally:
        run.meter.close()
    watcher.end(f"{job.config.method}, {trained.rows} prompts, {arrow(trained.metrics)}")
    return trained


def count_alone(job: Job, watcher: Watcher) -> Estimates | None:
    """Count what a policy's judges would be asked; None where it learns from labels."""
    if not job.config.by_reward:
        return None
    return count(_run(DryContext, job, watcher), ["optimize"])


def _run(kind: type[Run], job: Job, watcher: Watcher) -> Run:
    if len(job.paths) > 1 or job.config.also:
        raise InputError(
            f"also: {job.config.method} learns from a reward, not labels; leave it out"
        )
    where = job.paths[0], job.model, job.out
    return one_stage(kind, where, job.config, job.who or Rewarding(), job.seed, watcher)


def _curve(job: Job, watcher: Watcher) -> Curve:
    return Curve(job.out.with_name(f"{job.out.name}.curve.jsonl"), watcher, "optimize")
