"""Where things stand in the audit's pictures: coordinates, so that the template only draws."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from rlaif.evaluation.audit.audit import Audit
from rlaif.evaluation.audit.calibration import Reliability
from rlaif.evaluation.audit.lengths import Lengths
from rlaif.evaluation.audit.principles import Coverage, Pairing
from rlaif.evaluation.audit.slots import Slots
from rlaif.evaluation.sheet import whole
from rlaif.judges.propositions import sigmoid

WIDTH, HEIGHT = 320, 240
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 10, 40
_LARGEST = 11.0  # the radius of the fullest bin's spot
_STEPS = 24
_ROW, _BAR = 40, 14
_CELL = 34


class Spot(NamedTuple):
    """One point with its interval."""

    x: float
    y: float
    low: float
    high: float
    radius: float
    told: str


class Part(NamedTuple):
    """One part of a bar: where it begins, how wide it is, which colour of the page it has."""

    x: float
    width: float
    colour: str
    name: str
    told: str


class Bar(NamedTuple):
    """One line of stacked parts."""

    name: str
    y: float
    parts: tuple[Part, ...]


class Cell(NamedTuple):
    """One pair of principles."""

    x: float
    y: float
    text: str
    strength: float
    told: str


class Tick(NamedTuple):
    """A mark of an axis."""

    at: float
    text: str


class Chart(NamedTuple):
    """Points and a curve between two axes."""

    spots: tuple[Spot, ...]
    curve: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]


class Bars(NamedTuple):
    """Stacked bars under each other."""

    bars: tuple[Bar, ...]
    height: float
    legend: tuple[tuple[str, str], ...]
    """Each part's name and colour."""


class Matrix(NamedTuple):
    """Pairs of principles, numbered."""

    names: tuple[str, ...]
    cells: tuple[Cell, ...]
    side: float


class Pictures(NamedTuple):
    """The pictures of an audit; one the labels cannot fill is None."""

    slots: Bars | None
    lengths: Chart | None
    reliability: Chart | None
    principles: Bars | None
    pairings: Matrix | None


def pictures(found: Audit) -> Pictures:
    """Place everything."""
    asked = found.slots is not None and found.slots.asked > 0
    return Pictures(
        slots=slots_bar(found.slots) if found.slots and asked else None,
        lengths=length_chart(found.lengths) if found.lengths.points else None,
        reliability=reliability_chart(found.reliability) if found.reliability else None,
        principles=principle_bars(found.principles) if found.principles else None,
        pairings=matrix(found.pairings) if found.pairings else None,
    )


