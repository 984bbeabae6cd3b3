import io
from pathlib import Path

import pytest
from rich.console import Console

from rlaif.errors import StageError
from rlaif.evaluation.config import Measure
from rlaif.evaluation.intervals import Interval
from rlaif.evaluation.results import WinRate
from rlaif.evaluation.table import (
    WINS,
    Movement,
    evaluation_table,
    footnotes,
    movement,
    result_table,
    shown_move,
    table_rows,
)
from tests.evaluation import run_folder

UP, DOWN, NONE = (
    Interval(value=value, low=value - 0.1, high=value + 0.1) for value in (0.2, -0.2, 0.05)
)


@pytest.mark.parametrize(
    ("want", "moved", "expected"),
    [
        ("up", UP, "better"),
        ("up", DOWN, "worse"),
        ("down", UP, "worse"),
        ("down", DOWN, "better"),
        ("up", NONE, "unclear"),
        ("same", NONE, "steady"),
        ("same", UP, "worse"),
        ("same", DOWN, "worse"),
        ("up", None, "none"),
    ],
)
def test_a_move_is_judged_by_what_was_wanted(
    want: str, moved: Interval | None, expected: Movement
) -> None:
    assert movement(Measure.model_validate({"trait": "brief", "want": want}), moved) == expected


def test_a_difference_that_rounds_to_nothing_has_no_minus() -> None:
    tiny = Interval(value=-0.001, low=-0.02, high=0.02)
    assert shown_move(Measure(trait="brief"), tiny) == "+0.00 ± 0.02"
    assert shown_move(Measure(trait="length"), DOWN) == "−0.2 ± 0.1"


def test_the_table_has_a_row_for_each_measure_and_the_wins_last() -> None:
    evaluation = run_folder.evaluation()
    rows = table_rows(evaluation)
    assert [row.name for row in rows] == [*(row.name for row in evaluation.rows), WINS]
    assert all(len(row.cells) == 3 for row in rows)
    assert rows[-1].cells[0].figure == ""


def test_the_terminal_shows_the_last_difference_in_brackets() -> None:
    out = io.StringIO()
    Console(file=out, width=120, no_color=True).print(evaluation_table(run_folder.evaluation()))
    (line,) = [line for line in out.getvalue().splitlines() if line.startswith("refuses harmful")]
    moved = run_folder.evaluation().row("refuses harmful").cell("after dpo")
    assert moved is not None
    assert moved.moved is not None
    assert f"({shown_move(Measure(trait='refuses'), moved.moved)})" in line
    assert "↑" in line


def test_the_footnotes_say_who_judged_and_what_is_missing() -> None:
    evaluation = run_folder.evaluation(is_independent=False)
    assert any("also labelled the training data" in note for note in footnotes(evaluation))
    independent = run_folder.evaluation()
    assert not any("also labelled" in note for note in footnotes(independent))
    silent = independent.model_copy(
        update={"wins": (WinRate(policy="after dpo", figure=None, abstained={"no-mass": 3}),)}
    )
    assert any("no answer for 3 pairs" in note for note in footnotes(silent))


def test_the_footnotes_stand_under_the_table_in_the_terminal() -> None:
    out = io.StringIO()
    evaluation = run_folder.evaluation(is_independent=False)
    Console(file=out, width=200, no_color=True).print(evaluation_table(evaluation))
    assert "also labelled the training data" in " ".join(out.getvalue().split())


def test_a_measure_may_be_called_what_looks_like_markup() -> None:
    evaluation = run_folder.evaluation()
    odd = evaluation.rows[0].model_copy(update={"name": "[red]brief[/red] [/]"})
    out = io.StringIO()
    Console(file=out, width=120, no_color=True).print(
        evaluation_table(evaluation.model_copy(update={"rows": (odd, *evaluation.rows[1:])}))
    )
    assert "[red]brief[/red] [/]" in out.getvalue()


def test_a_run_without_an_evaluation_says_which_stage_is_missing(tmp_path: Path) -> None:
    run_folder.write_text(tmp_path / "experiment.yaml", "name: young\n")
    with pytest.raises(StageError, match="run the stage `evaluate` first"):
        result_table(tmp_path)


def test_the_table_of_a_run_is_that_of_its_evaluation(tmp_path: Path) -> None:
    run_folder.write_run(tmp_path / "run")
    shown = [list(column.cells) for column in result_table(tmp_path / "run").columns]
    fresh = evaluation_table(run_folder.evaluation())
    assert shown == [list(column.cells) for column in fresh.columns]
