"""A run's folder to one HTML page that needs no network: what changed, and what it cost."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from rlaif import __version__
from rlaif.evaluation import figures
from rlaif.evaluation.audit import pictures
from rlaif.evaluation.audit.audit import Audit, audit
from rlaif.evaluation.audit.findings import findings, notes
from rlaif.evaluation.definitions import DEFINITIONS
from rlaif.evaluation.labelled import Labelled
from rlaif.evaluation.labels import BINS, sum_up, use_of_principles
from rlaif.evaluation.results import Evaluation, Reply
from rlaif.evaluation.reward.pictures import pictures as reward_pictures
from rlaif.evaluation.reward.report import RewardReport
from rlaif.evaluation.reward.sheets import findings as reward_findings
from rlaif.evaluation.reward.sheets import people_sheet
from rlaif.evaluation.runs import Run, Stage, as_json, read_run
from rlaif.evaluation.sheet import between, figure
from rlaif.evaluation.table import (
    Movement,
    footnotes,
    movement,
    shown,
    shown_move,
    table_rows,
)
from rlaif.evaluation.templates import template
from rlaif.feedback.people import Rated
from rlaif.records import Prompt
from rlaif.storage import write_atomically

_SHOWN_PAIRS = 12
_CURVE = (280.0, 90.0)


class Pair(NamedTuple):
    """The base's and the tuned policy's replies to one prompt, side by side."""

    prompt: Prompt
    base: Reply
    tuned: Reply


class Change(NamedTuple):
    """One figure of the first sentence."""

    name: str
    before: str
    after: str
    moved: str
    movement: Movement


def report(run: Path, people: Sequence[Rated] = ()) -> Path:
    """Write `report.html` into a run's folder; what has not been run is named and left out.

    Args:
        run: the folder.
        people: what people said of pairs that the run's judge labelled, for its audit.

    Raises:
        InputError: when the folder is no run.
        StorageError: for a file of the run that somebody damaged.
    """
    path = run / "report.html"
    write_atomically(path, render(read_run(run), people))
    return path


def write_audit(found: Audit, path: Path) -> None:
    """Write an audit as a page of its own."""
    write_atomically(path, template("audit_page.html.j2").render(_audit_view(found)))


def write_reward(found: RewardReport, folder: Path) -> Path:
    """Write what a reward model's report has found: `report.json`, and a page beside it."""
    write_atomically(folder / "report.json", found.model_dump_json(indent=1) + "\n")
    path = folder / "report.html"
    write_atomically(path, template("reward_page.html.j2").render(_reward_view(found)))
    return path


def render(run: Run, people: Sequence[Rated] = ()) -> str:
    """Write a run as one page of HTML."""
    evaluation = run.evaluation
    view: dict[str, Any] = {
        "run": run,
        "version": __version__,
        "define": DEFINITIONS,
        "cost": cost_of(run.stages),
        "stages": run.stages,
        "experiment": yaml.safe_dump(run.experiment, sort_keys=False, allow_unicode=True),
        "seconds": seconds,
        "as_json": as_json,
        "curves": {
            name: lines
            for name, points in run.curves.items()
            if (lines := figures.curves(points, width=_CURVE[0], height=_CURVE[1]))
        },
        "curve_size": _CURVE,
        "reward": next((s.manifest for s in run.stages if s.name == "reward"), None),
        **_labels(run),
        **_audit(run, people),
        **(_reward_view(run.reward) if run.reward else {}),
    }
    if evaluation:
        view |= {
            "evaluation": evaluation,
            "changes": changes(evaluation),
            "table": table_rows(evaluation),
            "notes": footnotes(evaluation),
            "spots": figures.frontier(evaluation),
            "ticks": figures.ticks(),
            "size": figures,
            "pairs": differing_most(evaluation, _SHOWN_PAIRS),
            "wins": {win.policy: win for win in evaluation.wins},
        }
    return template("report.html.j2").render(view)


def _labels(run: Run) -> dict[str, Any]:
    abstentions = run.abstentions["label"]
    labels = sum_up(run.preferences, abstentions) if run.preferences or abstentions else None
    uses = (
        use_of_principles(run.constitution, run.preferences, abstentions, run.revisions)
        if run.constitution
        else []
    )
    edges = [(0.5 + index / (2 * BINS), 0.5 + (index + 1) / (2 * BINS)) for index in range(BINS)]
    return {"labels": labels, "uses": uses, "edges": edges}


