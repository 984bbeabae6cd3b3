"""A run's folder as records: whatever is there, and nothing that is half written."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import yaml
from pydantic import ValidationError

from rlaif.constitution.principle import Constitution
from rlaif.errors import InputError, StorageError
from rlaif.evaluation.audit.gate import Gate
from rlaif.evaluation.results import Evaluation
from rlaif.evaluation.reward.report import RewardReport
from rlaif.records import (
    Abstention,
    Manifest,
    Preference,
    Record,
    Revision,
)
from rlaif.yamlfile import load, read_text

STAGES = ("respond", "revise", "sft", "label", "reward", "optimize", "evaluate")
State = Literal["done", "unfinished", "not run", "not asked for"]
Row = TypeVar("Row", bound=Record)
Point = Mapping[str, float]


class Stage(NamedTuple):
    """One stage of a run, and how far it came."""

    name: str
    state: State
    manifest: Manifest | None


class Run(NamedTuple):
    """What a run has made so far."""

    folder: Path
    name: str
    experiment: dict[str, Any]
    constitution: Constitution | None
    stages: tuple[Stage, ...]
    revisions: list[Revision]
    preferences: list[Preference]
    abstentions: dict[str, list[Abstention]]
    """By stage."""
    curves: dict[str, list[Point]]
    """Training steps by stage."""
    evaluation: Evaluation | None
    gate: Gate | None
    """What was required of the judge before it labelled."""
    reward: RewardReport | None
    """What the reward model's held-out pairs show."""


def read_run(folder: Path) -> Run:
    """Read a run's folder; a part that is missing is empty.

    Raises:
        InputError: when the folder is no run at all.
        StorageError: for a file of the run that somebody damaged.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such run; name a folder that `rlaif run` has made")
    experiment = _experiment(folder / "experiment.yaml")
    stages = tuple(_stage(folder / name, experiment) for name in STAGES)
    if not experiment and all(stage.state not in ("done", "unfinished") for stage in stages):
        raise InputError(f"{folder}: not a run: neither experiment.yaml nor a stage's folder")
    constitution = folder / "constitution.yaml"
    evaluation = folder / "evaluate" / "evaluation.json"
    gate = folder / "label" / "gate.json"
    reward = folder / "reward" / "report.json"
    return Run(
        folder=folder,
        name=str(experiment.get("name") or folder.resolve().name),
        experiment=experiment,
        constitution=load(constitution, Constitution) if constitution.is_file() else None,
        stages=stages,
        revisions=_journal(folder / "revise" / "revisions.jsonl", Revision),
        preferences=_journal(folder / "label" / "preferences.jsonl", Preference),
        abstentions={
            name: _journal(folder / name / "abstentions.jsonl", Abstention) for name in STAGES
        },
        curves={name: _curve(folder / name / "curve.jsonl") for name in STAGES},
        evaluation=_record(evaluation, Evaluation) if evaluation.is_file() else None,
        gate=_record(gate, Gate) if gate.is_file() else None,
        reward=_record(reward, RewardReport) if reward.is_file() else None,
    )


def _experiment(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    data = yaml.safe_load(read_text(path))
    return data if isinstance(data, dict) else {}


def _stage(folder: Path, experiment: dict[str, Any]) -> Stage:
    path = folder / "manifest.json"
    if path.is_file():
        return Stage(folder.name, "done", _record(path, Manifest))
    if folder.is_dir():
        return Stage(folder.name, "unfinished", None)
    is_asked = not experiment or experiment.get(folder.name) is not None
    return Stage(folder.name, "not run" if is_asked else "not asked for", None)


def _record(path: Path, kind: type[Row]) -> Row:
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError:
        raise StorageError(
            f"{path}: damaged; delete {path.parent} and run the experiment again"
        ) from None


def _lines(path: Path) -> list[tuple[int, str]]:
    """Give a journal's whole lines; the last one of a run that goes on may be cut short."""
    if not path.is_file():
        return []
    text = read_text(path)
    whole = text[: text.rfind("\n") + 1]
    return [(number, line) for number, line in enumerate(whole.split("\n"), start=1) if line]


def _journal(path: Path, kind: type[Row]) -> list[Row]:
    rows = []
    for number, line in _lines(path):
        try:
            rows.append(kind.model_validate_json(line))
        except ValidationError:
            raise StorageError(f"{path}:{number}: not a line of this journal; delete it") from None
    return rows


def _curve(path: Path) -> list[Point]:
    points: list[Point] = []
    for number, line in _lines(path):
        try:
            data = json.loads(line)
            points.append({k: float(v) for k, v in data.items() if isinstance(v, int | float)})
        except (ValueError, AttributeError):
            raise StorageError(f"{path}:{number}: not a training step; delete the line") from None
    return points


def as_json(record: Record) -> str:
    """Write a record as people read JSON."""
    return record.model_dump_json(indent=1, exclude_defaults=True)
