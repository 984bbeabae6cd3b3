"""The table of an evaluation as plain text cells, for the terminal and the report alike."""

from pathlib import Path
from typing import Literal, NamedTuple

from rich.table import Table
from rich.text import Text

from rlaif.errors import StageError
from rlaif.evaluation.config import LENGTH, Measure
from rlaif.evaluation.intervals import Interval
from rlaif.evaluation.results import Evaluation, Row, WinRate
from rlaif.evaluation.runs import read_run

Movement = Literal["better", "worse", "unclear", "steady", "none"]
"""Which way a figure moved beside what was wanted; `steady` is no clear move where none was."""

ARROWS = {"up": "↑", "down": "↓", "same": "="}
WINS = "wins against base"
_COLOURS: dict[Movement, str] = {"better": "green", "worse": "red"}


class TableCell(NamedTuple):
    """One policy's figure in words."""

    figure: str
    interval: str
    moved: str
    movement: Movement


class TableRow(NamedTuple):
    """One line of the table; `cells` stand in the order of the policies."""

    name: str
    arrow: str
    cells: tuple[TableCell, ...]


_EMPTY = TableCell("", "", "", "none")


def table_rows(evaluation: Evaluation) -> list[TableRow]:
    """Write an evaluation as rows of text: every measure, then the win rates."""
    rows = [_row(row, evaluation.policies) for row in evaluation.rows]
    if evaluation.wins:
        by_policy = {win.policy: win for win in evaluation.wins}
        cells = tuple(_win(by_policy.get(policy)) for policy in evaluation.policies)
        rows.append(TableRow(WINS, ARROWS["up"], cells))
    return rows


def result_table(run: Path) -> Table:
    """Lay out the evaluation of a run's folder for a terminal."""
    found = read_run(run).evaluation
    if found is None:
        raise StageError(f"{run}: not evaluated yet; run the stage `evaluate` first")
    return evaluation_table(found)


def evaluation_table(evaluation: Evaluation) -> Table:
    """Lay an evaluation out for a terminal; the last policy's difference to the base is beside."""
    table = Table(
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        header_style="bold",
        caption=Text("\n".join(footnotes(evaluation)), style="dim"),
        caption_justify="left",
    )
    table.add_column("")
    table.add_column("")
    for policy in evaluation.policies:
        table.add_column(Text(policy), no_wrap=True)
    for row in table_rows(evaluation):
        figures = [Text(cell.figure) for cell in row.cells]
        last = row.cells[-1]
        if last.moved:
            figures[-1].append("  ").append(f"({last.moved})", style=_COLOURS.get(last.movement))
        # Names are a person's own words, which may hold what looks like markup.
        table.add_row(Text(row.name), row.arrow, *figures)
    return table


def footnotes(evaluation: Evaluation) -> list[str]:
    """Say what a reader of the table must know beside it."""
    notes = ["Figures are shares of replies, length is in words; ± is half a 95 % interval."]
    if evaluation.wins and evaluation.referee_independent is None:
        notes.append(
            f"The win rates were judged by {evaluation.referee}; where it labelled the training "
            "data too, they show that training followed it, not that it was right."
        )
    elif evaluation.wins and not evaluation.referee_independent:
        notes.append(
            "The win rates were judged by the judge that also labelled the training data: "
            "they show that training followed it, not that it was right."
        )
    notes += [
        f"{win.policy}: the referee gave no answer for {total:,} pairs, which are in no rate."
        for win in evaluation.wins
        if (total := sum(win.abstained.values()))
    ]
    if evaluation.abstentions:
        count = len(evaluation.abstentions)
        notes.append(f"{count:,} draws ended without a reply and are in no figure.")
    return notes


def movement(measure: Measure, moved: Interval | None) -> Movement:
    """Say whether a figure moved as wanted.

    >>> movement(Measure(trait="brief", want="down"), Interval(value=-0.2, low=-0.3, high=-0.1))
    'better'
    """
    if moved is None:
        return "none"
    if measure.want == "same":
        return "worse" if moved.is_clear_of_zero else "steady"
    if not moved.is_clear_of_zero:
        return "unclear"
    return "better" if (moved.value > 0) == (measure.want == "up") else "worse"


def shown(measure: Measure, value: float) -> str:
    """Write a figure: words as a number with one decimal, shares with two."""
    return f"{value:.1f}" if measure.trait == LENGTH else f"{value:.2f}"


def shown_move(measure: Measure, moved: Interval) -> str:
    """Write a difference with its half interval, as `+0.40 ± 0.11`."""
    digits = 1 if measure.trait == LENGTH else 2
    sign = "−" if round(moved.value, digits) < 0 else "+"
    return f"{sign}{abs(moved.value):.{digits}f} ± {moved.half:.{digits}f}"


def _row(row: Row, policies: tuple[str, ...]) -> TableRow:
    cells = []
    for policy in policies:
        cell = row.cell(policy)
        if cell is None:
            cells.append(_EMPTY)
            continue
        low, high = (shown(row.measure, edge) for edge in (cell.figure.low, cell.figure.high))
        cells.append(
            TableCell(
                shown(row.measure, cell.figure.value),
                f"{low} to {high}",
                shown_move(row.measure, cell.moved) if cell.moved else "",
                movement(row.measure, cell.moved),
            )
        )
    return TableRow(row.name, ARROWS[row.measure.want], tuple(cells))


def _win(win: WinRate | None) -> TableCell:
    if win is None or win.figure is None:
        return _EMPTY
    figure = win.figure
    is_clear = figure.low > 0.5 or figure.high < 0.5
    clearly: Movement = "better" if figure.value > 0.5 else "worse"
    return TableCell(
        f"{figure.value:.2f}",
        f"{figure.low:.2f} to {figure.high:.2f}",
        f"± {figure.half:.2f}",
        clearly if is_clear else "unclear",
    )
