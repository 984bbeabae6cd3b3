"""`rlaif optimize`: every method, on plain files."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from rlaif.cli.console import OUT, Shown, show
from rlaif.cli.options import BudgetOf, Constitution_, DryRun, ModelName, Out, Seed, Settings, Store
from rlaif.training.config import Method


def optimize(
    rows: Annotated[
        Path,
        typer.Argument(help="Preferences or pairs; for kto also thumbs; with a reward: prompts"),
    ],
    out: Out,
    settings: Settings = None,
    model: ModelName = "embedded",
    method: Annotated[
        Method,
        typer.Option(
            help="dpo and ipo learn from pairs, kto from answers, good or bad; the others from "
            "the reward of what they draw."
        ),
    ] = "dpo",
    reward: Annotated[
        list[str] | None,
        typer.Option(
            help="A reward model's folder, judge, length, variety, refusal or module:name, with "
            "commas: judge=tone,weight=0.5. More of them add up; the judge by default."
        ),
    ] = None,
    constitution: Constitution_ = "harmlessness",
    judge: Annotated[
        str | None,
        typer.Option(help="Who rewards: embedded (the default), openai:MODEL, a folder."),
    ] = None,
    template: Annotated[
        list[str] | None, typer.Option(help="The prompt file that asks; more: a panel.")
    ] = None,
    referee: Annotated[
        str | None, typer.Option(help="With monitor.every=50: a judge that is not the reward.")
    ] = None,
    also: Annotated[list[Path] | None, typer.Option(help="More labels.")] = None,
    epochs: Annotated[float, typer.Option(help="Passes over the rows.")] = 1.0,
    beta: Annotated[float, typer.Option(min=0, help="How dear moving away is.")] = 0.1,
    learning_rate: Annotated[
        float | None, typer.Option(min=0, help="3e-4, and without an adapter 3e-5.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Rows in a pass.")] = 8,
    label_smoothing: Annotated[
        float, typer.Option(min=0, help="The share of the pairs taken to be the wrong way round.")
    ] = 0.0,
    smoothing: Annotated[
        Literal["conservative", "robust"], typer.Option(help="What becomes of that share.")
    ] = "conservative",
    reference: Annotated[
        str | None, typer.Option(help="The folder to stay near; the start by default.")
    ] = None,
    max_length: Annotated[int, typer.Option(min=2, help="Tokens of prompt and answer.")] = 1024,
    lora: Annotated[int, typer.Option(min=0, help="The adapter's rank; 0: all weights.")] = 16,
    bits: Annotated[
        int | None, typer.Option(help="4 or 8: QLoRA, the frozen weights in so many bits.")
    ] = None,
    checkpoint: Annotated[
        int, typer.Option(min=1, help="Updates between what a stopped run goes on from.")
    ] = 500,
    store: Store = None,
    budget: BudgetOf = None,
    dry_run: DryRun = False,
    seed: Seed = 0,
) -> None:
    """Move a policy by labels, or by the reward of what it draws for a file of prompts.

    What judges were asked is kept in OUT.asked, the steps in OUT.curve.jsonl.
    """
    from rlaif.budget import parse_budget
    from rlaif.experiment.alone_optimize import Job, count_alone, optimize_alone, optimize_config
    from rlaif.experiment.alone_rewarded import Rewarding, parse_rewards

    options = {
        "method": method,
        "rewards": parse_rewards(reward or ()) or None,
        "epochs": epochs,
        "beta": beta,
        "learning_rate": learning_rate,
        "batch": batch,
        "label_smoothing": label_smoothing,
        "smoothing": smoothing,
        "reference": reference,
        "max_length": max_length,
        "checkpoint": checkpoint,
    }
    config = optimize_config(lora, options, bits, settings or ())
    who = Rewarding(
        constitution, judge, referee, tuple(template or ()), store, parse_budget(budget)
    )
    job = Job([rows, *(also or ())], model, out, config, seed, who)
    if not dry_run:
        OUT.print(optimize_alone(job, Shown()), markup=False)
        return
    counted = count_alone(job, Shown())
    if counted is None:
        OUT.print(f"{method} learns from labels that are there: it asks nothing", markup=False)
        return
    show(*counted.table())
    for note in counted.notes():
        OUT.print(note, markup=False)
