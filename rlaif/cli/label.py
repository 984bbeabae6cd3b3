"""Label pairs, here or on a cluster."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from rlaif.cli.console import OUT
from rlaif.cli.options import BudgetOf, Constitution_, DryRun, Seed, Store
from rlaif.cli.spread import Cluster, label_on, models, templates
from rlaif.cli.work import counted, opened, tell

if TYPE_CHECKING:
    from rlaif.constitution.principle import Constitution
    from rlaif.feedback.label import LabelConfig
    from rlaif.records import Comparison

_Judges = Annotated[
    list[str],
    typer.Option(
        help="embedded, openai:MODEL, a YAML file, recorded:FILE, a folder; more: a panel."
    ),
]
_Templates = Annotated[list[str], typer.Option(help="The prompt file that asks; more: a panel.")]
_Orders = Annotated[
    Literal["both", "any", "one"], typer.Option(help="Orders shown to a comparing judge.")
]
_Panel = Annotated[
    Literal["mean", "median", "vote"], typer.Option(help="How several answers become one.")
]
_Calibration = Annotated[Path | None, typer.Option(help="What `rlaif judge calibrate` wrote.")]
_Draw = Annotated[
    int, typer.Option(min=0, help="Principles drawn, beside the vetoes; 0 asks them all.")
]
_Tags = Annotated[
    list[str] | None, typer.Option(help="Give every prompt this tag, for principles' scopes.")
]
_Require = Annotated[
    list[str] | None,
    typer.Option(help="agreement=0.7, same_slot=0.3, abstained=0.1, sample=50, people=FILE."),
]
_Ray = Annotated[
    str | None, typer.Option(help="Label in shards on a Ray cluster: local, auto, HOST:PORT.")
]
_Workers = Annotated[
    int | None, typer.Option(min=1, help="With --ray: shards at a time; a processor each.")
]


class _Work(NamedTuple):
    """What the options ask for."""

    comparisons: "list[Comparison]"
    constitution: "Constitution"
    config: "LabelConfig"
    judges: list[str]
    calibration: Path | None
    out: Path
    store: Path | None
    budget: str | None
    seed: int
    tags: tuple[str, ...]


def label(
    pairs: Annotated[Path, typer.Argument(help="JSONL of pairs: chosen/rejected or first/second")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder to write.")] = Path("labels"),
    constitution: Constitution_ = "harmlessness",
    judge: _Judges = ["embedded"],  # noqa: B006 (typer copies it)
    template: _Templates = ["absolute"],  # noqa: B006
    orders: _Orders = "both",
    repeats: Annotated[int, typer.Option(min=1, help="Ask everything so often.")] = 1,
    panel: _Panel = "mean",
    calibration: _Calibration = None,
    draw: _Draw = 1,
    tag: _Tags = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first pairs.")] = None,
    dry_run: DryRun = False,
    anew: Annotated[bool, typer.Option(help="Replace labels that another setting made.")] = False,
    require: _Require = None,
    anyway: Annotated[bool, typer.Option(help="Label though the judge falls short.")] = False,
    ray: _Ray = None,
    workers: _Workers = None,
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
    from rlaif.experiment.alone import read_comparisons
    from rlaif.experiment.requirements import parse_require
    from rlaif.feedback.label import LabelConfig
    from rlaif.judges.principles import Draw

    rules = Constitution.load(constitution)
    comparisons = read_comparisons(pairs, limit, seed, tag or ())
    config = LabelConfig(
        template=tuple(template) if len(template) > 1 else template[0],
        orders=orders,
        repeats=repeats,
        panel=panel,
        principles=Draw(draw=draw) if draw else "all",
        require=parse_require(require or ()),
    )
    work = _Work(
        comparisons, rules, config, judge, calibration, out, store, budget, seed, tuple(tag or ())
    )
    if dry_run:
        _count(work)
    elif ray:
        _on_cluster(work, Cluster(ray, workers, shard), anew=anew)
    else:
        _here(work, anew=anew, anyway=anyway)


def _count(work: _Work) -> None:
    from rlaif.experiment.alone import label_requests
    from rlaif.experiment.dry import label_dry
    from rlaif.experiment.folder import NamedJudges

    asked, rules, config = work.comparisons, work.constitution, work.config
    total, how = label_requests(asked, rules, config, len(work.judges))
    OUT.print(f"{how} = {total:,} requests at most", markup=False)
    with counted(work.out, work.store, work.budget) as dry:
        named = NamedJudges(dry, work.judges, work.calibration)
        label_dry(asked, rules, named, config, dry, work.seed)
        tell(dry)


def _on_cluster(work: _Work, cluster: Cluster, *, anew: bool) -> None:
    from rlaif.budget import parse_budget
    from rlaif.experiment.shards import Job

    own = templates(work.config.templates)
    job = Job(
        out=work.out.resolve(),
        constitution=work.constitution,
        judges=models(work.judges, work.calibration),
        config=work.config.model_copy(update={"template": own if len(own) > 1 else own[0]}),
        seed=work.seed,
        tags=work.tags,
        budget=parse_budget(work.budget),
        store=work.store.resolve() if work.store else None,
    )
    label_on(cluster, job, work.comparisons, anew=anew)


def _here(work: _Work, *, anew: bool, anyway: bool) -> None:
    from rlaif.experiment.alone import label_alone
    from rlaif.experiment.folder import NamedJudges

    with opened(work.out, work.store, work.budget) as folder:
        named = NamedJudges(folder, work.judges, work.calibration)
        label_alone(
            work.comparisons,
            work.constitution,
            lambda: named.judge(work.config, work.constitution),
            work.config,
            folder,
            make_conditions=lambda: named.conditions(work.config, work.constitution),
            models=named.specs,
            seed=work.seed,
            tags=work.tags,
            anew=anew,
            is_anyway=anyway,
        )
    OUT.print(f"kept in {work.out / 'preferences.jsonl'}", markup=False)
