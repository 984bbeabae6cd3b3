"""Methods side by side, on one reward and equal budgets."""

from pathlib import Path
from typing import Annotated

import typer

from rlaif.cli.console import OUT, Shown, show_sheets
from rlaif.resources import find


def compare(
    comparison: Annotated[str, typer.Argument(help="A comparison's file, or a shipped one's name")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The folder to write; runs/NAME by default.")
    ] = None,
    anew: Annotated[bool, typer.Option(help="Replace another comparison there.")] = False,
) -> None:
    """Train by several methods from one start and one reward; write a page, a table, a picture."""
    from rlaif.evaluation.compare.page import sheet, write_compare
    from rlaif.experiment.compare.config import load_compare
    from rlaif.experiment.compare.run import compare as run

    file = find("experiments", comparison)
    config = load_compare(file)
    folder = out or Path("runs") / config.name
    watcher = Shown()
    try:
        outcomes = run(config, file, folder, watcher, anew=anew)
    finally:
        watcher.close()
    show_sheets([sheet(outcomes, config.name)])
    page = write_compare(outcomes, folder, config.name, config.summary)
    OUT.print(f"kept in {page}", markup=False)


def add_to(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command()(compare)
