"""Answers between landing and the store: written to a file at once, one line each.

A transaction for each answer would cost more than the answer; a line costs next to nothing, and a
process that is killed has lost none of them. Two files take turns, so that one can be emptied when
its answers are in the store.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from rlaif.records import Record
from rlaif.storage import Journal


class Line(Record):
    """A completion as the store keeps it."""

    key: str
    body: str
    """The completion, as JSON."""
    asked: str
    """The request without its id, as JSON."""
    made: int
    """When, in seconds since 1970."""


class Spool:
    """One owner's two files; callers see to it that one thread at a time is here."""

    def __init__(self, folder: Path, owner: str) -> None:
        """Open the files."""
        self._files = [Journal(path, Line) for path in _paths(folder, owner)]

    def append(self, line: Line) -> None:
        """Keep a line; it is with the operating system when this returns.

        Raises:
            StorageError: when there is no room.
        """
        self._files[0].append(line)

    def turn(self) -> None:
        """Go on in the other file; the lines of this one are about to be stored."""
        self._files.reverse()

    def clear(self) -> None:
        """Empty the file that was turned away from."""
        self._files[1].clear()

    def close(self, *, is_stored: bool) -> None:
        """Close the files, and remove them where all they held is in the store."""
        for file in self._files:
            file.close()
            if is_stored:
                file.path.unlink(missing_ok=True)


def left_by(folder: Path, owner: str) -> Iterator[Line]:
    """Read what an owner that is no more had kept; a last line that was cut short is none."""
    for path in _paths(folder, owner):
        if path.is_file():
            with Journal(path, Line) as file:
                yield from file


def remove(folder: Path, owner: str) -> None:
    """Remove an owner's files."""
    for path in _paths(folder, owner):
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def _paths(folder: Path, owner: str) -> list[Path]:
    return [folder / f"{owner}.{number}.jsonl" for number in range(2)]
