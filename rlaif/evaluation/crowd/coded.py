"""A crowd's answers as one table of numbers: a row a rater, a column an item."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from rlaif.evaluation.intervals import Figures
from rlaif.feedback.crowd.answer import Answer, Crowd

UNSAID = -1
Mask = NDArray[np.bool_]


class Coded:
    """Who said what, of shape (raters, items): the number of the label, -1 where unsaid."""

    def __init__(self, crowd: Crowd) -> None:
        """Number raters, items and labels in the order in which they first stand."""
        answers = crowd.answers
        self.raters = list(dict.fromkeys(answer.rater for answer in answers))
        self.items = list(dict.fromkeys(answer.item for answer in answers))
        self.labels = sorted({answer.label for answer in answers})
        self.prompts = [crowd.prompts.get(item, item) for item in self.items]
        self.said = np.full((len(self.raters), len(self.items)), UNSAID)
        rows, columns, codes = _numbers(self.raters), _numbers(self.items), _numbers(self.labels)
        for answer in answers:
            self.said[rows[answer.rater], columns[answer.item]] = codes[answer.label]
        self.gold = np.array(
            [codes.get(crowd.gold.get(item, ""), UNSAID) for item in self.items], dtype=int
        )
        self.groups = _groups(answers, self.raters)
        self.seconds = _medians(answers, self.raters)

    def counts(self, raters: Mask | None = None) -> Figures:
        """Count how many of the raters said each label of each item, of shape (items, labels)."""
        said = self.said if raters is None else self.said[raters]
        each = [(said == code).sum(axis=0) for code in range(len(self.labels))]
        return np.stack(each, axis=1).astype(np.float64)

    def of_label(self) -> Figures:
        """Say who said each label of which item, of shape (labels, raters, items), as 0 or 1."""
        return np.stack([self.said == code for code in range(len(self.labels))]).astype(np.float64)


def _numbers(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}


def _groups(answers: Sequence[Answer], raters: Sequence[str]) -> list[str | None]:
    found = {answer.rater: answer.group for answer in reversed(answers)}
    return [found[rater] for rater in raters]


def _medians(answers: Sequence[Answer], raters: Sequence[str]) -> list[float | None]:
    times: dict[str, list[float]] = {}
    for answer in answers:
        if answer.seconds is not None:
            times.setdefault(answer.rater, []).append(answer.seconds)
    return [float(np.median(times[rater])) if rater in times else None for rater in raters]
