"""How the command line shows long work: a bar in a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rlaif.evaluation.sheet import Sheet

OUT = Console(highlight=False, soft_wrap=True)
_WIDE = 240  # columns where there is no terminal, so that no cell is folded
ERR = Console(stderr=True, highlight=False, soft_wrap=True)
_EVERY = 10.0  # seconds between plain lines


class Shown:
    """A watcher that shows one line for each stage."""

    def __init__(self, console: Console = OUT) -> None:
        """Show on a console; its own rules say whether it is a terminal and has colours."""
        self._console = console
        self._bar: Progress | None = None
        self._stage = ""
        self._total: int | None = None
        self._since = self._told = 0.0

    def begin(self, stage: str, total: int | None, note: str = "") -> None:
        """Open a line for a stage; a line still open is closed as it stands."""
        self._stop()
        self._stage, self._total = stage, total
        self._since = self._told = time.monotonic()
        if not self._console.is_terminal:
            return
        count = [MofNCompleteColumn()] if total is not None else []
        self._bar = Progress(
            TextColumn("▸ {task.description:<13}"),
            BarColumn(bar_width=24),
            *count,
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._bar.add_task(stage, total=total, note=note)
        self._bar.start()

    def advance(self, done: int, note: str = "") -> None:
        """Move the line; elsewhere than in a terminal, print it every ten seconds."""
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=done, note=note)
        elif time.monotonic() - self._told >= _EVERY:
            self._told = time.monotonic()
            count = f"{done:,}/{self._total:,}" if self._total is not None else ""
            self._print(f"  {self._stage:<13} {count} {note}".rstrip())

    def end(self, note: str) -> None:
        """Close the line with what came of it and how long it took."""
        seconds = time.monotonic() - self._since
        stage = self._stage
        self._stop()
        self._print(f"▸ {stage:<13} {note}  ({_span(seconds)})")

    def say(self, text: str) -> None:
        """Tell something beside the stages."""
        self._print(f"  {text}")

    def close(self) -> None:
        """Take the bar away, so that what follows is not drawn over it."""
        self._stop()

    def _stop(self) -> None:
        if self._bar:
            self._bar.stop()
        self._bar = None

    def _print(self, text: str) -> None:
        target = self._bar.console if self._bar else self._console
        target.print(text, markup=False)


def show(head: list[str], rows: list[list[str]], title: str = "") -> None:
    """Print a plain table; where there is no terminal, each row is one line."""
    if title:
        OUT.print(title, markup=False, style="bold")
    console = OUT if OUT.is_terminal else Console(width=_WIDE, highlight=False)
    console.print(table(head, rows))


def show_sheets(sheets: "Iterable[Sheet]") -> None:
    """Print tables under each other, each with what a reader must know beside it."""
    for number, sheet in enumerate(sheets):
        if number:
            OUT.print()
        show(sheet.head, sheet.rows, sheet.title)
        for note in sheet.notes:
            OUT.print(note, markup=False, style="dim")


def table(head: list[str], rows: list[list[str]]) -> Table:
    """Make a plain table: no rules but one under the head."""
    made = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for name in head:
        made.add_column(name, overflow="fold")
    for row in rows:
        # Names are people's own words, which may hold what looks like markup.
        made.add_row(*map(Text, row))
    return made


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
