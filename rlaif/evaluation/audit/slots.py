"""Whether a judge goes by the slot in which a reply is shown."""

from collections.abc import Sequence
from typing import Literal

from rlaif.evaluation.intervals import Draws, Interval, ratio
from rlaif.records import Preference, Record, Verdict

_FORWARD, _BACKWARD = "p_forward", "p_backward"


class Slots(Record):
    """What two orders of the same pair told."""

    asked: int
    """Verdicts that were asked in both orders and decided in both."""
    undecided: int
    """Verdicts where one of the two orders was a tie."""
    alone: int
    """Verdicts for which each reply was judged by itself, so that no slot could matter."""
    same_slot: Interval | None
    """The share of `asked` whose two orders named the same slot, and so different replies; 0
    where each reply was judged alone."""
    first: Interval | None
    """Of those, the share that named the slot shown first."""
    lean: Interval | None
    """How much likelier a reply is said to be better when shown first than when shown second."""

    @property
    def favoured(self) -> Literal["first", "second"] | None:
        """Name the favoured slot; None where neither is clear of chance."""
        if self.first is None or self.first.low <= 0.5 <= self.first.high:
            return None
        return "first" if self.first.value > 0.5 else "second"


def slots(preferences: Sequence[Preference], draws: Draws) -> Slots | None:
    """Count verdicts that follow the slot; None where no verdict can tell.

    The two orders' probabilities both speak of the pair's first reply: p_forward when it was
    shown first, p_backward when it was shown second.

    Args:
        preferences: the labels.
        draws: of the labels' prompts.
    """
    counted = [_count(preference.verdicts) for preference in preferences]
    asked, undecided, alone = (sum(row[n] for row in counted) for n in (0, 1, 2))
    if not asked + undecided + alone:
        return None
    judged_alone = Interval(value=0.0, low=0.0, high=0.0) if alone and not asked else None
    return Slots(
        asked=asked,
        undecided=undecided,
        alone=alone,
        same_slot=draws.interval([[r[3] + r[4], r[0]] for r in counted], ratio) or judged_alone,
        first=draws.interval([[r[3], r[3] + r[4]] for r in counted], ratio),
        lean=draws.interval([[r[5], r[0] + r[1]] for r in counted], ratio),
    )


def _count(verdicts: Sequence[Verdict]) -> tuple[int, int, int, int, int, float]:
    """Count decided, undecided, judged alone, first slot twice, second slot twice, summed lean."""
    orders = [_orders(verdict) for verdict in verdicts]
    both = [pair for pair in orders if pair]
    decided = [(forward, backward) for forward, backward in both if 0.5 not in (forward, backward)]
    return (
        len(decided),
        len(both) - len(decided),
        sum(
            "holds_first" in v.evidence
            for v, pair in zip(verdicts, orders, strict=True)
            if not pair
        ),
        sum(forward > 0.5 > backward for forward, backward in decided),
        sum(forward < 0.5 < backward for forward, backward in decided),
        sum(forward - backward for forward, backward in both),
    )


def _orders(verdict: Verdict) -> tuple[float, float] | None:
    if _FORWARD in verdict.evidence and _BACKWARD in verdict.evidence:
        return verdict.evidence[_FORWARD], verdict.evidence[_BACKWARD]
    return None
