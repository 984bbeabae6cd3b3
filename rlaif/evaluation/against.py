"""Two judges on the same pairs: which of them is nearer to people, and is that chance?"""

from collections.abc import Sequence

import numpy as np
from statsmodels.stats.contingency_tables import mcnemar

from rlaif.evaluation.agreed import Said, hits_of
from rlaif.evaluation.intervals import Draws, Interval, ratio
from rlaif.records import Choice, Record


class Against(Record):
    """One judge beside another, on the pairs that people and both of them decided."""

    judge: str
    other: str
    both_right: int
    only_judge: int
    """Pairs where the judge says what people say and the other does not."""
    only_other: int
    neither: int
    p_value: float
    """McNemar's exact test: how often a difference this large comes by chance, pairs taken as
    independent of each other."""
    ahead: Interval | None
    """How much more of the pairs the judge gets right; the interval draws whole prompts."""

    @property
    def is_clear(self) -> bool:
        """Say whether one of the two is ahead beyond chance, by prompt."""
        return self.ahead is not None and self.ahead.is_clear_of_zero


def against(
    judge: Said, other: Said, people: Sequence[Choice | None], draws: Draws
) -> Against | None:
    """Compare two judges (McNemar 1947); None where no pair was decided by all three."""
    its_decided, its = hits_of(judge, people)
    others_decided, others = hits_of(other, people)
    both = its_decided & others_decided
    if not both.any():
        return None
    table = [
        [int((both & its & others).sum()), int((both & its & ~others).sum())],
        [int((both & ~its & others).sum()), int((both & ~its & ~others).sum())],
    ]
    difference = (its.astype(float) - others) * both
    return Against(
        judge=judge.name,
        other=other.name,
        both_right=table[0][0],
        only_judge=table[0][1],
        only_other=table[1][0],
        neither=table[1][1],
        # min() since the exact p doubles a tail, which at a tie of the two passes 1.
        p_value=min(1.0, float(mcnemar(table, exact=True).pvalue)),
        ahead=draws.interval(np.stack([difference, both], axis=1), ratio),
    )
