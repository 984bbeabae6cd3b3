"""Reward models: train one; look at one before a policy learns from it."""

from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from rlaif.cli.console import OUT, Shown, show_sheets
from rlaif.cli.stages import ModelName, Out, Seed

DEFAULT = "train"
"""What `rlaif reward` does where no command is named: the stage, as its neighbours are run."""


class _Group(typer.core.TyperGroup):
    """Takes `rlaif reward FILE` for `rlaif reward train FILE`."""

    default = DEFAULT

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default's name before what names no command."""
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Group,
    help="Train a reward model, and look at it before a policy learns from it. "
    "`rlaif reward FILE -o FOLDER` trains.",
    no_args_is_help=True,
    subcommand_metavar="PREFERENCES -o FOLDER | COMMAND [ARGS]...",
)


@app.callback()
def _group() -> None:
    """Keep this a group."""


@app.command()
def train(
    preferences: Annotated[Path, typer.Argument(help="preferences.jsonl, or pairs as JSONL")],
    out: Out,
    model: ModelName = "embedded",
    epochs: Annotated[float, typer.Option(help="Passes over the pairs.")] = 1.0,
    seed: Seed = 0,
) -> None:
    """Train a reward model on preferences, whoever labelled them."""
    from rlaif.experiment.alone_training import reward_alone

    OUT.print(reward_alone(preferences, model, out, epochs, seed, Shown()), markup=False)


@app.command()
def report(
    model: Annotated[
        Path, typer.Argument(help="A reward model's folder, a run, or a file of scored pairs")
    ],
    rows: Annotated[
        Path | None, typer.Argument(help="Labelled pairs; a run's model finds its own")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The folder to write; beside the model.")
    ] = None,
    people: Annotated[
        Path | None, typer.Option("--with", help="What people chose of the same pairs.")
    ] = None,
    train: Annotated[
        int, typer.Option(min=0, help="Pairs that trained it to score too, for the gap.")
    ] = 300,
) -> None:
    """Say what a reward model knows: accuracy, calibration, length, people, its hardest pairs."""
    from rlaif.errors import InputError

    if model.is_file():
        from rlaif.experiment.reward_report import report_on_scores

        if rows is not None:
            raise InputError(f"{model}: a file of scored pairs has its rows; name no others")
        found, page = report_on_scores(model, people, out)
    else:
        from rlaif.experiment.reward_scores import report_on_model

        found, page = report_on_model(model, rows, people, out, train, Shown())
    from rlaif.evaluation.reward.sheets import sheets

    show_sheets(sheets(found))
    OUT.print(f"kept in {page}", markup=False)
