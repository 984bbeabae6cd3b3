"""Judges: how far to trust them."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rlaif.cli.console import OUT, show_sheets

if TYPE_CHECKING:
    from rlaif.evaluation.sheet import Sheet
    from rlaif.records import Record

app = typer.Typer(help="Say how far a judge is to be trusted.", no_args_is_help=True)
Labels = Annotated[Path, typer.Argument(help="preferences.jsonl, or the folder of it")]
Json = Annotated[Path | None, typer.Option("--json", help="Write every figure here too.")]
Rounds = Annotated[int, typer.Option(min=1000, help="Rounds of the bootstrap.")]


@app.callback()
def _group() -> None:
    """Say how far a judge is to be trusted."""


@app.command()
def agree(
    labels: Labels,
    people: Annotated[Path, typer.Option("--with", help="What people chose, pairs as JSONL.")],
    against: Annotated[
        Path | None, typer.Option(help="Another judge's labels of the same pairs.")
    ] = None,
    band: Annotated[
        float, typer.Option(min=0, max=0.5, help="How near to 0.5 is a tie, for ties as answers.")
    ] = 0.05,
    json: Json = None,
    rounds: Rounds = 2000,
) -> None:
    """Hold a judge's labels against people's, beside the trivial judges on the same pairs."""
    from rlaif.evaluation.agreement import agreement
    from rlaif.evaluation.agreement_table import sheets
    from rlaif.evaluation.labelled import read_labelled
    from rlaif.feedback.people import read_ratings

    judged = read_labelled(labels)
    found = agreement(
        judged.preferences,
        read_ratings(people),
        abstentions=judged.abstentions,
        other=read_labelled(against).preferences if against else None,
        band=band,
        rounds=rounds,
    )
    _show(sheets(found), found, json)


@app.command()
def audit(
    labels: Labels,
    people: Annotated[
        Path | None, typer.Option("--with", help="What people chose, for calibration.")
    ] = None,
    again: Annotated[
        Path | None, typer.Option(help="Labels of another run of the same pairs, for stability.")
    ] = None,
    constitution: Annotated[
        str | None, typer.Option("--constitution", "-c", help="What was judged by, for weights.")
    ] = None,
    family: Annotated[
        list[str] | None, typer.Option(help="NAME=FAMILY of a judge or author, such as me=qwen.")
    ] = None,
    json: Json = None,
    html: Annotated[Path | None, typer.Option(help="Write the audit's page here.")] = None,
    rounds: Rounds = 2000,
) -> None:
    """Say what a judge goes by: slot, length, kin; how stable, how sure, which principles."""
    from rlaif.constitution.principle import Constitution
    from rlaif.evaluation.audit.audit import audit as audited
    from rlaif.evaluation.audit.findings import sheets
    from rlaif.evaluation.labelled import read_labelled, rules_of
    from rlaif.evaluation.report import write_audit
    from rlaif.feedback.people import read_ratings

    found = audited(
        read_labelled(labels),
        people=read_ratings(people) if people else (),
        constitution=Constitution.load(constitution) if constitution else rules_of(labels),
        again=read_labelled(again) if again else None,
        families=dict(_family(told) for told in family or ()),
        rounds=rounds,
    )
    _show(sheets(found), found, json)
    if html:
        write_audit(found, html)
        OUT.print(f"kept in {html}", markup=False)


@app.command()
def calibrate(
    labels: Labels,
    people: Annotated[Path, typer.Option("--with", help="What people chose, pairs as JSONL.")],
    judge: Annotated[str, typer.Option(help="Who made the labels.")] = "embedded",
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write.")] = Path(
        "calibration.json"
    ),
) -> None:
    """Fit how sure a judge of single replies may be of a pair, on what people chose."""
    from rlaif.experiment.alone_labels import calibrate_alone

    OUT.print(calibrate_alone(labels, people, judge, out), markup=False)


@app.command()
def reread(
    recordings: Annotated[
        Path, typer.Argument(help="A folder of LLMBar's results, or of reviews of two assistants")
    ],
    each: Annotated[
        bool, typer.Option("--each", help="Every subset, and every reading that differs.")
    ] = False,
    json: Json = None,
    rounds: Rounds = 2000,
) -> None:
    """Read a published judge's raw replies again: how right, how steady, what cannot be read."""
    from rlaif.evaluation.recorded.llmbar import files_in
    from rlaif.evaluation.recorded.reviews import reviews
    from rlaif.evaluation.recorded.sheets import review_sheets, sheets
    from rlaif.evaluation.recorded.standing import reread as read

    if files_in(recordings):
        found = read(recordings, rounds=rounds)
        _show(sheets(found, each=each), found, json)
    else:
        told = reviews(recordings, rounds=rounds)
        _show(review_sheets(told), told, json)


@app.command()
def refusals(
    replies: Annotated[
        Path, typer.Argument(help="JSONL of prompt, completion and people's propositions")
    ],
    judge: Annotated[
        str | None, typer.Option(help="Asked where a reply declines nothing; rules alone without.")
    ] = None,
    json: Json = None,
    rounds: Rounds = 2000,
) -> None:
    """Hold the refusal reader against what people said of replies."""
    from rlaif.evaluation.refusal_figures import measure, sheets
    from rlaif.experiment.alone import rater

    found = measure(replies, rater(judge) if judge else None, rounds=rounds)
    _show(sheets(found), found, json)


def _family(told: str) -> tuple[str, str]:
    from rlaif.errors import InputError

    name, equals, family = told.rpartition("=")
    if not (name and equals and family):
        raise InputError(f"--family {told}: expected NAME=FAMILY, such as my-judge=qwen")
    return name, family.casefold()


def _show(sheets: "Iterable[Sheet]", found: "Record", json: Path | None) -> None:
    from rlaif.storage import write_atomically

    show_sheets(sheets)
    if json:
        write_atomically(json, found.model_dump_json(indent=1))
        OUT.print(f"kept in {json}", markup=False)
