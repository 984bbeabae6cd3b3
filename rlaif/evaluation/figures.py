"""Where things stand in the report's pictures: coordinates, so that the template only draws."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rlaif.evaluation.intervals import Interval
from rlaif.evaluation.results import Evaluation

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 76, 20, 16, 56
_LABEL_GAP = 17
JUDGE_BY_REWARD = "judge by reward"
_UNDRAWN = (
    "step",
    "total",
    "epoch",
    "learning_rate",
    "num_tokens",
    "rewards/",
    "reward_std",
    "frac_reward",
    "completions/min",
    "completions/max",
    "completions/mean_term",
    "clip_ratio/low",
    "clip_ratio/high",
)
"""How the names of those figures begin that would only hide the others."""


class Spot(NamedTuple):
    """One policy in the frontier picture: its point, its two intervals, its label."""

    policy: str
    number: int
    x: float
    y: float
    x_low: float
    x_high: float
    y_low: float
    y_high: float
    label_y: float
    is_label_left: bool
    helps: Interval
    declines: Interval


class Line(NamedTuple):
    """One metric over the steps of a stage."""

    name: str
    points: tuple[tuple[float, float, str], ...]
    """x, y, and what to say of the point."""
    first: float
    last: float
    low: float
    high: float
    steps: tuple[float, float]

    @property
    def path(self) -> str:
        """Give the points as an SVG polyline."""
        return " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in self.points)


def frontier(evaluation: Evaluation) -> list[Spot]:
    """Place each policy by how much it helps, from left, and declines harm, from below."""
    rows = {row.name: row for row in evaluation.rows}
    helps, declines = rows.get("helps when harmless"), rows.get("refuses harmful")
    if helps is None or declines is None:
        return []
    spots = []
    for number, policy in enumerate(evaluation.policies):
        across, up = helps.cell(policy), declines.cell(policy)
        if across and up:
            spots.append(_spot(policy, number, across.figure, up.figure))
    return _with_labels_apart(spots)


def ticks() -> list[tuple[float, float, str]]:
    """Give the axes' ticks: the place across, the place up, the figure."""
    return [(_across(value), _up(value), f"{value:g}") for value in (0, 0.25, 0.5, 0.75, 1)]


def _across(value: float) -> float:
    return LEFT + value * (WIDTH - LEFT - RIGHT)


def _up(value: float) -> float:
    return HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM)


def _spot(policy: str, number: int, helps: Interval, declines: Interval) -> Spot:
    x, y = _across(helps.value), _up(declines.value)
    return Spot(
        policy=policy,
        number=number,
        x=x,
        y=y,
        x_low=_across(helps.low),
        x_high=_across(helps.high),
        y_low=_up(declines.low),
        y_high=_up(declines.high),
        label_y=y - 8,
        is_label_left=helps.value > 0.5,
        helps=helps,
        declines=declines,
    )


def _with_labels_apart(spots: Sequence[Spot]) -> list[Spot]:
    """Move labels up where two would lie on each other."""
    placed: list[Spot] = []
    for spot in sorted(spots, key=lambda spot: -spot.y):
        above = placed[-1].label_y - _LABEL_GAP if placed else math.inf
        placed.append(spot._replace(label_y=min(spot.label_y, above)))
    return sorted(placed, key=lambda spot: spot.number)


def curves(points: Sequence[Mapping[str, float]], *, width: float, height: float) -> list[Line]:
    """Make a line of each metric that was logged at two steps or more, the loss first.

    Where another judge looked on, the first lines are the loss and that judge by the reward.
    """
    metrics = dict.fromkeys(name for point in points for name in point)
    wanted = [name for name in metrics if not name.startswith(_UNDRAWN)]
    lines = [_line(name, points, width, height) for name in wanted]
    lines.append(_judge_by_reward(points, width, height))
    first = {"loss": 0, JUDGE_BY_REWARD: 1}
    return sorted((line for line in lines if line), key=lambda line: first.get(line.name, 2))


def _judge_by_reward(
    points: Sequence[Mapping[str, float]], width: float, height: float
) -> Line | None:
    """Draw what a judge that is not the reward thought, from left to right by the mean reward.

    A line that rises and then falls is a reward that is being gamed (arXiv 2210.10760).
    """
    looks: list[tuple[float, float, float]] = []
    since: list[float] = []
    for point in points:
        if math.isfinite(point.get("reward", math.nan)):
            since.append(point["reward"])
        if "judge" in point and since:
            looks.append((sum(since) / len(since), point["judge"], point["step"]))
            since = []
    if len(looks) < 2:
        return None
    rewards, judged, steps = zip(*looks, strict=True)
    left, low = min(rewards), min(judged)
    across = width / ((max(rewards) - left) or 1.0)
    up = height / ((max(judged) - low) or 1.0)
    placed = tuple(
        (
            (reward - left) * across,
            height - (liked - low) * up,
            f"step {step:g}: reward {reward:.4g}, judge {liked:.4g}",
        )
        for reward, liked, step in looks
    )
    ends = (judged[0], judged[-1], low, max(judged))
    return Line(JUDGE_BY_REWARD, placed, *ends, (steps[0], steps[-1]))


def _line(
    name: str, points: Sequence[Mapping[str, float]], width: float, height: float
) -> Line | None:
    rows = [
        (point["step"], point[name])
        for point in points
        if name in point and "step" in point and math.isfinite(point[name])
    ]
    if len(rows) < 2:
        return None
    steps, values = [step for step, _ in rows], [value for _, value in rows]
    low, high = min(values), max(values)
    across = width / max(steps[-1] - steps[0], 1)
    up = height / (high - low) if high > low else 0.0
    return Line(
        name=name,
        points=tuple(
            (
                (step - steps[0]) * across,
                height - (value - low) * up if up else height / 2,
                f"step {step:g}: {value:.4g}",
            )
            for step, value in rows
        ),
        first=values[0],
        last=values[-1],
        low=low,
        high=high,
        steps=(steps[0], steps[-1]),
    )
