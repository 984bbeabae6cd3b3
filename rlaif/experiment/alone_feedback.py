"""Feedback by itself, on plain files: imported, exported, thumbs tidied."""

import json
from collections.abc import Sequence
from pathlib import Path

from rlaif.constitution.principle import Constitution
from rlaif.errors import InputError
from rlaif.feedback.counts import by_source, told
from rlaif.feedback.export.write import export
from rlaif.feedback.importers import label_of, read_people
from rlaif.feedback.sound import NAMED, Aside, Fault, abstention_of, nothing, sound_rows
from rlaif.feedback.thumbs import check_both, pairs_of, read_thumbs, tidy, unpaired
from rlaif.records import Preference
from rlaif.storage import write_atomically, write_records


def import_alone(path: Path, out: Path) -> list[str]:
    """Read a file's labels into our own, and the rows that are none as abstentions with reasons.

    Raises:
        InputError: where no row is a label.
    """
    outcomes = list(sound_rows(path))
    faults = [one for one in outcomes if isinstance(one, Fault)]
    labels = [label_of(one, path) for one in outcomes if not isinstance(one, Fault)]
    if not labels:
        raise nothing(path, faults)
    file = out / "preferences.jsonl"
    refuse_itself(file, path)
    write_records(file, labels)
    write_records(out / "abstentions.jsonl", [abstention_of(path, fault) for fault in faults])
    aside = Aside()
    aside.add(path, faults)
    lines = aside.lines()
    if len(faults) > NAMED:
        lines[-1] += f"; {out / 'abstentions.jsonl'} has all"
    ties = sum(label.p_chosen == 0.5 for label in labels)
    counts = f"{len(labels):,} labels ({told(by_source(labels))}; {ties:,} ties)"
    return [*lines, f"{counts} kept in {file}, {len(faults):,} rows left out"]


def thumbs_alone(path: Path, out: Path, cap: int | None, seed: int) -> list[str]:
    """Tidy thumbs, and keep them unpaired for KTO and paired within prompts for a reward model.

    Raises:
        InputError: where all point one way.
    """
    thumbs, left_out = tidy(read_thumbs(path), cap=cap, seed=seed)
    check_both(thumbs, path)
    refuse_itself(out / "kto.jsonl", path)
    rows = [json.dumps(row, ensure_ascii=False) for row in unpaired(thumbs)]
    write_atomically(out / "kto.jsonl", "".join(f"{row}\n" for row in rows))
    ups, people = sum(thumb.good for thumb in thumbs), len({thumb.by for thumb in thumbs})
    lines = [
        f"{len(thumbs):,} thumbs of {people:,} people: {ups:,} up, {len(thumbs) - ups:,} down; "
        f"kept in {out / 'kto.jsonl'}"
    ]
    if left_out:
        lines.append(f"left out: {told(left_out)}")
    pairs = pairs_of(thumbs)
    if not pairs:
        return [*lines, "no prompt has two replies that differ in their thumbs: no pairs"]
    write_records(out / "preferences.jsonl", pairs)
    return [*lines, f"{len(pairs):,} pairs within prompts, kept in {out / 'preferences.jsonl'}"]


def export_alone(path: Path, to: str, out: Path, constitution: Constitution | None) -> list[str]:
    """Write labels in another tool's format; say in lines what would not come back."""
    refuse_itself(out, path / "preferences.jsonl" if path.is_dir() else path)
    words = {rule.id: rule.text for rule in constitution.principles} if constitution else None
    labels = read_people(path / "preferences.jsonl" if path.is_dir() else path)
    rows, lost = export(labels, to, out, words)
    lines = [f"{len(labels):,} labels in {rows:,} rows of {to}, kept in {out}"]
    if not lost:
        return [*lines, "read again, they are what they were: nothing is lost"]
    each = ", ".join(f"{name} ({count:,})" for name, count in sorted(lost.items()))
    return [*lines, f"lost on the way, with the number of labels: {each}"]


def sources_of(paths: Sequence[Path]) -> dict[str, list[Preference]]:
    """Read each file as a source named after it; one file alone, by who labelled."""
    files = [path / "preferences.jsonl" if path.is_dir() else path for path in paths]
    if len(files) > 1:
        return {str(path): read_people(file) for path, file in zip(paths, files, strict=True)}
    found: dict[str, list[Preference]] = {}
    labels = read_people(files[0])
    kinds = {label.source for label in labels}
    for label in labels:
        found.setdefault(label.by if len(kinds) == 1 else label.source, []).append(label)
    return found


def refuse_itself(file: Path, path: Path) -> None:
    """Refuse to write over the file that is read.

    Raises:
        InputError: where the two are one.
    """
    if file.resolve() == path.resolve():
        raise InputError(f"{file}: is the file that is read; choose another -o")
