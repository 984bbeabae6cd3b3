"""Write preferences in another tool's format, read them again, and say what did not come back."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow
import pyarrow.parquet

from rlaif.errors import InputError
from rlaif.feedback.export.argilla import record
from rlaif.feedback.export.icai import annotated_pairs
from rlaif.feedback.export.trl import preference_row, unpaired_rows
from rlaif.feedback.importers.pairs import read_people
from rlaif.records import Preference
from rlaif.resources import did_you_mean
from rlaif.storage import storing, write_atomically

Format = Literal["trl", "kto", "icai", "argilla", "parquet"]
_BATCH = 1_000


class Exported(NamedTuple):
    """What came of an export."""

    rows: int
    lost: dict[str, int]
    """What a label held that does not come back, with the number of labels that lose it."""


def export(
    labels: Sequence[Preference], to: str, path: Path, words: Mapping[str, str] | None = None
) -> Exported:
    """Write labels to a file and compare what is read from it with what went in.

    Args:
        labels: the preferences.
        to: `trl`, `kto`, `icai`, `argilla` (all text) or `parquet`.
        path: the file to write.
        words: each principle's sentence by its id, for ICAI.

    Raises:
        InputError: for an unknown format, or without a label.
    """
    if to not in WRITERS:
        raise InputError(f"{to}: no such format{did_you_mean(to, list(WRITERS))}")
    if not labels:
        raise InputError(f"{path}: no label to write")
    rows = WRITERS[to](labels, path, words or {})
    if to == "kto":
        return Exported(rows, _unpaired(labels, rows))
    return Exported(rows, lost(labels, read_people(path)))


def lost(before: Sequence[Preference], after: Sequence[Preference]) -> dict[str, int]:
    """Count, field by field, the labels that do not come back as they were.

    >>> lost([], [])
    {}
    """
    counts: Counter[str] = Counter()
    found = {(label.id, label.by): label for label in after}
    for label in before:
        back = found.get((label.id, label.by))
        if back is None:
            counts["the label itself"] += 1
        else:
            counts.update(_differing(label.model_dump(), back.model_dump()))
    return dict(counts)


def _differing(before: Mapping[str, Any], after: Mapping[str, Any], stem: str = "") -> set[str]:
    names: set[str] = set()
    for name, value in before.items():
        other = after.get(name)
        if isinstance(value, dict) and isinstance(other, dict):
            names |= _differing(value, other, f"{stem}{name}.")
        elif value != other:
            names.add(f"{stem}{name}")
    return names


def _unpaired(labels: Sequence[Preference], rows: int) -> dict[str, int]:
    """Say what single replies cannot hold: which were compared, and how sure that was."""
    ties = sum(label.p_chosen == 0.5 for label in labels)
    replies = len({(r.prompt.text, t.text) for r in labels for t in (r.chosen, r.rejected)})
    counts = {
        "which replies were compared": len(labels),
        "p_chosen": sum(label.p_chosen < 1.0 for label in labels),
        "ties, left out": ties,
        "replies of ties alone, or as often good as bad, left out": replies - rows,
    }
    return {name: count for name, count in counts.items() if count}


def _lines(rows: Iterable[Mapping[str, Any]], path: Path) -> int:
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    write_atomically(path, "".join(f"{line}\n" for line in lines))
    return len(lines)


def _trl(labels: Sequence[Preference], path: Path, _: Mapping[str, str]) -> int:
    return _lines((preference_row(label) for label in labels), path)


def _kto(labels: Sequence[Preference], path: Path, _: Mapping[str, str]) -> int:
    return _lines(unpaired_rows(labels), path)


def _icai(labels: Sequence[Preference], path: Path, words: Mapping[str, str]) -> int:
    pairs = annotated_pairs(labels, words)
    write_atomically(path, json.dumps(pairs, ensure_ascii=False, indent=1) + "\n")
    return len(labels)


def _argilla(labels: Sequence[Preference], path: Path, _: Mapping[str, str]) -> int:
    return _lines((record(label) for label in labels), path)


def _parquet(labels: Sequence[Preference], path: Path, _: Mapping[str, str]) -> int:
    """Write TRL's columns, and the whole record as JSON in one more, so that nothing is lost."""
    if path.suffix != ".parquet":
        raise InputError(f"{path}: a Parquet file's name ends in .parquet")
    partial = path.with_name(f".{path.name}.partial")
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with pyarrow.parquet.ParquetWriter(partial, _SCHEMA) as writer:
            for start in range(0, len(labels), _BATCH):
                batch = [_row(label) for label in labels[start : start + _BATCH]]
                writer.write_table(pyarrow.Table.from_pylist(batch, schema=_SCHEMA))
        partial.replace(path)
    return len(labels)


def _row(label: Preference) -> dict[str, Any]:
    return {**preference_row(label), "record": label.model_dump_json(exclude_defaults=True)}


_TURNS = pyarrow.list_(pyarrow.struct([("role", pyarrow.string()), ("content", pyarrow.string())]))
_SCHEMA = pyarrow.schema(
    [
        ("id", pyarrow.string()),
        ("prompt", _TURNS),
        ("chosen", _TURNS),
        ("rejected", _TURNS),
        ("p_chosen", pyarrow.float64()),
        ("weight", pyarrow.float64()),
        ("source", pyarrow.string()),
        ("by", pyarrow.string()),
        ("group", pyarrow.string()),
        ("tags", pyarrow.list_(pyarrow.string())),
        ("chosen_author", pyarrow.string()),
        ("rejected_author", pyarrow.string()),
        ("record", pyarrow.string()),
    ]
)
WRITERS: dict[str, Callable[[Sequence[Preference], Path, Mapping[str, str]], int]] = {
    "trl": _trl,
    "kto": _kto,
    "icai": _icai,
    "argilla": _argilla,
    "parquet": _parquet,
}
