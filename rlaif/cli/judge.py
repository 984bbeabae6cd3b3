"""Judges: how far to trust them."""

from pathlib import Path
from typing import Annotated

import typer

from rlaif.cli.console import OUT, table

app = typer.Typer(help="Say how far a judge is to be trusted.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Say how far a judge is to be trusted."""


@app.command()
def agree(
    labels: Annotated[Path, typer.Argument(help="preferences.jsonl, or the folder of it")],
    people: Annotated[Path, typer.Option("--with", help="What people chose, pairs as JSONL.")],
) -> None:
    """Hold a judge's labels against people's, beside the trivial judges on the same pairs."""
    from rlaif.evaluation.agreement import agreement
    from rlaif.feedback.importers import read_people
    from rlaif.records import Preference
    from rlaif.storage import read_records

    path = labels / "preferences.jsonl" if labels.is_dir() else labels
    found = agreement(list(read_records(path, Preference)), read_people(people))
    OUT.print(table(found.head, found.rows))
    for note in found.notes:
        OUT.print(note, markup=False)


@app.command()
def calibrate(
    labels: Annotated[Path, typer.Argument(help="preferences.jsonl, or the folder of it")],
    people: Annotated[Path, typer.Option("--with", help="What people chose, pairs as JSONL.")],
    judge: Annotated[str, typer.Option(help="Who made the labels.")] = "embedded",
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write.")] = Path(
        "calibration.json"
    ),
) -> None:
    """Fit how sure a judge of single replies may be of a pair, on what people chose."""
    from rlaif.experiment.alone_labels import calibrate_alone

    OUT.print(calibrate_alone(labels, people, judge, out), markup=False)
