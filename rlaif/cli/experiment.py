"""Whole experiments: run, status, look, new, report."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rlaif.cli.console import OUT, Shown, show, table
from rlaif.errors import InputError
from rlaif.ranks import is_first, ranks
from rlaif.resources import find

if TYPE_CHECKING:
    from rlaif.experiment.context import Context
    from rlaif.experiment.dry_run import DryContext
    from rlaif.experiment.stages import Done

Runs = Annotated[Path, typer.Option("--runs", help="The folder that holds the runs.")]
Overrides = Annotated[
    list[str] | None, typer.Argument(help="Changes, such as label.min_confidence=0.7")
]


def run(
    experiment: Annotated[str, typer.Argument(help="An experiment file, or a shipped one's name")],
    overrides: Overrides = None,
    until: Annotated[str | None, typer.Option(help="Stop after this stage.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Count tokens and money; run nothing.")] = False,
    anyway: Annotated[bool, typer.Option(help="Label though the judge falls short.")] = False,
    budget: Annotated[
        str | None, typer.Option(help="Stop at usd=5,requests=20000,tokens=3000000 or some of it.")
    ] = None,
    runs: Runs = Path("runs"),
) -> None:
    """Run an experiment's stages; those that are fresh already are left as they are."""
    from rlaif.budget import parse_budget
    from rlaif.experiment.config import load_experiment
    from rlaif.experiment.context import Context

    file = find("experiments", experiment)
    watcher = Shown()
    told = parse_budget(budget).model_dump(exclude_none=True)
    spending = [f"budget.{name}={value}" for name, value in told.items()]
    experiment_ = load_experiment(file, [*(overrides or []), *spending])
    if dry_run:
        from rlaif.experiment.dry_run import DryContext

        _show_plan(DryContext(experiment_, file, runs, watcher))
        return
    context = Context(experiment_, file, runs, watcher, is_anyway=anyway)
    if not is_first():
        from rlaif.experiment.follow import follow

        follow(context)
        return
    name = ""
    try:
        for name, done in _stages(context, until):
            if done is None:
                OUT.print(f"▸ {name:<13} fresh", markup=False)
    finally:
        watcher.close()
    _show_result(context.folder, has_table=name == "evaluate")


def _stages(context: "Context", until: str | None) -> Iterator[tuple[str, "Done | None"]]:
    from rlaif.experiment.runner import run_stages

    if ranks() == 1:
        yield from run_stages(context, until)
        return
    from rlaif.experiment.follow import end, lead, rejoin

    yield from run_stages(context, until, lead, rejoin)
    end()


def _show_plan(run: "DryContext") -> None:
    """Print what each stage would do, and what that would take."""
    from rlaif.experiment.dry_run import count
    from rlaif.experiment.runner import plan

    planned = plan(run)
    rows = [
        [
            item.stage.name,
            item.state,
            "" if item.state == "fresh" else f"≤ {item.requests:,}",
            item.why,
        ]
        for item in planned
    ]
    OUT.print(table(["stage", "state", "requests", "why"], rows))
    estimates = count(run, [item.stage.name for item in planned if item.state != "fresh"])
    head, found = estimates.table()
    if found:
        OUT.print()
        show(head, found)
        for note in estimates.notes():
            OUT.print(note, markup=False)


def _show_result(folder: Path, people: Path | None = None, *, has_table: bool = True) -> None:
    from rlaif.evaluation.report import report
    from rlaif.evaluation.table import result_table
    from rlaif.feedback.people import read_ratings

    ratings = read_ratings(people) if people else ()

    if has_table and (folder / "evaluate" / "evaluation.json").is_file():
        OUT.print()
        OUT.print(result_table(folder))
    OUT.print(f"\nReport: {report(folder, ratings)}", markup=False)


def status(
    experiment: Annotated[str, typer.Argument(help="An experiment file, or a run's folder")],
    runs: Runs = Path("runs"),
) -> None:
    """Say of each stage whether it is fresh, stale, unfinished or missing."""
    from rlaif.experiment.config import load_experiment
    from rlaif.experiment.context import Context
    from rlaif.experiment.runner import plan

    folder = Path(experiment)
    if (folder / "experiment.yaml").is_file():
        experiment, runs = str(folder / "experiment.yaml"), folder.parent
    file = find("experiments", experiment)
    context = Context(load_experiment(file), file, runs, Shown())
    rows = [[item.stage.name, item.state, item.why] for item in plan(context)]
    OUT.print(table(["stage", "state", "why"], rows))


def look(
    folder: Annotated[Path, typer.Argument(help="A run, or a folder of preferences or revisions")],
    n: Annotated[int, typer.Option("-n", help="How many rows.")] = 5,
    principle: Annotated[str | None, typer.Option(help="Only rows judged by it.")] = None,
    flipped: Annotated[bool, typer.Option(help="Only rows whose orders disagreed.")] = False,
) -> None:
    """Show rows side by side: what was chosen, what was not, how sure, and by which principle."""
    from rlaif.feedback.look import rows_to_look_at

    shown = 0
    for lines in rows_to_look_at(folder, principle=principle, is_flipped=flipped):
        if shown == n:
            break
        shown += 1
        for name, text in lines:
            OUT.print(f"{name:<11} {text}", markup=False)
        OUT.print()
    if not shown:
        OUT.print("no such row", markup=False)


def new(
    name: Annotated[str, typer.Argument(help="The experiment's name; writes NAME.yaml here")],
    template: Annotated[str, typer.Option("--from", help="A ready experiment.")] = "embedded",
) -> None:
    """Write an experiment file of your own, and its constitution, to edit; or a comparison's."""
    from rlaif.experiment.new import is_comparison, write_new

    written = write_new(name, template, Path())
    for path in written:
        OUT.print(f"wrote {path}", markup=False)
    then = f"compare {name}.yaml" if is_comparison(written[0]) else f"run {name}.yaml --dry-run"
    OUT.print(f"next: rlaif {then}", markup=False)


def report(
    folder: Annotated[Path, typer.Argument(help="A run's folder, such as runs/embedded")],
    people: Annotated[
        Path | None, typer.Option("--with", help="What people chose, for the judge's audit.")
    ] = None,
) -> None:
    """Write a run's report: one HTML page, and the table here."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such run; `rlaif run` makes one")
    _show_result(folder, people)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (run, status, look, new, report):
        app.command()(command)
