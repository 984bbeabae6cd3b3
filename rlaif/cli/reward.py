"""Reward models: train one; look at one before a policy learns from it."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
import typer.core

from rlaif.cli.console import OUT, Shown, show_sheets
from rlaif.cli.options import Out, Seed

Base = Annotated[
    str, typer.Option("--model", "--base", help="embedded, a Hugging Face folder or name.")
]
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
    model: Base = "embedded",
    loss: Annotated[
        Literal["soft", "hard", "luce"],
        typer.Option(help="By each label's probability, its side alone, or whole rankings."),
    ] = "soft",
    epochs: Annotated[float, typer.Option(help="Passes over the pairs.")] = 1.0,
    learning_rate: Annotated[
        float | None, typer.Option(min=0, help="3e-4, and without an adapter 3e-5.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Pairs in a pass; prompts with --kwise.")] = 8,
    kwise: Annotated[
        bool, typer.Option("--kwise", help="All answers to a prompt at once, each encoded once.")
    ] = False,
    pairs_per_prompt: Annotated[
        int | None, typer.Option(min=1, help="With --kwise: draw so many of a prompt's pairs.")
    ] = None,
    share_prompts: Annotated[
        bool, typer.Option("--share-prompts", help="Encode a prompt once for all its answers.")
    ] = False,
    centring: Annotated[
        float | None, typer.Option(help="Hold a pair's scores around 0; 0.01 is usual.")
    ] = None,
    max_length: Annotated[int, typer.Option(min=2, help="Tokens of prompt and answer.")] = 1024,
    truncate: Annotated[
        bool, typer.Option("--truncate", help="Cut prompts that are too long, from the left.")
    ] = False,
    lora: Annotated[int, typer.Option(min=0, help="The adapter's rank; 0: all weights.")] = 16,
    bits: Annotated[
        int | None, typer.Option(help="4 or 8: QLoRA, the frozen weights in so many bits.")
    ] = None,
    probe: Annotated[
        int | None,
        typer.Option(min=1, help="Fit the score alone, on what so many layers say; no training."),
    ] = None,
    held_out: Annotated[
        float, typer.Option(min=0, help="The share of the prompts that measures the model.")
    ] = 0.2,
    also: Annotated[
        list[Path] | None, typer.Option(help="More labels, of people or thumbs, say.")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="A source's weight: human=4; judge, human, thumbs.")
    ] = None,
    members: Annotated[int, typer.Option(min=1, help="Models of an ensemble.")] = 1,
    heads: Annotated[int, typer.Option(min=1, help="Heads on each: a cheap ensemble.")] = 1,
    combine: Annotated[
        Literal["mean", "min", "lower"],
        typer.Option(help="How an ensemble scores; lower: deviations below its mean."),
    ] = "mean",
    spread: Annotated[
        float, typer.Option(min=0, help="With --combine lower: how many deviations.")
    ] = 1.0,
    by_principle: Annotated[
        bool, typer.Option("--by-principle", help="Read a principle first, and score by it.")
    ] = False,
    constitution: Annotated[
        str | None, typer.Option("--constitution", "-c", help="What the labels were judged by.")
    ] = None,
    demonstrations: Annotated[
        Path | None, typer.Option(help='{"prompt", "reply"} rows that are to score 0 in the mean.')
    ] = None,
    checkpoint: Annotated[
        int, typer.Option(min=1, help="Updates between what a killed run goes on from.")
    ] = 500,
    seed: Seed = 0,
) -> None:
    """Train a reward model on preferences, whoever labelled them."""
    from rlaif.experiment.alone_training import reward_alone, reward_config
    from rlaif.feedback.mix import Mix, parse_weights

    config = reward_config(
        loss=loss,
        epochs=epochs,
        learning_rate=(3e-4 if lora else 3e-5) if learning_rate is None else learning_rate,
        batch=batch,
        kwise=kwise,
        pairs_per_prompt=pairs_per_prompt,
        share_prompts=share_prompts,
        centring=centring,
        max_length=max_length,
        too_long="truncate" if truncate else "drop",
        lora={"r": lora, "bits": bits} if lora else None,
        probe={"layers": probe} if probe else None,
        held_out=held_out,
        members=members,
        heads=heads,
        combine=combine,
        spread=spread,
        by_principle=by_principle,
        zero="demonstrations" if demonstrations else "free",
        checkpoint=checkpoint,
    )
    mix = Mix((preferences, *(also or ())), parse_weights(source or ()))
    beside = (constitution, demonstrations)
    line = reward_alone(mix, model, out, config, beside, seed, Shown())
    OUT.print(line, markup=False)


@app.command()
def score(
    model: Annotated[Path, typer.Argument(help="A reward model's folder")],
    rows: Annotated[
        Path,
        typer.Argument(help='Pairs, {"prompt", "reply"} rows, or a folder of `rlaif respond`'),
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="A JSONL file; else they are printed.")
    ] = None,
    principle: Annotated[
        str | None, typer.Option(help="Score by this one: its id, or a principle's words.")
    ] = None,
) -> None:
    """Score answers: a line of JSON for each, null where it is too long to be read."""
    from rlaif.experiment.alone_score import score_alone

    lines, unscored = score_alone(model, rows, out, principle)
    if not out:
        print("\n".join(lines))
        return
    note = f", {unscored} too long" if unscored else ""
    OUT.print(f"{len(lines)} answers{note}, kept in {out}", markup=False)


@app.command()
def report(
    model: Annotated[
        Path,
        typer.Argument(help="A reward model's folder, a run, or scores that lie in a file"),
    ],
    rows: Annotated[
        Path | None,
        typer.Argument(help="Labelled pairs, those scored; a run's model finds its own"),
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
    if model.is_file():
        from rlaif.experiment.reward_joined import report_on_file

        found, page = report_on_file(model, rows, people, out)
    else:
        from rlaif.experiment.reward_scores import report_on_model

        found, page = report_on_model(model, rows, people, out, train, Shown())
    from rlaif.evaluation.reward.sheets import sheets

    show_sheets(sheets(found))
    OUT.print(f"kept in {page}", markup=False)
