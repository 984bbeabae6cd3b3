"""Feedback as data: crowds of raters, other people's files, and what sources say of each other."""

from pathlib import Path
from typing import Annotated

import typer

from rlaif.cli.console import OUT, Shown, show_sheets

app = typer.Typer(help="Look at what people said, and turn it into data.", no_args_is_help=True)
Out = Annotated[Path, typer.Option("-o", "--out", help="The folder to write.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write every figure here too.")]
Rounds = Annotated[int, typer.Option(min=1000, help="Rounds of the bootstrap.")]


@app.callback()
def _group() -> None:
    """Look at what people said, and turn it into data."""


@app.command("import")
def import_(
    pairs: Annotated[Path, typer.Argument(help="Labelled pairs of any format that is read")],
    out: Out,
) -> None:
    """Read labels as others write them into preferences.jsonl; faulty rows are named, left out."""
    from rlaif.experiment.alone_feedback import import_alone

    for line in import_alone(pairs, out):
        OUT.print(line, markup=False)


@app.command()
def thumbs(
    rows: Annotated[
        Path, typer.Argument(help="Rows of `prompt`, `completion`, `label`; `by`, `at`, `model`")
    ],
    out: Out,
    cap: Annotated[
        int | None, typer.Option(min=1, help="The most thumbs of one person; drawn by the seed.")
    ] = None,
    seed: Annotated[int, typer.Option(help="What every draw starts from.")] = 0,
) -> None:
    """Tidy thumbs up and down: unpaired for KTO, and paired within prompts for a reward model.

    Of each person, the last word on each reply counts, once.
    """
    from rlaif.experiment.alone_feedback import thumbs_alone

    for line in thumbs_alone(rows, out, cap, seed):
        OUT.print(line, markup=False)


@app.command()
def export(
    labels: Annotated[Path, typer.Argument(help="preferences.jsonl, the folder of it, or pairs")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write.")],
    to: Annotated[str, typer.Option(help="trl, kto, icai, argilla or parquet.")],
    constitution: Annotated[
        str | None, typer.Option("--constitution", "-c", help="Whose words ICAI's file shows.")
    ] = None,
) -> None:
    """Write labels as another tool reads them; what would not come back is said, with counts."""
    from rlaif.constitution.principle import Constitution
    from rlaif.experiment.alone_feedback import export_alone

    rules = Constitution.load(constitution) if constitution else None
    for line in export_alone(labels, to, out, rules):
        OUT.print(line, markup=False)


@app.command()
def disagree(
    labels: Annotated[
        list[Path], typer.Argument(help="A file for each source, or one file of several sources")
    ],
    shown: Annotated[int, typer.Option("-n", min=0, help="Pairs to show.")] = 10,
    json: Json = None,
    rounds: Rounds = 2000,
) -> None:
    """Hold sources of labels beside each other on the pairs that both labelled."""
    from rlaif.evaluation.disagreement import disagreement, sheets
    from rlaif.experiment.alone_feedback import sources_of
    from rlaif.storage import write_atomically

    found = disagreement(sources_of(labels), clashes=shown, rounds=rounds)
    show_sheets(sheets(found))
    if json:
        write_atomically(json, found.model_dump_json(indent=1))
        OUT.print(f"kept in {json}", markup=False)


@app.command()
def crowd(
    answers: Annotated[
        Path, typer.Argument(help="Pairs with a `rater`, rows of item, rater and label, or DICES")
    ],
    gold: Annotated[
        Path | None, typer.Option(help="The right answers of some items, one for each.")
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="The column that says what a rater belongs to.")
    ] = None,
    unsaid: Annotated[
        list[str] | None, typer.Option(help="A label that says nothing, such as unsure.")
    ] = None,
    method: Annotated[
        list[str],
        typer.Option(help="dawid-skene, majority, mace: how answers are pooled; the first's stay."),
    ] = ["dawid-skene", "majority"],  # noqa: B006 (typer copies it)
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="A folder for the pooled labels.")
    ] = None,
    json: Json = None,
    rounds: Rounds = 2000,
    seed: Annotated[int, typer.Option(help="What every draw starts from.")] = 0,
) -> None:
    """Pool several raters' answers into probabilities; say how far raters agree.

    Majority, Dawid-Skene and MACE by crowd-kit, beside gold items where there are any;
    Krippendorff's alpha, by group too; each rater beside all the others; who is too fast,
    one-sided or a copy.
    """
    from rlaif.evaluation.crowd.sheets import sheets
    from rlaif.experiment.alone_crowd import crowd_alone
    from rlaif.feedback.crowd.pool import parse_method
    from rlaif.feedback.crowd.read import read_crowd
    from rlaif.storage import write_atomically

    methods = [parse_method(name) for name in method]
    said = read_crowd(answers, group=group, gold=gold).without(frozenset(unsaid or ()))
    found, lines = crowd_alone(answers, said, methods, out, (rounds, seed), Shown())
    show_sheets(sheets(found))
    for line in lines:
        OUT.print(line, markup=False)
    if json:
        write_atomically(json, found.model_dump_json(indent=1))
        OUT.print(f"kept in {json}", markup=False)
