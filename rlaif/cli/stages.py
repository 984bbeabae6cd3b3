"""Each stage by itself, on plain files."""

from pathlib import Path
from typing import Annotated

import typer

from rlaif.cli.console import OUT, Shown
from rlaif.cli.label import label
from rlaif.cli.optimize import optimize
from rlaif.cli.options import (
    BudgetOf,
    Constitution_,
    DryRun,
    JudgeName,
    ModelName,
    Out,
    Seed,
    Settings,
    Store,
)
from rlaif.cli.work import counted, opened, tell
from rlaif.errors import InputError

_SUITES = "harmful,benign,helpful"


def respond(
    prompts: Annotated[Path, typer.Argument(help="JSONL of prompts, or one a line in a .txt")],
    out: Out,
    model: ModelName = "embedded",
    samples: Annotated[int, typer.Option(min=1, help="Responses for each prompt.")] = 4,
    temperature: Annotated[float, typer.Option(min=0, help="0 takes the likeliest token.")] = 0.8,
    max_tokens: Annotated[int, typer.Option(min=1, help="The longest response.")] = 64,
    store: Store = None,
    budget: BudgetOf = None,
    dry_run: DryRun = False,
    seed: Seed = 0,
) -> None:
    """Draw responses to prompts from a model."""
    from rlaif.experiment.alone import respond_alone
    from rlaif.experiment.dry import respond_dry
    from rlaif.feedback.respond import RespondConfig

    config = RespondConfig(samples=samples, temperature=temperature, max_tokens=max_tokens)
    if dry_run:
        with counted(out, store, budget) as dry:
            respond_dry(prompts, model, config, dry, seed)
            tell(dry)
        return
    with opened(out, store, budget) as folder:
        respond_alone(prompts, model, config, folder, seed)


def revise(
    responses: Annotated[Path, typer.Argument(help="A folder that `rlaif respond` wrote")],
    out: Out,
    constitution: Constitution_ = "harmlessness",
    model: ModelName = "embedded",
    judge: JudgeName = "embedded",
    rounds: Annotated[int, typer.Option(min=1, help="Critiques and revisions in turn.")] = 1,
    tries: Annotated[int, typer.Option(min=1, help="Revisions to choose among.")] = 4,
    store: Store = None,
    budget: BudgetOf = None,
    dry_run: DryRun = False,
    seed: Seed = 0,
) -> None:
    """Critique and revise responses by a constitution; the judge chooses among the tries."""
    from rlaif.constitution.principle import Constitution
    from rlaif.experiment.alone import revise_alone
    from rlaif.experiment.dry import revise_dry
    from rlaif.feedback.revise import ReviseConfig

    config = ReviseConfig(rounds=rounds, tries=tries)
    rules = Constitution.load(constitution)
    if dry_run:
        with counted(out, store, budget) as dry:
            revise_dry(responses, rules, (model, judge), config, dry, seed)
            tell(dry)
        return
    with opened(out, store, budget) as folder:
        revise_alone(responses, rules, (model, judge), config, folder, seed)


def reweigh(
    labels: Annotated[Path, typer.Argument(help="preferences.jsonl, or the folder of it")],
    out: Out,
    constitution: Constitution_ = "harmlessness",
    min_confidence: Annotated[
        float, typer.Option(min=0.5, max=1, help="Leave out labels less sure than this.")
    ] = 0.5,
) -> None:
    """Weigh labels anew by a constitution's edited weights and vetoes; asks nothing."""
    from rlaif.constitution.principle import Constitution
    from rlaif.experiment.alone_labels import reweigh_alone

    for line in reweigh_alone(labels, Constitution.load(constitution), out, min_confidence):
        OUT.print(line, markup=False)
    OUT.print(f"kept in {out / 'preferences.jsonl'}", markup=False)


def sft(
    rows: Annotated[Path, typer.Argument(help='JSONL of {"prompt", "reply"}, or revisions.jsonl')],
    out: Out,
    settings: Settings = None,
    model: ModelName = "embedded",
    epochs: Annotated[float, typer.Option(help="Passes over the rows.")] = 1.0,
    seed: Seed = 0,
) -> None:
    """Fine-tune a model on replies; the loss is on the replies alone."""
    from rlaif.experiment.alone_training import sft_alone, sft_config

    config = sft_config(epochs, settings or ())
    OUT.print(sft_alone(rows, model, out, config, seed, Shown()), markup=False)


def evaluate(
    models: Annotated[list[str], typer.Argument(help="The base first, then what to compare")],
    out: Out,
    suites: Annotated[str, typer.Option(help="Names or files, with commas.")] = _SUITES,
    constitution: Constitution_ = "harmlessness",
    judge: JudgeName = "embedded",
    limit: Annotated[int | None, typer.Option(min=1, help="Prompts of each suite.")] = None,
    store: Store = None,
    budget: BudgetOf = None,
    dry_run: DryRun = False,
    seed: Seed = 0,
) -> None:
    """Put policies side by side: counted traits, refusals, win rates, with intervals."""
    from rlaif.constitution.principle import Constitution
    from rlaif.experiment.alone_training import evaluate_alone
    from rlaif.experiment.dry import evaluate_dry

    if len(set(models)) < len(models):
        raise InputError("a model stands twice; name each once, the base first")
    rules = Constitution.load(constitution)
    names = [name.strip() for name in suites.split(",")]
    if dry_run:
        with counted(out, store, budget) as dry:
            evaluate_dry(models, names, rules, judge, dry, (limit, seed))
            tell(dry)
        return
    with opened(out, store, budget) as folder:
        OUT.print(evaluate_alone(models, names, rules, judge, folder, (limit, seed)))


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (respond, revise, sft, label, reweigh, optimize, evaluate):
        app.command()(command)
