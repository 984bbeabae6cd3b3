"""What is to be known of a crowd: agreement, pooled answers beside gold, raters, suspects."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from rlaif.errors import InputError
from rlaif.evaluation.chance import krippendorff_alpha
from rlaif.evaluation.crowd.coded import Coded
from rlaif.evaluation.crowd.rater import RaterRow, rater_rows
from rlaif.evaluation.crowd.suspects import Suspect, suspects
from rlaif.evaluation.intervals import Draws, Interval, ratio
from rlaif.feedback.crowd.answer import Crowd
from rlaif.feedback.crowd.pool import Method, likeliest, pooled
from rlaif.records import Record


class GroupRow(Record):
    """The raters of one group among themselves."""

    group: str
    raters: int
    answers: int
    alpha: Interval | None
    shares: dict[str, float]
    """How often each label is given."""


class MethodRow(Record):
    """One way to pool answers, beside the items whose right answer is known."""

    method: str
    items: int
    open: int
    """Items where two labels are as likely."""
    sure: float
    """The mean probability of the likeliest label."""
    right: Interval | None
    """How often the likeliest label is the right one, an open item counted as half; None without
    gold. The right answers are not shown to the method here."""
    right_of: int


class CrowdFindings(Record):
    """A crowd, looked at."""

    items: int
    raters: int
    answers: int
    unsaid: int
    single: int
    """Items that one rater alone answered."""
    shares: dict[str, float]
    gold: int
    """Items whose right answer is known."""
    alpha: Interval | None
    """Krippendorff's nominal α; the interval draws prompts."""
    groups: tuple[GroupRow, ...]
    methods: tuple[MethodRow, ...]
    each: tuple[RaterRow, ...]
    suspects: tuple[Suspect, ...]


def look_at_crowd(
    crowd: Crowd,
    methods: Sequence[Method] = ("majority", "dawid-skene"),
    *,
    rounds: int = 2000,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> CrowdFindings:
    """Look at a crowd's answers.

    Args:
        crowd: the answers.
        methods: ways to pool them.
        rounds: of the bootstrap, by prompt.
        seed: of the bootstrap and of a method's restarts.
        progress: told of what is being done.

    Raises:
        InputError: where no item has two raters, or all answers are one label.
    """
    coded = Coded(crowd)
    counts = coded.counts()
    raters = counts.sum(axis=1)
    if not (raters >= 2).any():
        raise InputError(
            f"none of the {len(coded.items):,} items has two raters, so nobody can be compared; "
            "several raters' rows of one item share its id, and each names its `rater`"
        )
    if len(coded.labels) < 2:
        only = f"all {len(crowd.answers):,} answers are {coded.labels[0]!r}"
        raise InputError(f"{only}; one label tells raters, or items, from no other")
    draws = Draws(coded.prompts, rounds=rounds, seed=seed)
    progress("raters")
    each = tuple(rater_rows(coded))
    return CrowdFindings(
        items=len(coded.items),
        raters=len(coded.raters),
        answers=len(crowd.answers),
        unsaid=crowd.unsaid,
        single=int((raters == 1).sum()),
        shares=_shares([answer.label for answer in crowd.answers]),
        gold=int((coded.gold >= 0).sum()),
        alpha=krippendorff_alpha(counts, draws),
        groups=tuple(_groups(coded, draws)),
        methods=tuple(_method(crowd, coded, name, draws, progress, seed) for name in methods),
        each=each,
        suspects=tuple(suspects(coded)),
    )


def _groups(coded: Coded, draws: Draws) -> list[GroupRow]:
    found = []
    for group in sorted({group for group in coded.groups if group is not None}):
        inside = np.array([one == group for one in coded.groups], dtype=bool)
        counts = coded.counts(inside)
        given = counts.sum(axis=0)
        found.append(
            GroupRow(
                group=group,
                raters=int(inside.sum()),
                answers=int(given.sum()),
                alpha=krippendorff_alpha(counts, draws),
                shares=dict(zip(coded.labels, (given / given.sum()).tolist(), strict=True)),
            )
        )
    return found


def _method(
    crowd: Crowd,
    coded: Coded,
    method: Method,
    draws: Draws,
    progress: Callable[[str], None],
    seed: int,
) -> MethodRow:
    progress(method)
    shares = pooled(crowd.answers, method, seed=seed)
    best = likeliest(shares)
    right = np.array([_right(best[item], crowd.gold.get(item)) for item in coded.items])
    known = np.array([item in crowd.gold for item in coded.items], dtype=float)
    return MethodRow(
        method=method,
        items=len(shares),
        open=sum(label is None for label in best.values()),
        sure=float(np.mean([max(row.values()) for row in shares.values()])),
        right=draws.interval(np.stack([right, known], axis=1), ratio) if known.any() else None,
        right_of=int(known.sum()),
    )


def _right(said: str | None, truth: str | None) -> float:
    if truth is None:
        return 0.0
    return 0.5 if said is None else float(said == truth)


def _shares(labels: Sequence[str]) -> dict[str, float]:
    return {name: count / len(labels) for name, count in sorted(Counter(labels).items())}
