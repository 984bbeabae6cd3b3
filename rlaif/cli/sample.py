"""Read what a trained policy says, beside what it said before."""

from pathlib import Path
from typing import Annotated

import typer

from rlaif.cli.console import OUT, Shown, show_sheets
from rlaif.cli.options import Seed


def sample(
    model: Annotated[str, typer.Argument(help="A trained policy's folder, or a run")],
    prompts: Annotated[str, typer.Option(help="A file of prompts, or harmful, benign, helpful.")],
    base: Annotated[
        str | None, typer.Option(help="What it was trained from; a run knows its own.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The folder to write; beside the model.")
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Draws for each prompt.")] = 1,
    temperature: Annotated[float, typer.Option(min=0, help="0 takes the likeliest token.")] = 0.8,
    max_tokens: Annotated[int, typer.Option(min=1, help="The longest reply.")] = 64,
    n: Annotated[int, typer.Option("-n", min=0, help="How many to show; all are written.")] = 5,
    anew: Annotated[bool, typer.Option(help="Replace samples of another setting.")] = False,
    seed: Seed = 0,
) -> None:
    """Draw from a trained policy and from its base, side by side."""
    from rlaif.evaluation.samples import lines_of, sheet
    from rlaif.experiment.folder import Folder
    from rlaif.experiment.sample import SAMPLES, find_policies, sample_alone
    from rlaif.feedback.respond import RespondConfig

    config = RespondConfig(samples=samples, temperature=temperature, max_tokens=max_tokens)
    policies = find_policies(model, base)
    with Folder(out or policies.folder, Shown()) as folder:
        drawn, names = sample_alone(policies, prompts, config, folder, seed, anew=anew)
    for one in drawn[:n]:
        OUT.print()
        for name, text in lines_of(one):
            OUT.print(f"{name:<7} {text}", markup=False)
    OUT.print()
    show_sheets([sheet(drawn, names)])
    OUT.print(f"kept in {folder.path / SAMPLES}", markup=False)


def add_to(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command()(sample)
