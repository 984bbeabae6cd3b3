"""Where things stand in a reward report's pictures, so that the template only draws."""

from collections.abc import Sequence
from typing import NamedTuple

from rlaif.evaluation.audit.pictures import (
    TOP,
    WIDTH,
    Chart,
    Tick,
    length_chart,
    reliability_chart,
)
from rlaif.evaluation.reward.accuracy import Accuracy
from rlaif.evaluation.reward.report import RewardReport
from rlaif.evaluation.sheet import whole

_ROW = 30


class Bar(NamedTuple):
    """One accuracy as a point with its interval, on a line of its own."""

    name: str
    y: float
    x: float
    low: float
    high: float
    colour: str
    told: str


class Ladder(NamedTuple):
    """Accuracies under each other; the line of chance between them."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    height: float


class Pictures(NamedTuple):
    """The pictures of a reward report; one that the rows cannot fill is None."""

    calibration: Chart
    lengths: Chart | None
    accuracies: Ladder


def pictures(found: RewardReport) -> Pictures:
    """Place everything."""
    choices = found.lengths.choices
    rows = [(row, "var(--p1)") for row in (found.accuracy, found.gap and found.gap.train) if row]
    rows += [(rule.accuracy, "var(--p0)") for rule in found.trivial]
    return Pictures(
        calibration=reliability_chart(found.calibration),
        lengths=length_chart(choices) if choices.points else None,
        accuracies=ladder(rows),
    )


def ladder(rows: Sequence[tuple[Accuracy, str]]) -> Ladder:
    """Put each accuracy where it is between 0 and 1."""
    bars = [
        Bar(
            name=row.name,
            y=TOP + number * _ROW + 22,
            x=_across(row.share.value),
            low=_across(row.share.low),
            high=_across(row.share.high),
            colour=colour,
            told=f"{row.name}: {whole(row.share, 3)} of {row.pairs:,} pairs",
        )
        for number, (row, colour) in enumerate(rows)
    ]
    ticks = tuple(Tick(_across(share), f"{share:g}") for share in (0, 0.25, 0.5, 0.75, 1))
    return Ladder(tuple(bars), ticks, TOP + len(rows) * _ROW + 26)


def _across(share: float) -> float:
    return 8 + share * (WIDTH - 16)
