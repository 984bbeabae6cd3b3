"""Each rater beside all the others: agreement when they are left out, and on gold items."""

import numpy as np

from rlaif.evaluation.chance import alpha_of, coincidence_rows
from rlaif.evaluation.crowd.coded import UNSAID, Coded
from rlaif.evaluation.intervals import Figures
from rlaif.records import Record


class RaterRow(Record):
    """One rater."""

    rater: str
    group: str | None
    answers: int
    agrees: float | None
    """How often they say what most of the others say, where the others have a most."""
    agrees_of: int
    """Items where the others have a most."""
    alpha_without: float | None
    """Krippendorff's α of all the others: above the crowd's own where this one only adds noise."""
    gold_right: int
    gold_of: int
    """Gold items that they answered."""
    often: str
    """The label they give most."""
    often_share: float
    seconds: float | None
    """The median time of an answer."""


def rater_rows(coded: Coded) -> list[RaterRow]:
    """Give every rater's row, who agrees least with the others first."""
    counts = coded.counts()
    rows = [_row(coded, counts, number) for number in range(len(coded.raters))]
    return sorted(rows, key=lambda row: (row.agrees is None, row.agrees or 0.0))


def _row(coded: Coded, counts: Figures, number: int) -> RaterRow:
    said = coded.said[number]
    mine = (said[:, None] == np.arange(len(coded.labels))).astype(np.float64)
    others = counts - mine
    most = _most(others)
    judged = (said != UNSAID) & (most != UNSAID)
    is_right = said == coded.gold
    gold = (said != UNSAID) & (coded.gold != UNSAID)
    given = mine.sum(axis=0)
    return RaterRow(
        rater=coded.raters[number],
        group=coded.groups[number],
        answers=int(given.sum()),
        agrees=float((said == most)[judged].mean()) if judged.any() else None,
        agrees_of=int(judged.sum()),
        alpha_without=_alpha(others),
        gold_right=int((is_right & gold).sum()),
        gold_of=int(gold.sum()),
        often=coded.labels[int(given.argmax())],
        often_share=float(given.max() / given.sum()),
        seconds=coded.seconds[number],
    )


def _most(counts: Figures) -> np.ndarray[tuple[int], np.dtype[np.int_]]:
    """Give each item's most frequent label; -1 where two are as frequent, or there is none."""
    top = counts.max(axis=1)
    is_alone = ((counts == top[:, None]).sum(axis=1) == 1) & (top > 0)
    return np.where(is_alone, counts.argmax(axis=1), UNSAID)


def _alpha(counts: Figures) -> float | None:
    with np.errstate(divide="ignore", invalid="ignore"):
        alpha = float(alpha_of(coincidence_rows(counts).sum(axis=0, keepdims=True))[0])
    return alpha if np.isfinite(alpha) else None
