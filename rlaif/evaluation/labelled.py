"""A judge's labels as they lie on disk: the pairs it decided, and what it abstained on."""

from pathlib import Path
from typing import NamedTuple

from rlaif.constitution.principle import Constitution
from rlaif.errors import InputError
from rlaif.records import Abstention, Preference
from rlaif.storage import read_records
from rlaif.yamlfile import load


class Labelled(NamedTuple):
    """What came of labelling: each pair stands in one of the two."""

    preferences: list[Preference]
    abstentions: list[Abstention]


def read_labelled(path: Path) -> Labelled:
    """Read a folder that labelling wrote, or its `preferences.jsonl` with what lies beside it.

    Raises:
        InputError: where there is no such file, or nothing in it.
    """
    file = _file_in(path)
    beside = file.with_name("abstentions.jsonl")
    preferences = list({row.id: row for row in read_records(file, Preference)}.values())
    abstentions = list(read_records(beside, Abstention)) if beside.is_file() else []
    if not preferences and not abstentions:
        raise InputError(f"{path}: holds no labels")
    return Labelled(preferences, abstentions)


def rules_of(path: Path) -> Constitution | None:
    """Give the constitution of the run that the labels lie in; None where they lie in no run."""
    file = _file_in(path)
    for folder in (file.parent, file.parent.parent):
        if (folder / "constitution.yaml").is_file():
            return load(folder / "constitution.yaml", Constitution)
    return None


def _file_in(path: Path) -> Path:
    if not path.is_dir():
        return path
    for file in (path / "preferences.jsonl", path / "label" / "preferences.jsonl"):
        if file.is_file():
            return file
    raise InputError(f"{path}: no preferences.jsonl here; name a folder that `rlaif label` wrote")
