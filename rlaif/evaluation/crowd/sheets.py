"""A crowd's findings as tables of plain text."""

from collections.abc import Iterator, Mapping

from rlaif.evaluation.crowd.findings import CrowdFindings, MethodRow
from rlaif.evaluation.crowd.rater import RaterRow
from rlaif.evaluation.crowd.suspects import tally_of
from rlaif.evaluation.sheet import NONE, Sheet, figure, whole

_RATERS = ["rater", "agrees", "of", "α without", "gold", "gives most", "share", "seconds"]
_SHOWN = 15


def sheets(found: CrowdFindings) -> Iterator[Sheet]:
    """Lay a crowd out: how far it agrees, what pooling gives, who stands apart."""
    rows = [["everybody", f"{found.raters:,}", f"{found.answers:,}", whole(found.alpha, 3),
             _shares(found.shares)]]  # fmt: skip
    rows += [
        [row.group, f"{row.raters:,}", f"{row.answers:,}", whole(row.alpha, 3), _shares(row.shares)]
        for row in found.groups
    ]
    yield Sheet("A crowd", ["", "raters", "answers", "α", "answers by label"], rows, _notes(found))
    head = ["pooled by", "right", "of", "mean surety", "open"]
    yield Sheet("Pooled answers", head, [_method(row) for row in found.methods])
    title = "Raters, who agrees least with the others first"
    hidden = len(found.each) - _SHOWN
    more = (f"{hidden:,} more; --json has them all",) if hidden > 0 else ()
    yield Sheet(title, _RATERS, [_rater(row) for row in found.each[:_SHOWN]], more)
    if found.suspects:
        each = [[one.rater, one.why, one.detail] for one in found.suspects]
        names = tally_of(found.suspects).items()
        notes = tuple(f"{why}: {', '.join(raters)}" for why, raters in names)
        yield Sheet("Worth a second look", ["rater", "why", ""], each, notes)


def _notes(found: CrowdFindings) -> tuple[str, ...]:
    notes = [f"{found.items:,} items; α's 95 % interval is by prompt"]
    if found.single:
        notes.append(f"{found.single:,} items have one rater alone, and are in no α")
    if found.unsaid:
        notes.append(f"{found.unsaid:,} answers say nothing and are left out")
    if not found.suspects:
        notes.append("no rater is fast, one-sided or a copy beyond chance")
    return tuple(notes)


def _method(row: MethodRow) -> list[str]:
    return [row.method, whole(row.right, 3), f"{row.right_of:,}", figure(row.sure), f"{row.open:,}"]


def _rater(row: RaterRow) -> list[str]:
    gold = f"{row.gold_right:,} of {row.gold_of:,}" if row.gold_of else NONE
    return [
        row.rater if row.group is None else f"{row.rater} ({row.group})",
        figure(row.agrees),
        f"{row.agrees_of:,}",
        figure(row.alpha_without, 3),
        gold,
        row.often,
        f"{row.often_share:.0%}",
        NONE if row.seconds is None else f"{row.seconds:.3g}",
    ]


def _shares(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
