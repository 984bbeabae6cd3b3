"""How long work tells of itself: only the command line prints, everything else says."""

from collections import Counter
from typing import Protocol


class Watcher(Protocol):
    """Who is told what happens."""

    def begin(self, stage: str, total: int | None, note: str = "") -> None:
        """Open a line for a stage."""
        ...

    def advance(self, done: int, note: str = "") -> None:
        """Move the stage's line."""
        ...

    def end(self, note: str) -> None:
        """Close the stage's line with what came of it."""
        ...

    def say(self, text: str) -> None:
        """Tell something beside the stages."""
        ...


class Quiet:
    """A watcher that tells nobody; for tests and for use from Python."""

    def begin(self, stage: str, total: int | None, note: str = "") -> None:
        """Open nothing."""

    def advance(self, done: int, note: str = "") -> None:
        """Move nothing."""

    def end(self, note: str) -> None:
        """Close nothing."""

    def say(self, text: str) -> None:
        """Say nothing."""


def tally(kept: str, counts: Counter[str]) -> str:
    """Say what came of a stage's input, adding up to it.

    >>> tally("labelled", Counter({"labelled": 88, "no-mass": 6, "same": 2}))
    '88 labelled, 8 abstained (6 no-mass, 2 same)'
    """
    reasons = Counter({kind: count for kind, count in counts.items() if kind != kept})
    told = f"{counts[kept]:,} {kept}"
    if not reasons:
        return told
    each = ", ".join(f"{count:,} {kind}" for kind, count in reasons.most_common())
    return f"{told}, {reasons.total():,} abstained ({each})"
