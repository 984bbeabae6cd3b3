"""Is a label fit to be trained on? What is wrong with a row is said with its line."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rlaif.errors import InputError
from rlaif.feedback.importers.pairs import PairRow, Unread, each_row
from rlaif.records import Abstention, AbstentionKind, Preference

NAMED = 10
"""Faulty rows that are told one by one."""


class Fault(NamedTuple):
    """What is wrong with a row."""

    line: int
    kind: AbstentionKind
    what: str


def fault_of(label: Preference) -> tuple[AbstentionKind, str] | None:
    """Say what keeps a label from being trained on; None for a sound one."""
    for side in ("chosen", "rejected"):
        if not getattr(label, side).text.strip():
            return "empty", f"pair {label.id}: the {side} reply is empty"
    if label.chosen.text == label.rejected.text:
        return "same", f"pair {label.id}: both replies are the same text, which holds no preference"
    return None


def sound_rows(path: Path) -> Iterator[PairRow | Fault]:
    """Read a file's labelled rows, and of the others what is wrong with them.

    Raises:
        InputError: for a file that cannot be read at all.
    """
    seen: dict[tuple[str, str], tuple[int, float, str]] = {}
    for row in each_row(path):
        if isinstance(row, Unread):
            yield Fault(row.line, "outside" if "p_chosen" in row.what else "unreadable", row.what)
            continue
        fault = _fault(row, seen)
        yield Fault(row.line, *fault) if fault else row


def _fault(
    row: PairRow, seen: dict[tuple[str, str], tuple[int, float, str]]
) -> tuple[AbstentionKind, str] | None:
    label = row.preference
    if label is None:
        return "incomplete", f"pair {row.pair.id} has no label"
    key = (label.id, row.rater)
    if key in seen:
        line, p, chosen = seen[key]
        is_other = (p, chosen) != (label.p_chosen, label.chosen.text)
        with_what = "another label" if is_other else "the same label"
        return "ambiguous", f"id {label.id!r} stands twice with {with_what}, first on line {line}"
    seen[key] = (row.line, label.p_chosen, label.chosen.text)
    return fault_of(label)


class Aside:
    """Rows of any number of files that were left out, each for a reason; told, and counted."""

    def __init__(self) -> None:
        """Begin with none."""
        self._rows: list[tuple[Path, Fault]] = []

    def add(self, path: Path, faults: Sequence[Fault]) -> None:
        """Put a file's faulty rows aside."""
        self._rows += [(path, fault) for fault in faults]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many there are of each kind, the most frequent first."""
        return dict(Counter(fault.kind for _, fault in self._rows).most_common())

    def lines(self) -> list[str]:
        """Name the first rows one by one, and count the others."""
        told = [f"{path}:{fault.line}: left out: {fault.what}" for path, fault in self._rows]
        more = [f"{len(told) - NAMED:,} more rows left out"] if len(told) > NAMED else []
        return [*told[:NAMED], *more]


def nothing(path: Path, faults: Sequence[Fault]) -> InputError:
    """Say that a file has no label to train on, and why its rows are none."""
    counts = Counter(fault.kind for fault in faults)
    each = ", ".join(f"{count:,} {kind}" for kind, count in counts.most_common())
    first = f"; the first: line {faults[0].line}, {faults[0].what}" if faults else ""
    return InputError(f"{path}: no label to train on; {each or 'no rows'}{first}")


def abstention_of(path: Path, fault: Fault) -> Abstention:
    """Keep a fault as the outcome of its row."""
    return Abstention(
        kind=fault.kind, subject=f"{path.name}:{fault.line}", by="import", detail=fault.what
    )
