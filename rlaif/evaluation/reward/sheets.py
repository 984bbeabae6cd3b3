"""A reward model's report as tables of plain text."""

from collections.abc import Iterator
from typing import NamedTuple

from rlaif.evaluation.audit.calibration import Reliability
from rlaif.evaluation.intervals import Interval
from rlaif.evaluation.reward.accuracy import Accuracy, Beside, Group
from rlaif.evaluation.reward.lengths import LengthPull
from rlaif.evaluation.reward.people import WithPeople
from rlaif.evaluation.reward.report import RewardReport
from rlaif.evaluation.sheet import NONE, Sheet, between, figure, signed, whole

_HEAD = ["", "accuracy", "95 % interval", "pairs", "the model is ahead by"]
_MOST = 12
"""Rows of one kind in the terminal; the page and the JSON have them all."""
_OVERFIT = 0.1
_CHANCE = 0.5


class Finding(NamedTuple):
    """One figure and what it says, in a few words."""

    key: str
    """Its definition's."""
    name: str
    value: Interval | None
    says: str
    is_bad: bool = False


def sheets(found: RewardReport) -> Iterator[Sheet]:
    """Lay a report out: how right, where, how sure, by what."""
    yield Sheet(
        f"{found.model}: held-out accuracy",
        _HEAD,
        [*_accuracies(found), *_groups(found)],
        tuple(notes(found)),
    )
    rows = [[f.name, whole(f.value), f.says] for f in findings(found)]
    yield Sheet("What it goes by", ["", "95 % interval", ""], rows)
    if found.people:
        yield people_sheet(found.people)


def _accuracies(found: RewardReport) -> Iterator[list[str]]:
    if found.accuracy:
        yield _row(found.accuracy)
    if found.gap:
        yield _row(found.gap.train)
    for rule in found.trivial:
        yield _row(rule.accuracy, rule.ahead)


def _groups(found: RewardReport) -> Iterator[list[str]]:
    for by in dict.fromkeys(group.by for group in found.groups):
        rows = [row for group in found.groups if group.by == by for row in _rows_of(group)]
        # One row would say again what the first line of the table says.
        if len(rows) == 1 and by in ("source", "confidence"):
            continue
        for row in rows[:_MOST]:
            yield _row(row, name=f"  {by}: {row.name}")
        if len(rows) > _MOST:
            yield [f"  … {len(rows) - _MOST} more in the page", NONE, NONE, NONE, NONE]


def _rows_of(group: Group) -> list[Accuracy]:
    """Give a group's row, and of a principle that the model reads its own verdict's."""
    if group.own is None or not group.is_read:
        return [group.accuracy]
    name = f"{group.own.name}, read: its own verdict"
    return [group.accuracy, group.own.model_copy(update={"name": name})]


def _row(row: Accuracy, ahead: Interval | None = None, *, name: str | None = None) -> list[str]:
    return [
        name or row.name,
        figure(row.share.value, 3),
        between(row.share, 3),
        f"{row.pairs:,}",
        signed(ahead, 3) if ahead else "",
    ]


def notes(found: RewardReport) -> Iterator[str]:
    """Say what was counted, and what was left out."""
    counts = found.counts
    how = "none of them trained on" if found.is_split_known else "taken as never trained on"
    yield f"{counts.held_out:,} held-out pairs of {counts.prompts:,} prompts, {how}"
    if counts.ties:
        yield f"{counts.ties:,} labels are ties: in the loss and the calibration alone"
    if counts.even:
        yield f"{counts.even:,} pairs have two equal rewards and count half"
    if counts.unscored:
        yield f"{counts.unscored:,} rows have a reply without a reward and are in no figure"


def findings(found: RewardReport) -> list[Finding]:
    """Say in a line each what the model knows, how sure it is, and what it pays for."""
    return [*_knows(found), *_sure(found.calibration), *_lengths(found.lengths)]


