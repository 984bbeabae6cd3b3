"""Findings as plain text cells under a title, for the terminal and the report alike."""

from typing import NamedTuple

from rlaif.evaluation.intervals import Interval

NONE = "–"


class Sheet(NamedTuple):
    """One table with what a reader must know beside it."""

    title: str
    head: list[str]
    rows: list[list[str]]
    notes: tuple[str, ...] = ()


def figure(value: float | None, digits: int = 2) -> str:
    """Write a figure, or a dash where there is none.

    >>> figure(0.5), figure(-0.004), figure(None)
    ('0.50', '0.00', '–')
    """
    if value is None:
        return NONE
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def between(interval: Interval | None, digits: int = 2) -> str:
    """Write between what a figure lies."""
    if interval is None:
        return NONE
    return f"{figure(interval.low, digits)} to {figure(interval.high, digits)}"


def whole(interval: Interval | None, digits: int = 2) -> str:
    """Write a figure with its interval.

    >>> whole(Interval(value=0.5, low=-0.1, high=0.75))
    '0.50 (−0.10 to 0.75)'
    """
    if interval is None:
        return NONE
    return f"{figure(interval.value, digits)} ({between(interval, digits)})"


def signed(interval: Interval | None, digits: int = 2) -> str:
    """Write a difference with its interval, its sign always there."""
    if interval is None:
        return NONE
    plus = "+" if round(interval.value, digits) >= 0 else ""
    return f"{plus}{whole(interval, digits)}"


def plain(head: list[str], rows: list[list[str]]) -> str:
    """Lay a table out as lines of text, for a message.

    >>> print(plain(["", "a"], [["long", "1"], ["b", "22"]]))
          a
    long  1
    b     22
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join(lines)
