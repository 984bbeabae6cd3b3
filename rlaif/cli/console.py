"""How the command line shows long work: a bar in a terminal, plain lines elsewhere."""

import threading
import time
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from rlaif.budget import Figures, Meter
from rlaif.experiment.progress import traffic_of

if TYPE_CHECKING:
    from rlaif.evaluation.sheet import Sheet

OUT = Console(highlight=False, soft_wrap=True)
_WIDE = 240  # columns where there is no terminal, so that no cell is folded
ERR = Console(stderr=True, highlight=False, soft_wrap=True)
_EVERY = 10.0  # seconds between plain lines


_OPEN: weakref.WeakSet[threading.Event] = weakref.WeakSet()
"""The lines that are told on; a command that failed in the middle never closed its own."""


def end_lines() -> None:
    """Tell no line on: the command is over, however it ended."""
    for ended in list(_OPEN):
        ended.set()


class Shown:
    """A watcher that shows one line for each stage."""

    def __init__(self, console: Console = OUT) -> None:
        """Show on a console; its own rules say whether it is a terminal and has colours."""
        self._console = console
        self._bar: Progress | None = None
        self._stage = ""
        self._total: int | None = None
        self._done, self._note = 0, ""
        self._first: int | None = None
        self._since = self._told = 0.0
        self._meter: Meter | None = None
        self._before: Figures | None = None
        self._ended = threading.Event()

    def follow(self, meter: Meter) -> None:
        """Show what a meter counts, from here on."""
        self._meter = meter
        if self._before is None:
            self._before = meter.figures()

    def begin(self, stage: str, total: int | None, note: str = "") -> None:
        """Open a line for a stage; a line still open is closed as it stands."""
        self._stop()
        self._stage, self._total = stage, total
        self._done, self._first, self._note = 0, None, note
        self._before = self._meter.figures() if self._meter else None
        self._since = self._told = time.monotonic()
        if not self._console.is_terminal:
            self._ended = threading.Event()
            _OPEN.add(self._ended)
            threading.Thread(target=self._tell_on, args=(self._ended,), daemon=True).start()
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
        """Move the line; elsewhere than in a terminal, it is printed every ten seconds."""
        if self._first is None:
            self._first = done  # what an earlier run has done says nothing of this one's pace
        self._done, self._note = done, note
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=done, note=self._standing())

    def _standing(self) -> str:
        """Say how the stage stands: what came of it, the pace, and what is asked."""
        parts = [self._note] if self._note else []
        made = self._done - (self._first or 0)
        seconds = time.monotonic() - self._since
        if made > 0 and seconds > 0:
            parts.append(f"{made / seconds:.3g}/s")
            if self._total is not None and self._done < self._total:
                left = (self._total - self._done) * seconds / made
                parts.append(f"{_span(left)} to go")
        if self._meter:
            parts.append(traffic_of(self._meter.figures(), self._before))
        return "  ".join(parts)

    def _tell_on(self, ended: threading.Event) -> None:
        """Print the line every ten seconds, also while nothing lands."""
        while not ended.wait(_EVERY):
            count = f"{self._done:,}/{self._total:,}" if self._total is not None else ""
            self._print(f"  {self._stage:<13} {count} {self._standing()}".rstrip())

    def end(self, note: str) -> None:
        """Close the line with what came of it and how long it took, and what was asked."""
        seconds = time.monotonic() - self._since
        stage = self._stage
        self._stop()
        self._print(f"▸ {stage:<13} {note}  ({_span(seconds)})")
        if self._meter and self._before:
            figures = self._meter.figures()
            if figures.spent != self._before.spent or figures.hits != self._before.hits:
                self._print(f"  {'':<13} {traffic_of(figures, self._before)}")
            self._before = figures

    def say(self, text: str) -> None:
        """Tell something beside the stages."""
        self._print(f"  {text}")

    def close(self) -> None:
        """Take the bar away, so that what follows is not drawn over it."""
        self._stop()

    def _stop(self) -> None:
        self._ended.set()
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