def _knows(found: RewardReport) -> Iterator[Finding]:
    share = found.accuracy.share if found.accuracy else None
    is_chance = share is None or share.low <= _CHANCE
    says = "not clear of chance" if is_chance else "better than chance"
    yield Finding("rm_accuracy", "held-out accuracy", share, says, is_chance)
    short = [rule for rule in found.trivial if _is_not_behind(rule)]
    if found.trivial and short:
        names = ", ".join(rule.accuracy.name for rule in short)
        nearest = min(short, key=lambda rule: rule.ahead.value if rule.ahead else 0.0)
        says = f"not clearly ahead of {names}"
        yield Finding("rm_ahead", "ahead of rules", nearest.ahead, says, is_bad=True)
    elif found.trivial:
        nearest = min(found.trivial, key=lambda rule: rule.ahead.value if rule.ahead else 0.0)
        says = f"ahead of each; {nearest.accuracy.name} comes nearest"
        yield Finding("rm_ahead", "ahead of rules", nearest.ahead, says)
    if found.gap and found.gap.accuracy:
        value = found.gap.accuracy
        is_bad = value.low > 0 and value.value >= _OVERFIT
        says = "knows its training pairs by heart" if is_bad else "train less held-out accuracy"
        yield Finding("rm_gap", "train–held-out gap", value, says, is_bad)
    yield Finding("rm_loss", "held-out loss", found.loss, "a model that knows nothing: 0.69")


def _is_not_behind(rule: Beside) -> bool:
    return rule.ahead is None or rule.ahead.low <= 0


def _sure(told: Reliability) -> Iterator[Finding]:
    if told.too_sure:
        says, is_bad = "as sure as it may be", False
        if told.too_sure.is_clear_of_zero:
            is_bad = told.too_sure.value > 0
            says = "surer than it is right" if is_bad else "less sure than it is right"
        yield Finding("rm_too_sure", "too sure by", told.too_sure, says, is_bad)
    yield Finding("rm_ece", "ECE of σ(Δr)", told.ece, "0 is honest")
    yield Finding("rm_brier", "Brier of σ(Δr)", told.brier, "a coin that says 0.5: 0.25")


def _lengths(found: LengthPull) -> Iterator[Finding]:
    slope = found.slope
    pulls = slope is not None and slope.is_clear_of_zero
    says = "no clear pull"
    if slope and pulls:
        says = "pays for length" if slope.value > 0 else "pays for brevity"
    yield Finding("rm_slope", "reward a doubling of length", slope, says)
    yield Finding("rm_correlation", "reward and length", found.correlation, "1: length alone")
    labels = whole(found.labels_longer)
    yield Finding("longer", "longer reply rewarded more", found.longer, f"by the labels {labels}")
    if found.matched:
        says = f"{found.matched.pairs:,} pairs {found.matched.name}"
        yield Finding("rm_matched", "length-matched accuracy", found.matched.share, says)
    is_bad = found.balanced is not None and found.balanced.low <= _CHANCE
    says = "no better than length" if is_bad else "longer and shorter better replies alike"
    yield Finding("rm_balanced", "length-balanced accuracy", found.balanced, says, is_bad)
    if found.equal.equal:
        name = "accuracy at equal length"
        yield Finding("equal_length", name, found.equal.equal, "by a logistic curve")


def people_sheet(found: WithPeople) -> Sheet:
    """Lay the model beside people and the judge."""
    ahead = {row.other: row for row in found.beside}
    rows = []
    for row in (found.model, *([found.judge] if found.judge else []), *found.trivial):
        beside = ahead.get(row.name)
        rows.append(
            [
                row.name,
                figure(row.share.value, 3) if row.share else NONE,
                between(row.share, 3),
                whole(row.kappa),
                f"{row.agreed + row.disagreed:,}",
                signed(beside.ahead, 3) if beside else "",
            ]
        )
    head = ["", "agrees", "95 % interval", "κ", "pairs", "the model is ahead by"]
    told = [f"{found.pairs:,} pairs of {found.prompts:,} prompts; intervals are by prompt"]
    if found.undecided:
        told.append(f"{found.undecided:,} pairs were left open by people")
    return Sheet("Beside people, on the same pairs", head, rows, tuple(told))