def _across(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _up(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


_SHARES = tuple(Tick(_up(value), f"{value:g}") for value in (0, 0.25, 0.5, 0.75, 1))


def reliability_chart(told: Reliability) -> Chart:
    """Put each bin where it says, across, and where it is right, up; the diagonal is honest."""
    most = max(b.labels for b in told.bins)
    spots = [
        Spot(
            x=_across((b.said - 0.5) * 2),
            y=_up(b.right.value),
            low=_up(b.right.low),
            high=_up(b.right.high),
            radius=_radius(b.labels, most),
            told=f"{b.labels:,} labels: says {b.said:.2f}, is right {whole(b.right)}",
        )
        for b in told.bins
        if b.said is not None and b.right is not None
    ]
    across = tuple(Tick(_across((p - 0.5) * 2), f"{p:g}") for p in (0.5, 0.75, 1))
    diagonal = f"{_across(0):.1f},{_up(0.5):.1f} {_across(1):.1f},{_up(1):.1f}"
    return Chart(tuple(spots), diagonal, across, _SHARES)


def length_chart(lengths: Lengths) -> Chart:
    """Put each bin where the longer reply's length is, across, and how often it won, up."""
    most = max(point.pairs for point in lengths.points)
    doublings = max(1, math.ceil(max(math.log2(point.times_longer) for point in lengths.points)))
    spots = [
        Spot(
            x=_across(math.log2(point.times_longer) / doublings),
            y=_up(point.longer),
            low=_up(point.longer),
            high=_up(point.longer),
            radius=_radius(point.pairs, most),
            told=f"{point.pairs:,} labels whose one reply is {point.times_longer:.1f} times as "
            f"long: the longer one is chosen in {point.longer:.2f}",
        )
        for point in lengths.points
    ]
    across = tuple(Tick(_across(n / doublings), f"× {2**n}") for n in range(doublings + 1))
    return Chart(tuple(spots), _curve(lengths, doublings), across, _SHARES)


def _curve(lengths: Lengths, doublings: int) -> str:
    if lengths.slope is None:
        return ""
    steps = [step / _STEPS for step in range(_STEPS + 1)]
    slope = lengths.slope.value
    return " ".join(f"{_across(s):.1f},{_up(sigmoid(slope * s * doublings)):.1f}" for s in steps)


def _radius(count: int, most: int) -> float:
    return max(3.0, _LARGEST * math.sqrt(count / most))


def slots_bar(slots: Slots) -> Bars:
    """Part the verdicts asked in both orders by what the two orders named."""
    same = slots.same_slot.value if slots.same_slot else 0.0
    first = slots.first.value if slots.first else 0.0
    shares = [
        ("the same reply", "var(--p1)", 1 - same),
        ("the first slot twice", "var(--p2)", same * first),
        ("the second slot twice", "var(--p3)", same * (1 - first)),
    ]
    counted = [(name, colour, round(share * slots.asked)) for name, colour, share in shares]
    return _bars([("", counted)])


def principle_bars(principles: Sequence[Coverage]) -> Bars:
    """Part each principle's answers by what became of them."""
    return _bars(
        [
            (
                row.principle,
                [
                    ("agrees with the choice", "var(--p1)", row.agrees),
                    ("outweighed", "var(--p2)", row.contradicts),
                    ("tied", "var(--p4)", row.tied),
                    ("no answer", "var(--p0)", row.unanswered),
                ],
            )
            for row in principles
        ]
    )


def _bars(rows: Sequence[tuple[str, Sequence[tuple[str, str, int]]]]) -> Bars:
    most = max((sum(count for _, _, count in parts) for _, parts in rows), default=0) or 1
    bars = []
    for number, (name, parts) in enumerate(rows):
        placed, x = [], 0.0
        for part, colour, count in parts:
            width = count / most * WIDTH
            told = f"{name + ': ' if name else ''}{count:,} {part}"
            placed.append(Part(x, width, colour, part, told))
            x += width
        bars.append(Bar(name, number * _ROW + (_ROW - _BAR if name else 4), tuple(placed)))
    legend = dict.fromkeys((part.name, part.colour) for bar in bars for part in bar.parts)
    height = len(rows) * _ROW + 6 if rows and rows[0][0] else _BAR + 8
    return Bars(tuple(bars), height, tuple(legend))


def matrix(pairings: Sequence[Pairing]) -> Matrix:
    """Put κ of every two principles where their lines cross; the names are numbered."""
    names = tuple(dict.fromkeys(n for pairing in pairings for n in (pairing.one, pairing.other)))
    places = {name: index for index, name in enumerate(names)}
    cells = [
        Cell(
            x=places[pairing.one] * _CELL,
            y=(places[pairing.other] - 1) * _CELL,
            text="" if pairing.kappa is None else f"{pairing.kappa.value:.1f}".replace("-", "−"),
            strength=max(0.0, pairing.kappa.value) if pairing.kappa else 0.0,
            told=f"{pairing.one} and {pairing.other} on {pairing.pairs:,} pairs: "
            f"κ {whole(pairing.kappa)}, alike {whole(pairing.alike)}",
        )
        for pairing in pairings
    ]
    return Matrix(names, tuple(cells), (len(names) - 1) * _CELL)
