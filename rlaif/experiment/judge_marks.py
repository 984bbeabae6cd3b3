"""The marks of a judge's report card: each figure with its interval, its gate and its aim."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rlaif.evaluation.audit.calibration import Bin, calibrated
from rlaif.evaluation.intervals import Interval, bootstrap, wilson
from rlaif.judges.absolute import Calibration
from rlaif.records import Record
from rlaif.training.judge_exam import PARTS, POLARITIES, Item, Part, Polarity, auc

GATES: dict[str, tuple[float, float]] = {
    "known wording: AUC": (0.93, 0.97),
    "known wording: balanced accuracy": (0.85, 0.92),
    "new wording: AUC": (0.90, 0.95),
    "new wording: balanced accuracy": (0.82, 0.88),
    "trait never trained: AUC": (0.88, 0.94),
    "trait never trained: balanced accuracy": (0.80, 0.86),
    "minimal pairs ranked right": (0.85, 0.95),
    "comparisons: same slot in both orders": (0.15, 0.05),
    "comparisons: right after both orders": (0.80, 0.88),
    "rule-based rewards: mean AUC": (0.75, 0.85),
    "expected calibration error": (0.06, 0.03),
    "flips under a verdict in the reply": (0.05, 0.02),
    "revisions that make the principle hold": (0.50, 0.75),
    "worst trait, known wording: AUC": (0.75, 0.85),
}
"""What each figure has to reach, and what it should. People's pairs have no fixed gate: a judge has
to be above the trivial judges of the same pairs, and the aim is `PEOPLE_AIM`."""
PEOPLE = "people's harmless pairs"
PEOPLE_AIM = 0.66
_ROUNDS = 1000
LOW_IS_GOOD = frozenset(
    {
        "comparisons: same slot in both orders",
        "expected calibration error",
        "flips under a verdict in the reply",
    }
)


class Mark(Record):
    """A figure of a judge, and what it has to reach."""

    name: str
    value: float
    low: float
    high: float
    """Between these it would fall 95 times of 100."""
    count: int
    """How many questions, pairs or replies it rests on."""
    gate: float
    aim: float
    is_low_good: bool = False

    @property
    def is_short(self) -> bool:
        """Whether it falls short of its gate, as shown with three digits."""
        gap = round(self.value, 3) - round(self.gate, 3)
        return gap > 0 if self.is_low_good else gap < 0


def mark(name: str, found: Interval, count: int, *, polarity: Polarity | None = None) -> Mark:
    """Put a figure beside its gate; those of statements are held to it in each polarity."""
    gate, aim = GATES[name]
    part, _, figure = name.partition(": ")
    return Mark(
        name=f"{part}, {polarity}: {figure}" if polarity else name,
        value=round(found.value, 4),
        low=round(found.low, 4),
        high=round(found.high, 4),
        count=count,
        gate=gate,
        aim=aim,
        is_low_good=name in LOW_IS_GOOD,
    )


class _Wording(NamedTuple):
    """The answers to one statement: the log-odds where it is true, and where it is not."""

    true: np.ndarray
    false: np.ndarray
    area: float
    balanced: float

    @property
    def size(self) -> int:
        return len(self.true) + len(self.false)

    def drawn(self, rng: np.random.Generator) -> float:
        """Give the AUC of as many answers of either kind, drawn with replacement."""
        draws = [rng.choice(side, len(side)) for side in (self.true, self.false)]
        return auc(np.concatenate(draws), np.arange(self.size) < len(self.true))


_ByTrait = dict[str, list[_Wording]]


def _wordings(
    items: Sequence[Item], odds: np.ndarray, calibration: Calibration
) -> dict[tuple[Part, Polarity], _ByTrait]:
    by_wording: dict[tuple[Part, Polarity, str, str], list[int]] = {}
    for number, item in enumerate(items):
        key = (item.part, item.polarity, item.trait, item.text)
        by_wording.setdefault(key, []).append(number)
    truths = np.array([item.truth for item in items])
    found: dict[tuple[Part, Polarity], _ByTrait] = {}
    for (part, polarity, trait, _), places in by_wording.items():
        x, y = odds[places], truths[places]
        if y.all() or not y.any():
            continue
        said = x > calibration.bias
        balanced = float((said[y].mean() + (~said[~y]).mean()) / 2)
        traits = found.setdefault((part, polarity), {})
        traits.setdefault(trait, []).append(_Wording(x[y], x[~y], auc(x, y), balanced))
    return found


def marks_of_statements(
    items: Sequence[Item], odds: np.ndarray, calibration: Calibration
) -> tuple[list[Mark], dict[str, float]]:
    """Mark yes and no: AUC and balanced accuracy of each part and polarity, and the worst trait.

    A figure is the mean over traits of the mean over a trait's wordings; its interval draws traits.
    That of the worst trait draws its answers; being the least of many, it is lower by chance, too.

    Returns:
        the marks, and the eight traits of known wording with the lowest AUC.
    """
    found = _wordings(items, odds, calibration)
    marks = []
    for part in PARTS:
        for polarity in POLARITIES:
            traits = found.get((part, polarity), {})
            for figure in ("AUC", "balanced accuracy"):
                means = [
                    float(np.mean([w.area if figure == "AUC" else w.balanced for w in wordings]))
                    for wordings in traits.values()
                ]
                if means:
                    count = sum(w.size for wordings in traits.values() for w in wordings)
                    between = bootstrap(means, list(traits))
                    marks.append(mark(f"{part}: {figure}", between, count, polarity=polarity))
    known = _known(found)
    areas = {name: float(np.mean([w.area for w in known[name]])) for name in known}
    if areas:
        worst = known[min(areas, key=areas.__getitem__)]
        marks.append(mark("worst trait, known wording: AUC", _between(worst), _count(worst)))
    weakest = sorted((round(area, 2), trait) for trait, area in areas.items())
    return marks, {trait: area for area, trait in weakest[:8]}


def _known(found: Mapping[tuple[Part, Polarity], _ByTrait]) -> _ByTrait:
    """Give each trait's known wordings of either polarity."""
    known: _ByTrait = {}
    for (part, _), traits in found.items():
        if part == "known wording":
            for trait, wordings in traits.items():
                known.setdefault(trait, []).extend(wordings)
    return known


