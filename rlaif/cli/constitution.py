"""Constitutions: check, show, diff, try."""

from pathlib import Path
from typing import Annotated

import typer

from rlaif.cli.console import OUT, Shown, table

app = typer.Typer(help="Check, show, compare and try constitutions.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="A constitution file, or a shipped one's name")]


@app.command()
def check(name: Name) -> None:
    """Read a constitution and say what in it is worth another look."""
    from rlaif.constitution.lint import lint
    from rlaif.constitution.principle import Constitution
    from rlaif.resources import find

    path = find("constitution", name)
    constitution = Constitution.load(path)
    findings = lint(constitution, path)
    for finding in findings:
        OUT.print(str(finding), markup=False)
    places = {finding.place for finding in findings}
    fine = len(constitution.principles) - len(places)
    verdict = (
        f"{len(places)} to look at, {fine} fine" if findings else f"{fine} principles, all fine"
    )
    OUT.print(f"{path.name}: {verdict}", markup=False)


@app.command()
def show(name: Name) -> None:
    """Show a constitution's principles."""
    from rlaif.constitution.principle import Constitution

    constitution = Constitution.load(name)
    OUT.print(f"{constitution.name}  {constitution.fingerprint}", markup=False)
    OUT.print(f"{constitution.summary}\n", markup=False)
    rows = [
        [p.id, p.text, _weight(p.weight, p.veto), _scope(p.scope, p.when), str(len(p.tried))]
        for p in constitution.principles
    ]
    OUT.print(table(["principle", "sentence", "weight", "scope", "examples"], rows))


def _weight(weight: float, has_veto: bool) -> str:
    return f"{weight:g} veto" if has_veto else f"{weight:g}"


def _scope(tags: tuple[str, ...], when: str | None) -> str:
    told = ", ".join(tags)
    return " · ".join(part for part in (told, f'"{when}"' if when else "") if part)


@app.command("diff")
def compare(a: Name, b: Name) -> None:
    """Say in words what changed from one constitution to another, principle by principle."""
    from rlaif.constitution.diff import diff
    from rlaif.constitution.principle import Constitution

    changes = diff(Constitution.load(a), Constitution.load(b))
    for change in changes:
        OUT.print(str(change), markup=False)
    if not changes:
        OUT.print("no difference that a judge would see", markup=False)


@app.command("try")
def try_out(
    name: Name,
    judge: Annotated[str, typer.Option(help="embedded, openai:MODEL, a folder …")] = "embedded",
    template: Annotated[str, typer.Option(help="The prompt file that asks.")] = "absolute",
) -> None:
    """Say of each principle whether a judge can be trusted on it, by the principle's examples."""
    from rlaif.backends.connect import connect, parse_judge
    from rlaif.constitution.principle import Constitution
    from rlaif.evaluation.principles import try_conditions
    from rlaif.evaluation.principles import try_out as tried
    from rlaif.judges.compose import Judging, Member, calibration_of, conditions_of, judge_of

    constitution = Constitution.load(Path(name) if Path(name).is_file() else name)
    spec, how = parse_judge(judge), Judging(template=template)
    member = Member(connect(spec, say=Shown().say), calibration_of(spec))
    for line in tried(constitution, judge_of([member], how, constitution)):
        OUT.print(str(line), markup=False)
    conditions = conditions_of(constitution, member.backend, how)
    if conditions:
        for told in try_conditions(constitution, conditions):
            OUT.print(str(told), markup=False)


@app.command()
def fit(
    name: Name,
    labels: Annotated[Path, typer.Option(help="Labels by this constitution: their folder.")],
    people: Annotated[Path, typer.Option("--with", help="What people chose, pairs as JSONL.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The constitution to write.")],
) -> None:
    """Fit propositions' weights on what people chose; their signs stay."""
    from rlaif.constitution.principle import Constitution
    from rlaif.experiment.alone_labels import fit_alone

    found = fit_alone(labels, people, Constitution.load(name), out)
    rows = [
        [one.before.id, was.text, f"{was.sign * was.weight:+g}", f"{now.sign * now.weight:+g}"]
        for one in found
        for was, now in zip(one.before.propositions, one.after.propositions, strict=True)
    ]
    OUT.print(table(["principle", "proposition", "was", "is"], rows))
    for one in found:
        OUT.print(
            f"{one.before.id}: in people's order {one.right_before:.2f} → {one.right_after:.2f} "
            f"of {one.pairs:,} pairs, those it was fitted on",
            markup=False,
        )
    OUT.print(f"wrote {out}", markup=False)
