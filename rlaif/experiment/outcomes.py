"""A stage's journals: what it made, and what it could not make, with the reasons."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, Literal, Self, TypeVar

from rlaif.errors import BackendError
from rlaif.experiment.progress import Watcher, tally
from rlaif.feedback.select import widest
from rlaif.records import Abstention, Preference, Record, Response, Revision
from rlaif.storage import Journal, write_records

SERVERS = frozenset({"backend", "timeout"})
"""Kinds of abstention that are a server's doing, which may do better the next time."""
_WITHIN = re.compile(r"(^|: )(backend|timeout)\b")  # another abstention, told of in a detail
Made = TypeVar("Made", Response, Revision, Preference)
Row = TypeVar("Row", bound=Record)


class Outcomes(Generic[Made]):
    """Outcomes of a stage, kept as they land; a killed run goes on at the next item.

    Every input ends as exactly one outcome: a record in `<name>.jsonl`, or an abstention in
    `abstentions.jsonl`. What a server failed at is asked again by the next run, and by no other.
    """

    def __init__(self, folder: Path, kind: type[Made], name: str) -> None:
        """Open both journals, with what an earlier run of the same stage has left in them."""
        self.name = name
        self._made: Journal[Made] = Journal(folder / f"{name}.jsonl", kind)
        self._not = _final(folder / "abstentions.jsonl")
        self._failed, self._why = 0, ""
        self.seen: dict[str, str] = {subject_of(row): name for row in self._made}
        self.seen.update({row.subject: row.kind for row in self._not})

    def keep(
        self, outcomes: Iterable[Made | Abstention], watcher: Watcher, stage: str, total: int
    ) -> Counter[str]:
        """Journal outcomes as they land; return the counts, those of an earlier run included.

        Raises:
            BackendError: when there is no outcome but what a server failed at.
        """
        watcher.begin(stage, total)
        counts = Counter(self.seen.values())
        watcher.advance(len(self.seen), tally(self.name, counts))
        for outcome in outcomes:
            subject, kind = self._keep_one(outcome)
            if subject not in self.seen:
                counts[kind] += 1
            self.seen[subject] = kind
            watcher.advance(len(self.seen), tally(self.name, counts))
        if self.seen and self._failed == len(self.seen):
            raise BackendError(
                f"{stage}: nothing was answered, in the end: {self._why}; check the address "
                "(base_url) and the server, and run the same command again"
            )
        return Counter(self.seen.values())

    def _keep_one(self, outcome: Made | Abstention) -> tuple[str, str]:
        if isinstance(outcome, Abstention):
            if may_pass(outcome):
                self._failed, self._why = self._failed + 1, outcome.detail
            self._not.append(outcome)
            return outcome.subject, outcome.kind
        self._made.append(outcome)
        return subject_of(outcome), self.name

    def __enter__(self) -> Self:
        """Use in a `with` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close both journals."""
        self._made.close()
        self._not.close()


def may_pass(abstention: Abstention) -> bool:
    """Say that a server failed, which may do better the next time.

    >>> may_pass(Abstention(kind="one-order", subject="s", by="j", detail="timeout: no answer"))
    True
    >>> may_pass(Abstention(kind="unreadable", subject="s", by="j", detail="no verdict"))
    False
    """
    if abstention.kind in ("one-order", "no-critique", "no-principle"):
        return bool(_WITHIN.search(abstention.detail))
    return abstention.kind in SERVERS


def _final(path: Path) -> Journal[Abstention]:
    """Open a journal of abstentions without those that are to be asked again."""
    journal = Journal(path, Abstention)
    rows = list(journal)
    kept = [row for row in rows if not may_pass(row)]
    if len(kept) < len(rows):
        journal.close()
        write_records(path, kept)
        journal = Journal(path, Abstention)
    return journal


def subject_of(outcome: Response | Revision | Preference) -> str:
    """Name what an outcome is about: a revision is about the response that it revises."""
    return outcome.before.id if isinstance(outcome, Revision) else outcome.id


def read_outcomes(folder: Path, name: str, kind: type[Row], by: Callable[[Row], str]) -> list[Row]:
    """Read a finished stage's records, each once, in an order that no resume changes."""
    with Journal(folder / f"{name}.jsonl", kind) as journal:
        return [row for _, row in sorted({by(row): row for row in journal}.items())]


def read_responses(folder: Path) -> list[Response]:
    """Read a folder's responses."""
    return read_outcomes(folder, "responses", Response, subject_of)


def read_revisions(folder: Path) -> list[Revision]:
    """Read a folder's revisions."""
    return read_outcomes(folder, "revisions", Revision, subject_of)


def read_preferences(folder: Path, pairs: Literal["all", "widest"] = "all") -> list[Preference]:
    """Read a folder's preferences, or of each prompt the surest alone."""
    preferences = read_outcomes(folder, "preferences", Preference, subject_of)
    return widest(preferences) if pairs == "widest" else preferences


def despite_of(preferences: Iterable[Preference]) -> tuple[str, ...]:
    """Give what the judge of these labels fell short of, each once."""
    return tuple(dict.fromkeys(what for row in preferences for what in row.despite))
