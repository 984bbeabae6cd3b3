"""A comparison as a table, a picture and one page."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rlaif import __version__
from rlaif.evaluation.compare.outcomes import Outcome, Spread, Standing, standings
from rlaif.evaluation.sheet import Sheet, figure
from rlaif.evaluation.templates import template
from rlaif.storage import write_atomically

PAGE, PICTURE = "compare.html", "compare.svg"
_ROW, _TOP = 34, 46
_LEFT, _WIDE, _GAP = 110, 220, 40
_PARTS = (
    ("generation", "drawing"),
    ("rewarding", "waiting for the reward"),
    ("update", "updating"),
)


class Dot(NamedTuple):
    """One seed's figure."""

    x: float
    told: str


class Bar(NamedTuple):
    """A part of a method's seconds."""

    x: float
    width: float
    kind: str
    told: str


class Line(NamedTuple):
    """One method across the picture."""

    name: str
    y: float
    gain: tuple[Dot, ...]
    gain_mean: float
    kl: tuple[Dot, ...]
    kl_mean: float
    bars: tuple[Bar, ...]
    seconds: str


class Axis(NamedTuple):
    """What a panel of the picture measures."""

    title: str
    left: float
    least: float
    most: float

    def at(self, value: float) -> float:
        """Give where a value stands."""
        return self.left + (value - self.least) / ((self.most - self.least) or 1) * _WIDE


class Picture(NamedTuple):
    """Where everything stands."""

    width: float
    height: float
    axes: tuple[Axis, ...]
    lines: tuple[Line, ...]
    panel: float = _WIDE
    top: float = _TOP


def sheet(outcomes: Sequence[Outcome], title: str) -> Sheet:
    """Lay a comparison out as a table."""
    rows = [
        [
            each.method,
            each.kind,
            *_over_seeds(each.gain),
            figure(each.kl.mean, 1),
            f"{each.tokens:,.0f}",
            f"{each.asked:.1f}" + (f" ({each.draws} draws)" if each.draws > 1 else ""),
            f"{each.seconds:.1f}",
            f"{each.generation:.1f} + {each.rewarding:.1f} + {each.update:.1f}",
        ]
        for each in standings(outcomes)
    ]
    head = [
        "",
        "its answers are",
        "reward gained, least to most of seeds",
        "± over seeds",
        "KL, nats",
        "tokens drawn",
        "tokens an answer, once trained",
        "seconds of training",
        "drawing + reward + updating",
    ]
    seeds = len({outcome.seed for outcome in outcomes})
    notes = [f"Means over {seeds} seeds." if seeds > 1 else "One seed: chance is not told apart."]
    unscored: Counter[str] = Counter()
    for outcome in outcomes:
        unscored[outcome.method] += outcome.unscored
    if told := [f"{count:,} of {method}" for method, count in unscored.items() if count]:
        notes.append(f"Answers without a score, left out: {', '.join(told)}.")
    return Sheet(title, head, rows, tuple(notes))


def _over_seeds(gain: Spread) -> tuple[str, str]:
    """Write a mean with its range and deviation, of which one seed has none."""
    if len(gain.values) == 1:
        return figure(gain.mean), "–"
    least_to_most = f"({figure(gain.low)} to {figure(gain.high)})"
    return f"{figure(gain.mean)} {least_to_most}", figure(gain.deviation)


def picture(outcomes: Sequence[Outcome]) -> Picture:
    """Place each method's reward, KL and seconds beside each other."""
    own = standings(outcomes)
    lefts = [_LEFT + number * (_WIDE + _GAP) for number in range(3)]
    axes = (
        Axis("reward gained", lefts[0], *_range([each.gain for each in own])),
        Axis("KL spent, nats an answer", lefts[1], *_range([each.kl for each in own])),
        Axis(
            "seconds of training", lefts[2], 0, max((each.seconds for each in own), default=1) or 1
        ),
    )
    lines = tuple(_line(each, number, axes) for number, each in enumerate(own))
    height = _TOP + len(own) * _ROW + 24
    return Picture(lefts[2] + _WIDE + 50, height, axes, lines)


def _range(spreads: Sequence[Spread]) -> tuple[float, float]:
    return min(0.0, *(each.low for each in spreads)), max(each.high for each in spreads)


def _line(own: Standing, number: int, axes: tuple[Axis, ...]) -> Line:
    gain, kl, seconds = axes
    bars, x = [], seconds.left
    for name, told in _PARTS:
        took = getattr(own, name)
        width = seconds.at(took) - seconds.left
        bars.append(Bar(x, width, name, f"{own.method}: {took:.1f} s of {told}"))
        x += width
    return Line(
        own.method,
        _TOP + number * _ROW + _ROW / 2,
        tuple(Dot(gain.at(v), f"{own.method}: {figure(v)}") for v in own.gain.values),
        gain.at(own.gain.mean),
        tuple(Dot(kl.at(v), f"{own.method}: {figure(v, 1)} nats") for v in own.kl.values),
        kl.at(own.kl.mean),
        tuple(bars),
        f"{own.seconds:.1f}" + (f", then {own.draws} draws an answer" if own.draws > 1 else ""),
    )


def write_compare(outcomes: Sequence[Outcome], folder: Path, name: str, summary: str) -> Path:
    """Write the page and the picture; give the page."""
    view: dict[str, Any] = {
        "name": name,
        "summary": summary,
        "table": sheet(outcomes, name),
        "picture": picture(outcomes),
        "parts": _PARTS,
        "version": __version__,
    }
    svg = template("compare.svg.j2").render(view)
    write_atomically(folder / PICTURE, svg)
    write_atomically(folder / PAGE, template("compare_page.html.j2").render(view))
    return folder / PAGE
