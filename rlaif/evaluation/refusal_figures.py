"""The refusal reader beside people: rule-based rewards' propositions of real replies (Mu 2024).

A row is `{"prompt": messages, "completion": [message], "propositions": {name: bool}}`. The rules
were chosen on one half of the prompts; the other half was looked at once, to report. A judge that
was taught on such rows, as the embedded one is on four fifths of them, proves nothing here.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rlaif.errors import InputError
from rlaif.evaluation.chance import cohen_kappa
from rlaif.evaluation.intervals import Draws, Figures, Interval
from rlaif.evaluation.refusals import Refusal, read_refusals
from rlaif.evaluation.sheet import Sheet, whole
from rlaif.judges.rating import Rater
from rlaif.records import Prompt, Record, fingerprint_of
from rlaif.yamlfile import read_text

CHOSEN, OTHER = "the half that the rules were chosen on", "the other half"


class Told(NamedTuple):
    """What people said of one reply."""

    prompt: Prompt
    reply: str
    half: str
    says_no: bool
    """It states that it cannot, or will not, do what is asked (`inability_to_comply`)."""
    gives_all: bool
    """`fully_complies`"""
    gives_some: bool
    """`fully_complies` or `partially_complies`"""

    @property
    def complies(self) -> bool:
        """Say whether it gives all and declines nothing."""
        return self.gives_all and not self.says_no


YARDSTICKS: dict[str, Callable[[Told], bool]] = {
    "says no and gives nothing": lambda told: told.says_no and not told.gives_some,
    "says no, whatever it gives": lambda told: told.says_no,
    "gives nothing, said or not": lambda told: not told.gives_some,
}
"""What counts as a refusal; each is held against replies that give all and say no to nothing."""


class Measured(Record):
    """How well refusals are told from compliances."""

    half: str
    yardstick: str
    refusals: int
    compliances: int
    found: int
    """Refusals that are read as such, whole or in part."""
    wrongly: int
    """Compliances that are read as refusals."""
    unread: int
    balanced: Interval | None
    """Balanced accuracy: the mean of the shares that are right of refusals and of compliances."""
    kappa: Interval | None


class Refusals(Record):
    """A file of labelled replies, read."""

    replies: int
    judge: str | None
    measured: tuple[Measured, ...]
    read: dict[str, int]
    """Every reply by how it is read."""


def measure(path: Path, judge: Rater | None = None, *, rounds: int = 2000) -> Refusals:
    """Read a file's replies and hold the readings against people; `rounds` are the bootstrap's.

    Raises:
        InputError: for a row that is none, with file and line.
    """
    rows = list(read_told(path))
    read = {
        (prompt.id, reply): said
        for (prompt, reply), said in read_refusals(((r.prompt, r.reply) for r in rows), judge)
    }
    said_of = [read[row.prompt.id, row.reply] for row in rows]
    return Refusals(
        replies=len(rows),
        judge=judge.name if judge else None,
        measured=tuple(_measured(rows, said_of, rounds)),
        read=dict(Counter(said_of).most_common()),
    )


def read_told(path: Path) -> Iterator[Told]:
    """Read what people said of replies.

    Raises:
        InputError: for a row that is none, with file and line.
    """
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            try:
                yield _told(json.loads(line))
            except (ValueError, KeyError, TypeError, IndexError):
                what = 'expected {"prompt": […], "completion": […], "propositions": {…}}'
                raise InputError.at(path, number, what) from None


def _told(row: dict[str, Any]) -> Told:
    said = row["propositions"]
    prompt = Prompt.model_validate(
        {"id": f"p-{fingerprint_of(row['prompt'])[:10]}", "messages": row["prompt"]}
    )
    digest = hashlib.sha256(json.dumps(row["prompt"]).encode()).hexdigest()
    return Told(
        prompt,
        row["completion"][-1]["content"],
        OTHER if int(digest, 16) % 2 else CHOSEN,
        said["inability_to_comply"],
        said["fully_complies"],
        said["fully_complies"] or said["partially_complies"],
    )


def _measured(rows: Sequence[Told], read: Sequence[Refusal], rounds: int) -> Iterator[Measured]:
    for half in (CHOSEN, OTHER):
        both = [(row, said) for row, said in zip(rows, read, strict=True) if row.half == half]
        for yardstick, is_refusal in YARDSTICKS.items():
            some = [(row, said) for row, said in both if row.complies or is_refusal(row)]
            truth = [is_refusal(row) for row, _ in some]
            yield _figures(half, yardstick, truth, some, rounds)


def _figures(
    half: str,
    yardstick: str,
    truth: Sequence[bool],
    some: Sequence[tuple[Told, Refusal]],
    rounds: int,
) -> Measured:
    draws = Draws([row.prompt.id for row, _ in some], rounds=rounds)
    theirs = np.array(truth, dtype=int)
    ours = np.array([_code(said) for _, said in some], dtype=int)
    parts = np.array([_part(*codes) for codes in zip(theirs, ours, strict=True)]).reshape(-1, 4)
    return Measured(
        half=half,
        yardstick=yardstick,
        refusals=int(theirs.sum()),
        compliances=int((theirs == 0).sum()),
        found=int(((theirs == 1) & (ours == 1)).sum()),
        wrongly=int(((theirs == 0) & (ours == 1)).sum()),
        unread=int((ours < 0).sum()),
        balanced=draws.interval(parts, balanced_accuracy),
        kappa=cohen_kappa(theirs, ours, 2, draws),
    )


def _code(said: Refusal) -> int:
    return {"refusal": 1, "partial": 1, "compliance": 0, "unreadable": -1}[said]


def _part(theirs: int, ours: int) -> tuple[float, float, float, float]:
    """Give a row's part: right and all of the refusals, right and all of the compliances."""
    if ours < 0:
        return 0.0, 0.0, 0.0, 0.0
    right = float(ours == theirs)
    return (right, 1.0, 0.0, 0.0) if theirs else (0.0, 0.0, right, 1.0)


def balanced_accuracy(parts: Figures) -> Figures:
    """Give the mean of two shares, from right and all of the one, right and all of the other."""
    return np.asarray((parts[:, 0] / parts[:, 1] + parts[:, 2] / parts[:, 3]) / 2)


def sheets(found: Refusals) -> Iterable[Sheet]:
    """Lay the figures out, a table for each half."""
    head = ["a refusal", "balanced accuracy", "κ", "found", "wrongly", "unread"]
    read = ", ".join(f"{count:,} {name}" for name, count in found.read.items())
    by = f"by rules, then {found.judge}" if found.judge else "by rules"
    for half in (CHOSEN, OTHER):
        rows = [_row(row) for row in found.measured if row.half == half]
        notes = (f"{found.replies:,} replies read {by}: {read}",) if half == OTHER else ()
        yield Sheet(f"Refusals against compliances, {half}", head, rows, notes)


def _row(row: Measured) -> list[str]:
    return [
        row.yardstick,
        whole(row.balanced),
        whole(row.kappa),
        f"{row.found:,} of {row.refusals:,}",
        f"{row.wrongly:,} of {row.compliances:,}",
        f"{row.unread:,}",
    ]
