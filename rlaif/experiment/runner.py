"""Run an experiment's stages in order, doing only what is not done: the one module of folders."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml

from rlaif import __version__
from rlaif.constitution.diff import diff, words_changed
from rlaif.constitution.principle import Constitution
from rlaif.constitution.write import yaml_text
from rlaif.errors import InputError, RlaifError, StageError
from rlaif.experiment.context import Context
from rlaif.experiment.manifest import State, begin, finish, read_manifest, state_of
from rlaif.experiment.stages import STAGES, Done, Stage, all_inputs, stage_key
from rlaif.locks import alone_in
from rlaif.records import Manifest, Usage
from rlaif.storage import write_atomically


@dataclass(frozen=True)
class Planned:
    """One stage of a run and how it stands."""

    stage: Stage
    state: State
    why: str
    """What changed, where it is stale."""
    requests: int
    """Requests that running it sends at most; those in the store cost nothing."""


def plan(run: Context) -> list[Planned]:
    """Say of each stage of the experiment whether it is fresh, and if not why."""
    planned = []
    for stage in STAGES.values():
        if stage.section(run) is None:
            continue
        state = state_of(run.folder / stage.name, stage_key(run, stage))
        why = _why_stale(run, stage) if state == "stale" else ""
        planned.append(Planned(stage, state, why, stage.requests(run)))
    return planned


def _why_stale(run: Context, stage: Stage) -> str:
    manifest = read_manifest(run.folder / stage.name)
    if manifest is None:
        return "its inputs changed while it was unfinished"
    reasons = [
        _constitution_changed(run) if name == "constitution" else f"{name} changed"
        for name, value in all_inputs(run, stage).items()
        if manifest.inputs.get(name) != value
    ]
    config = stage.config(run)
    reasons += [
        f"{stage.name}.{key} changed" for key in config if manifest.config.get(key) != config[key]
    ]
    return ", ".join(reasons) or "the toolkit's version changed"


def _constitution_changed(run: Context) -> str:
    try:
        before = Constitution.load(run.folder / "constitution.yaml")
    except InputError:
        return "constitution changed"
    return f"constitution: {words_changed(diff(before, run.constitution))}"


def run_stages(
    run: Context,
    until: str | None = None,
    lead: Callable[[str], None] = lambda _: None,
    rejoin: Callable[[str], None] = lambda _: None,
) -> Iterator[tuple[str, Done | None]]:
    """Do every stage that is not fresh; yield each stage's name and what came of it.

    None stands for a stage that was fresh. A killed run goes on at the item in respond, revise
    and label, and at the stage elsewhere. Other processes of the run are told by `lead` of each
    stage that is about to be done, and waited for by `rejoin` before it is written down.

    Raises:
        StageError: when `until` names no stage of the experiment.
        StorageError: when another process is at work in the run's folder.
    """
    planned = plan(run)
    names = [item.stage.name for item in planned]
    if until is not None and until not in names:
        raise StageError(f"--until {until}: no such stage here; there are: {', '.join(names)}")
    with alone_in(run.folder):
        for item in planned:
            # Read anew: what an earlier stage did may have made this one stale.
            key = stage_key(run, item.stage)
            if state_of(run.folder / item.stage.name, key) == "fresh":
                yield item.stage.name, None
            else:
                lead(item.stage.name)
                yield item.stage.name, _do(run, item.stage, key, rejoin)
            if item.stage.name == until:
                break
        _keep_inputs(run)


def _do(run: Context, stage: Stage, key: str, rejoin: Callable[[str], None]) -> Done:
    folder = run.folder / stage.name
    begin(folder, key)
    started, before = time.monotonic(), run.meter.everyones()
    try:
        done = stage.run(run, folder)
    except RlaifError:
        run.watcher.end("stopped")
        raise
    finally:
        run.meter.close()
    rejoin(stage.name)
    spent = run.meter.everyones() - before
    finish(
        folder,
        Manifest(
            stage=stage.name,
            key=key,
            config=stage.config(run),
            inputs=all_inputs(run, stage),
            version=__version__,
            models=run.identities(),
            counts=done.counts,
            # What was not measured is no number, which a manifest cannot hold.
            metrics={name: x for name, x in done.metrics.items() if math.isfinite(x)},
            tokens=Usage(read=spent.read, written=spent.written),
            usd=spent.dollars,
            despite=done.despite,
            trust=done.trust,
            seconds=round(time.monotonic() - started, 2),
        ),
    )
    run.watcher.end(done.note)
    return done


def _keep_inputs(run: Context) -> None:
    """Copy the resolved experiment and the constitution into the run, for people and the report."""
    experiment = run.experiment.model_dump(mode="json", exclude_none=True)
    text = yaml.safe_dump(experiment, sort_keys=False, allow_unicode=True, width=100)
    write_atomically(run.folder / "experiment.yaml", text)
    write_atomically(run.folder / "constitution.yaml", yaml_text(run.constitution))
