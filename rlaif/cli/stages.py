"""Each stage by itself, on plain files."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rlaif.cli.console import OUT, Shown, show
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
from rlaif.cli.spread import Cluster, label_on, models, templates
from rlaif.errors import InputError

if TYPE_CHECKING:
    from rlaif.experiment.dry import DryFolder
    from rlaif.experiment.folder import Folder

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
        with _dry(out, store, budget) as dry:
            respond_dry(prompts, model, config, dry, seed)
            _tell(dry)
        return
    with _folder(out, store, budget) as folder:
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
        with _dry(out, store, budget) as dry:
            revise_dry(responses, rules, (model, judge), config, dry, seed)
            _tell(dry)
        return
    with _folder(out, store, budget) as folder:
        revise_alone(responses, rules, (model, judge), config, folder, seed)


def label(
    pairs: Annotated[Path, typer.Argument(help="JSONL of pairs: chosen/rejected or first/second")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder to write.")] = Path("labels"),
    constitution: Constitution_ = "harmlessness",
    judge: Annotated[
        list[str],
        typer.Option(help="embedded, openai:MODEL, recorded:FILE, a folder; more: a panel."),
    ] = ["embedded"],  # noqa: B006 (typer copies it)
    template: Annotated[
        list[str], typer.Option(help="The prompt file that asks; more: a panel.")
    ] = ["absolute"],  # noqa: B006
    orders: Annotated[
        Literal["both", "any", "one"], typer.Option(help="Orders shown to a comparing judge.")
    ] = "both",
    repeats: Annotated[int, typer.Option(min=1, help="Ask everything so often.")] = 1,
    panel: Annotated[
        Literal["mean", "median", "vote"], typer.Option(help="How several answers become one.")
    ] = "mean",
    calibration: Annotated[
        Path | None, typer.Option(help="What `rlaif judge calibrate` wrote.")
    ] = None,
    draw: Annotated[
        int, typer.Option(min=0, help="Principles drawn, beside the vetoes; 0 asks them all.")
    ] = 1,
    tag: Annotated[
        list[str] | None, typer.Option(help="Give every prompt this tag, for principles' scopes.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first pairs.")] = None,
    dry_run: DryRun = False,
    anew: Annotated[bool, typer.Option(help="Replace labels that another setting made.")] = False,
    require: Annotated[
        list[str] | None,
        typer.Option(help="agreement=0.7, same_slot=0.3, abstained=0.1, sample=50, people=FILE."),
    ] = None,
    anyway: Annotated[bool, typer.Option(help="Label though the judge falls short.")] = False,
    ray: Annotated[
        str | None, typer.Option(help="Label in shards on a Ray cluster: local, auto, HOST:PORT.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="With --ray: shards at a time; a processor each.")
    ] = None,
    shard: Annotated[int, typer.Option(min=1, help="With --ray: pairs of a shard.")] = 1000,
    store: Store = None,
    budget: BudgetOf = None,
    seed: Seed = 0,
) -> None:
    """Label pairs by a constitution: preferences with probabilities, and counted abstentions.

    With --ray: part-00000.parquet and so on, and manifest.json. Every worker must see -o and have
    the key in its environment.
    """
    from rlaif.constitution.principle import Constitution
    from rlaif.experiment.alone import label_alone, label_requests, read_comparisons
    from rlaif.experiment.dry import label_dry
    from rlaif.experiment.folder import NamedJudges
    from rlaif.experiment.requirements import parse_require
    from rlaif.feedback.label import LabelConfig
    from rlaif.judges.principles import Draw

    rules = Constitution.load(constitution)
    comparisons = read_comparisons(pairs, limit, seed, tag or ())
    principles: Draw | Literal["all"] = Draw(draw=draw) if draw else "all"
    config = LabelConfig(
        template=tuple(template) if len(template) > 1 else template[0],
        orders=orders,
        repeats=repeats,
        panel=panel,
        principles=principles,
        require=parse_require(require or ()),
    )
    if dry_run:
        total, how = label_requests(comparisons, rules, config, len(judge))
        OUT.print(f"{how} = {total:,} requests at most", markup=False)
        with _dry(out, store, budget) as dry:
            label_dry(comparisons, rules, NamedJudges(dry, judge, calibration), config, dry, seed)
            _tell(dry)
        return
    if ray:
        from rlaif.budget import parse_budget
        from rlaif.experiment.shards import Job

        own = templates(template)
        job = Job(
            out=out.resolve(),
            constitution=rules,
            judges=models(judge, calibration),
            config=config.model_copy(update={"template": own if len(own) > 1 else own[0]}),
            seed=seed,
            tags=tuple(tag or ()),
            budget=parse_budget(budget),
            store=store.resolve() if store else None,
        )
        label_on(Cluster(ray, workers, shard), job, comparisons, anew=anew)
        return
    with _folder(out, store, budget) as folder:
        named = NamedJudges(folder, judge, calibration)
        label_alone(
            comparisons,
            rules,
            lambda: named.judge(config, rules),
            config,
            folder,
            make_conditions=lambda: named.conditions(config, rules),
            models=named.specs,
            seed=seed,
            tags=tag or (),
            anew=anew,
            is_anyway=anyway,
        )
    OUT.print(f"kept in {out / 'preferences.jsonl'}", markup=False)


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
        with _dry(out, store, budget) as dry:
            evaluate_dry(models, names, rules, judge, dry, (limit, seed))
            _tell(dry)
        return
    with _folder(out, store, budget) as folder:
        OUT.print(evaluate_alone(models, names, rules, judge, folder, (limit, seed)))


@contextlib.contextmanager
def _folder(out: Path, store: Path | None, budget: str | None) -> Iterator["Folder"]:
    from rlaif.budget import parse_budget
    from rlaif.experiment.folder import Folder

    watcher = Shown()
    try:
        with Folder(out, watcher, store=store, budget=parse_budget(budget)) as folder:
            yield folder
    finally:
        watcher.close()


def _dry(out: Path, store: Path | None, budget: str | None) -> "DryFolder":
    from rlaif.budget import parse_budget
    from rlaif.experiment.dry import DryFolder

    return DryFolder(out, Shown(), store=store, budget=parse_budget(budget))


def _tell(dry: "DryFolder") -> None:
    show(*dry.estimates.table())
    for note in dry.estimates.notes():
        OUT.print(note, markup=False)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (respond, revise, sft, label, reweigh, optimize, evaluate):
        app.command()(command)
