"""How long work tells of itself: only the command line prints, everything else says."""

from collections import Counter
from typing import Protocol

from rlaif.budget import Figures, Meter


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

    def follow(self, meter: Meter) -> None:
        """Show what a meter counts beside each stage from here on."""
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

    def follow(self, meter: Meter) -> None:
        """Follow nothing."""


def tally(kept: str, counts: Counter[str], total: int | None = None) -> str:
    """Say what came of a stage's input, adding up to it.

    >>> tally("labelled", Counter({"labelled": 88, "no-mass": 6, "same": 2}), 96)
    '88 labelled, 8 abstained (6 no-mass, 2 same) of 96'
    >>> tally("labelled", Counter({"labelled": 88}), 96)
    '88 labelled, 8 left of 96'
    """
    reasons = Counter({kind: count for kind, count in counts.items() if kind != kept})
    told = f"{counts[kept]:,} {kept}"
    if reasons:
        each = ", ".join(f"{count:,} {kind}" for kind, count in reasons.most_common())
        told += f", {reasons.total():,} abstained ({each})"
    if total is None:
        return told
    left = total - counts.total()
    return f"{told}, {left:,} left of {total:,}" if left > 0 else f"{told} of {total:,}"


def traffic_of(now: Figures, before: Figures | None = None) -> str:
    """Say how requests stand, or stood between two moments: asked, found, tokens, money.

    >>> from rlaif.budget import Spent
    >>> traffic_of(Figures(Spent(12, 900, 60, 0.25), 3, 4, 1, ()))
    '12 asked, 4 from the store, 3 in flight, 1 retried, 900 + 60 tokens, $0.2500'
    """
    spent = now.spent - before.spent if before else now.spent
    hits = now.hits - (before.hits if before else 0)
    retries = now.retries - (before.retries if before else 0)
    parts = [f"{spent.requests:,} asked"]
    for count, what in ((hits, "from the store"), (now.in_flight, "in flight"),
                        (retries, "retried")):  # fmt: skip
        parts += [f"{count:,} {what}"] if count else []
    parts.append(f"{spent.read:,} + {spent.written:,} tokens")
    if spent.unpriced:
        parts.append("price unknown")
    elif spent.usd:
        parts.append(f"${spent.usd:,.4f}")
    return ", ".join(parts)