def _audit(run: Run, people: Sequence[Rated]) -> dict[str, Any]:
    labelled = Labelled(run.preferences, run.abstentions["label"])
    if not labelled.preferences:
        return {}
    found = audit(labelled, people=people, constitution=run.constitution)
    return {**_audit_view(found), "gate": run.gate}


def _audit_view(found: Audit) -> dict[str, Any]:
    own = [found.kin.own] if found.kin and found.kin.own else []
    return {
        "audit": found,
        "audit_notes": notes(found),
        "findings": findings(found),
        "rates": [*found.lengths.rates, *own],
        "pictures": pictures.pictures(found),
        "box": pictures,
        "figure": figure,
        "between": between,
        "as_json": as_json,
        "define": DEFINITIONS,
        "version": __version__,
        "gate": None,
    }


def _reward_view(found: RewardReport) -> dict[str, Any]:
    return {
        "rm": found,
        "rm_findings": reward_findings(found),
        "rm_pictures": reward_pictures(found),
        "rm_people": people_sheet(found.people) if found.people else None,
        # The hardest pairs have their own JSON beside them.
        "rm_json": found.model_dump_json(indent=1, exclude={"hardest"}),
        "box": pictures,
        "figure": figure,
        "between": between,
        "as_json": as_json,
        "define": DEFINITIONS,
        "version": __version__,
    }


def changes(evaluation: Evaluation) -> list[Change]:
    """List how each measure moved from the base to the last policy, clear moves first."""
    last = evaluation.policies[-1]
    found = []
    for row in evaluation.rows:
        before, after = row.cell(evaluation.base), row.cell(last)
        if before is None or after is None or after.moved is None:
            continue
        found.append(
            Change(
                row.name,
                shown(row.measure, before.figure.value),
                shown(row.measure, after.figure.value),
                shown_move(row.measure, after.moved),
                movement(row.measure, after.moved),
            )
        )
    return sorted(found, key=lambda change: change.movement in ("unclear", "steady"))


def cost_of(stages: Iterable[Stage]) -> str:
    """Say what the finished stages took: time, tokens, money.

    >>> cost_of([])
    'Nothing has finished yet.'
    """
    done = [stage.manifest for stage in stages if stage.manifest]
    if not done:
        return "Nothing has finished yet."
    tokens_read = sum(manifest.tokens.read for manifest in done)
    written = sum(manifest.tokens.written for manifest in done)
    spent = [manifest.usd for manifest in done if manifest.usd is not None]
    money = "no money: every model was local"
    if any(manifest.usd is None for manifest in done):
        money = "and the price is not known"
    elif sum(spent):
        money = f"and ${sum(spent):,.2f}"
    time = seconds(sum(manifest.seconds for manifest in done))
    return f"{time}, {tokens_read:,} tokens read and {written:,} written, {money}."


def seconds(count: float) -> str:
    """Write a time as people say it.

    >>> seconds(42.4), seconds(372), seconds(7300)
    ('42 s', '6 min 12 s', '2 h 1 min')
    """
    whole = round(count)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def differing_most(evaluation: Evaluation, count: int) -> list[Pair]:
    """Choose the pairs where the base and the last policy differ most, in turn from each suite.

    Gains and losses alike: what counts is a change of class, of traits, and a sure referee.
    """
    last = evaluation.policies[-1]
    if last == evaluation.base:
        return []
    by_suite: dict[str, list[tuple[float, Pair]]] = {}
    for pair in (Pair(*row) for row in evaluation.pairs(last)):
        difference = _difference(pair)
        if difference > 0:
            by_suite.setdefault(pair.tuned.suite, []).append((difference, pair))
    ranked = [
        [pair for _, pair in sorted(rows, key=lambda row: -row[0])] for rows in by_suite.values()
    ]
    return list(_in_turn(ranked))[:count]


def _in_turn(rows: Sequence[Sequence[Pair]]) -> Iterator[Pair]:
    for turn in zip_longest(*rows):
        yield from (pair for pair in turn if pair is not None)


def _difference(pair: Pair) -> float:
    if pair.base.text == pair.tuned.text:
        return 0.0
    before, after = Counter(pair.base.traits), Counter(pair.tuned.traits)
    traits = ((before - after) + (after - before)).total()
    sure = abs(pair.tuned.p_better - 0.5) * 2 if pair.tuned.p_better is not None else 0.0
    # To turn from helping to declining says more than that one of two draws broke.
    kinds = {pair.base.kind, pair.tuned.kind}
    changed = 0.0 if len(kinds) == 1 else 1.0 if "degenerate" in kinds else 2.0
    return changed + 0.25 * traits + sure
