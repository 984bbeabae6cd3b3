"""Rows side by side, as a person reads them."""

from collections.abc import Iterator
from pathlib import Path

from rlaif.errors import InputError
from rlaif.records import Preference, Revision
from rlaif.storage import read_records

Lines = list[tuple[str, str]]


def rows_to_look_at(
    folder: Path, *, principle: str | None = None, is_flipped: bool = False
) -> Iterator[Lines]:
    """Give each row of a folder (or file) as named lines.

    Raises:
        InputError: when there is nothing to look at.
    """
    path = _file_in(folder)
    if path.name == "revisions.jsonl":
        for revision in read_records(path, Revision):
            if principle is None or principle in [c.principle for c in revision.critiques]:
                yield _revision(revision)
        return
    for preference in read_records(path, Preference):
        judged_by = {verdict.principle for verdict in preference.verdicts}
        flipped = any(verdict.evidence.get("flipped") for verdict in preference.verdicts)
        if (principle is None or principle in judged_by) and (flipped or not is_flipped):
            yield _preference(preference)


def _file_in(folder: Path) -> Path:
    if folder.is_file():
        return folder
    for name in ("preferences.jsonl", "revisions.jsonl"):
        for place in (folder / name, folder / "label" / name):
            if place.is_file():
                return place
    raise InputError(f"{folder}: no preferences.jsonl or revisions.jsonl here")


def _preference(row: Preference) -> Lines:
    lines = [
        ("prompt", row.prompt.text),
        ("chosen", f"{row.chosen.text}   p = {row.p_chosen:.2f}"),
        ("rejected", row.rejected.text),
    ]
    for verdict in row.verdicts:
        evidence = " · ".join(f"{k} {v:.2f}" for k, v in verdict.evidence.items())
        how = f"p = {verdict.p_first:.2f}   {evidence}   read from {verdict.read}"
        lines.append(("principle", f"{verdict.principle}   {how}"))
        if verdict.reason:
            lines.append(("reason", verdict.reason))
    lines += [("abstained", f"{a.principle}: {a.kind} {a.detail}") for a in row.abstained]
    lines.append(("by", f"{row.by} ({row.source})"))
    lines += [("despite", what) for what in row.despite]
    return lines


def _revision(row: Revision) -> Lines:
    sure = f"   p = {row.p_better:.2f}" if row.p_better is not None else ""
    critiques = [("critique", f"{c.principle}: {c.text}") for c in row.critiques]
    return [
        ("prompt", row.prompt.text),
        ("before", row.before.text),
        *critiques,
        ("after", f"{row.after.text}{sure}"),
    ]
