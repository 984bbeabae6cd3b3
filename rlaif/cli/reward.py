"""Reward models: train one; look at one before a policy learns from it."""

from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from rlaif.cli.console import OUT, Shown
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
