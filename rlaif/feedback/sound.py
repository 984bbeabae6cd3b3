"""Is a label fit to be trained on? What is wrong with a row is said with its line."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rlaif.errors import InputError
from rlaif.feedback.importers.pairs import PairRow, Unread, each_row
from rlaif.records import Abstention, AbstentionKind, Preference

_LEAVE = "leave the row out, as `rlaif feedback import` does"


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


def sound_rows(path: Path) -> Iterator[tuple[int, Preference] | Fault]:
    """Read a file's labels, each with its line, and of the other rows what is wrong with them.

    Raises:
        InputError: for a file that cannot be read at all.
    """
    seen: dict[tuple[str, str], tuple[int, float, str]] = {}
    for row in each_row(path):
        if isinstance(row, Unread):
            yield Fault(row.line, "outside" if "p_chosen" in row.what else "unreadable", row.what)
            continue
        fault = _fault(row, seen)
        if fault:
            yield Fault(row.line, *fault)
        elif row.preference:
            yield row.line, row.preference


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


def refuse_faults(path: Path, faults: Sequence[Fault]) -> None:
    """Raise for the first fault, and count the others.

    Raises:
        InputError: where there is one.
    """
    if not faults:
        return
    first, *others = faults
    more = f"; {len(others):,} more rows are faulty" if others else ""
    raise InputError.at(path, first.line, f"{first.what}; {_LEAVE}{more}")


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
