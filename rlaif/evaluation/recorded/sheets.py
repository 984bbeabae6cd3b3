"""What recordings come to, as tables of plain text."""

from collections.abc import Iterator

from rlaif.evaluation.intervals import Interval
from rlaif.evaluation.recorded.again import WHY
from rlaif.evaluation.recorded.reviews import Contest, Reviews, Tally
from rlaif.evaluation.recorded.standing import ALL, Difference, Reread, Standing, by_why
from rlaif.evaluation.sheet import NONE, Sheet, whole

_HEAD = [
    "judge", "strategy", "right", "as recorded", "same in both orders", "as recorded", "unread",
    "ties", "pairs",
]  # fmt: skip
_CONTESTS = [
    "", "against", "wins", "ties", "loses", "unread", "share", "same in both orders",
    "shown first wins", "as recorded",
]  # fmt: skip
_DIFFERENCES = ["judge", "strategy", "pair", "round", "order", "recorded", "ours", "because"]


def sheets(found: Reread, *, each: bool = False) -> Iterator[Sheet]:
    """Lay out the judges, and what is read otherwise than recorded; `each` tells all of it."""
    subsets = sorted({row.subset for row in found.standings} - {ALL})
    notes = (
        "right: a tie counts half and an unread answer not at all; as recorded, unread is wrong",
        "same: of the pairs decided in both orders; as recorded, of all",
        "as recorded: shown where it differs; intervals are 95 %, by pair",
    )
    for subset in (ALL, *(subsets if each else ())):
        rows = [_row(row) for row in found.standings if row.subset == subset]
        name = f"all of {', '.join(subsets)}" if subset == ALL else subset
        yield Sheet(f"Recorded judges, on {name}", _HEAD, rows, notes if subset == ALL else ())
    yield _summary(found)
    if each:
        rows = [_difference(row) for row in found.differences]
        yield Sheet("Each reading that differs", _DIFFERENCES, rows)


def _row(row: Standing) -> list[str]:
    return [
        row.judge,
        row.strategy,
        whole(row.right),
        _where_it_differs(row.recorded_right, row.right),
        whole(row.same),
        _where_it_differs(row.recorded_same, row.same),
        f"{row.unread:,}",
        f"{row.ties:,}",
        f"{row.pairs:,}",
    ]


def _where_it_differs(recorded: Interval | None, ours: Interval | None) -> str:
    return NONE if recorded == ours else whole(recorded)


def _summary(found: Reread) -> Sheet:
    counts = by_why(found.differences)
    rows = [[why, f"{counts[why]:,}", WHY[why]] for why in WHY if counts[why]]
    differing = len(found.differences)
    return Sheet(
        "Read otherwise than recorded",
        ["", "winners", "why"],
        rows,
        (
            f"{found.readings:,} winners of {found.files:,} files: "
            f"{found.readings - differing:,} as recorded "
            f"({found.unread_by_both:,} of them unread by both), {differing:,} not",
        ),
    )


def _difference(row: Difference) -> list[str]:
    return [
        row.judge,
        row.strategy,
        row.pair,
        str(row.round),
        "swapped" if row.is_swapped else "own",
        row.recorded or "unread",
        row.ours or f"none ({row.kind})",
        row.why,
    ]


def review_sheets(found: Reviews) -> Iterator[Sheet]:
    """Lay out who won against whom."""
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in found.unread.items())
    yield Sheet(
        "Assistants side by side, as reviewed",
        _CONTESTS,
        [_contest(row) for row in found.contests],
        (
            f"{found.replies:,} replies of {found.files:,} files; unread: {kinds or 'none'}",
            f"{found.differing:,} read otherwise than recorded; as recorded: win/tie/lose/unread",
            "share: a tie counts half, unread not at all; intervals are 95 %, by question",
        ),
    )


def _contest(row: Contest) -> list[str]:
    ours = row.ours
    return [
        row.first,
        row.second,
        *(f"{count:,}" for count in (ours.wins, ours.ties, ours.losses, ours.unread)),
        whole(row.share),
        whole(row.same),
        whole(row.slot),
        NONE if row.recorded == ours else _tally(row.recorded),
    ]


def _tally(row: Tally) -> str:
    return f"{row.wins}/{row.ties}/{row.losses}/{row.unread}"