def _between(wordings: Sequence[_Wording]) -> Interval:
    """Give a trait's AUC, the mean over wordings, and its interval over draws of the answers."""
    rng = np.random.default_rng(0)
    means = [np.mean([w.drawn(rng) for w in wordings]) for _ in range(_ROUNDS)]
    low, high = np.quantile(means, (0.025, 0.975))
    value = float(np.mean([w.area for w in wordings]))
    return Interval(value=value, low=float(low), high=float(high))


def _count(wordings: Sequence[_Wording]) -> int:
    return sum(each.size for each in wordings)


def mark_of_share(name: str, hits: Sequence[bool | float]) -> Mark | None:
    """Mark a share of independent rows; none where there are none. A draw counts half."""
    if not len(hits):
        return None
    return mark(name, wilson(float(np.mean(hits)), len(hits)), len(hits))


def mark_of_rules(by_rule: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Mark | None:
    """Mark people's propositions: the mean, over propositions, of the AUC of the log-odds."""
    areas = {
        name: auc(odds, truths)
        for name, (odds, truths) in by_rule.items()
        if truths.any() and not truths.all()
    }
    if not areas:
        return None
    count = sum(len(by_rule[name][1]) for name in areas)
    return mark("rule-based rewards: mean AUC", bootstrap(list(areas.values()), list(areas)), count)


def mark_of_calibration(
    odds: np.ndarray, truths: np.ndarray, replies: Sequence[str], calibration: Calibration
) -> tuple[Mark | None, tuple[Bin, ...]]:
    """Mark how far the calibrated probabilities are from how often they are right.

    Expected calibration error over ten bins (Guo et al. 2017, section 2); its interval draws
    replies.
    """
    if not len(odds):
        return None, ()
    chances = 1 / (1 + np.exp(-(odds - calibration.bias) / calibration.temperature))
    said = np.maximum(chances, 1 - chances)
    right = ((chances >= 0.5) == truths).astype(float)
    told = calibrated(said, right, replies, square=(said - right) ** 2, rounds=500)
    assert told.ece is not None
    return mark("expected calibration error", told.ece, len(odds)), told.bins


def mark_of_people(right: Sequence[float], trivial: Mapping[str, float]) -> Mark | None:
    """Mark people's pairs: the gate is the best judge of them that reads nothing."""
    if not len(right):
        return None
    found = wilson(float(np.mean(right)), len(right))
    return Mark(
        name=PEOPLE,
        value=round(found.value, 4),
        low=round(found.low, 4),
        high=round(found.high, 4),
        count=len(right),
        gate=round(max(trivial.values()), 4),
        aim=PEOPLE_AIM,
    )
