"""An audit as sentences and tables: each figure, its interval, and what it says of the judge."""

from collections.abc import Iterator
from typing import NamedTuple

from rlaif.evaluation.audit.audit import Audit
from rlaif.evaluation.audit.kin import Kin
from rlaif.evaluation.audit.repeats import Stability
from rlaif.evaluation.intervals import Interval
from rlaif.evaluation.sheet import NONE, Sheet, between, figure, whole


class Finding(NamedTuple):
    """One figure of an audit."""

    key: str
    """Names its definition."""
    name: str
    value: Interval | None
    of: str
    says: str = ""
    """What to make of it, in a few words."""
    is_bad: bool = False


def findings(found: Audit) -> list[Finding]:
    """List what an audit found, part by part; a part the labels cannot tell of is left out."""
    return [
        *_of_slots(found),
        *_of_lengths(found),
        *(_of_kin(found.kin) if found.kin else ()),
        *_of_stability("repeated", found.repeats, "verdicts"),
        *_of_stability("another run", found.again, "pairs"),
        *_of_reliability(found),
    ]


def _of_slots(found: Audit) -> Iterator[Finding]:
    slots = found.slots
    if slots is None:
        return
    if slots.alone and not slots.asked:
        alone = f"{slots.alone:,} verdicts"
        says = "each reply was judged alone: no slot can matter"
        yield Finding("same_slot", "same slot in both orders", slots.same_slot, alone, says)
        return
    of = f"{slots.asked:,} verdicts"
    says = f"the {slots.favoured} slot is favoured" if slots.favoured else "no slot is favoured"
    is_bad = slots.favoured is not None
    yield Finding("same_slot", "same slot in both orders", slots.same_slot, of, says, is_bad)
    if slots.first and slots.same_slot:
        followed = f"{round(slots.same_slot.value * slots.asked):,} verdicts"
        yield Finding("first_slot", "of these, the first slot", slots.first, followed)
    yield Finding("lean", "lean to the first slot", slots.lean, of)


def _of_lengths(found: Audit) -> Iterator[Finding]:
    lengths = found.lengths
    of = f"{lengths.pairs:,} labels"
    if lengths.longer:
        yield Finding("longer", "longer reply chosen", lengths.longer, of)
    if lengths.slope:
        side = "longer" if lengths.slope.value > 0 else "shorter"
        clear = lengths.slope.is_clear_of_zero
        says = f"{side} replies are preferred" if clear else "no clear pull"
        yield Finding("slope", "pull of each doubling of length", lengths.slope, of, says)


def _of_kin(kin: Kin) -> Iterator[Finding]:
    family = " and ".join(kin.families)
    if kin.own is None:
        return
    of, beyond = f"{kin.own.pairs:,} labels", kin.beyond_people
    yield Finding("own", f"chose a reply of its own family, {family}", kin.own.raw, of)
    if beyond:
        is_bad = beyond.is_clear_of_zero and beyond.value > 0
        says = "more than people do" if is_bad else "not clearly more than people do"
        of = f"{kin.beside_people:,} labels"
        yield Finding("beyond_people", "… beyond what people chose", beyond, of, says, is_bad)


def _of_stability(what: str, found: Stability | None, unit: str) -> Iterator[Finding]:
    if found is None:
        return
    of = f"{found.pairs:,} {unit}"
    yield Finding("stable", f"{what}: the same choice", found.same, of)
    if found.kappa:
        yield Finding("kappa", f"{what}: κ", found.kappa, of)
    yield Finding("moved_p", f"{what}: p moves by", found.moved, of)


def _of_reliability(found: Audit) -> Iterator[Finding]:
    told = found.reliability
    if told is None:
        return
    of = f"{told.labels:,} labels"
    says, is_bad = "as sure as it is right", False
    if told.too_sure and told.too_sure.is_clear_of_zero:
        is_bad = told.too_sure.value > 0
        says = "too sure of itself" if is_bad else "less sure than it could be"
    yield Finding("too_sure", "surer than right by", told.too_sure, of, says, is_bad)
    yield Finding("ece", "calibration error (ECE)", told.ece, of)
    yield Finding("brier", "Brier score", told.brier, of, "0.25 is a coin that says 0.5")


def sheets(found: Audit) -> Iterator[Sheet]:
    """Lay an audit out as tables of plain text."""
    rows = [
        [f.name, figure(f.value.value if f.value else None, 3), between(f.value, 3), f.of, f.says]
        for f in findings(found)
    ]
    despite = tuple(f"labelled despite: {what}" for what in found.despite)
    head = ["", "", "95 % interval", "of", ""]
    yield Sheet("What the judge goes by", head, rows, (*notes(found), *despite))
    if found.lengths.rates or (found.kin and found.kin.own):
        own = [found.kin.own] if found.kin and found.kin.own else []
        rates = [
            [r.name, whole(r.raw), whole(r.equal), f"{r.pairs:,}"]
            for r in (*found.lengths.rates, *own)
        ]
        head = ["", "raw", "at a length ratio of 1", "labels"]
        yield Sheet("Were the replies equally long", head, rates)
    if found.reliability:
        bins = [
            [f"{b.low:.2f} to {b.high:.2f}", f"{b.labels:,}", figure(b.said), whole(b.right)]
            for b in found.reliability.bins
            if b.labels
        ]
        yield Sheet("Says, and is right", ["p", "labels", "said", "right"], bins)
    yield from _of_abstentions(found)
    yield from _of_principles(found)


def notes(found: Audit) -> tuple[str, ...]:
    """Say what the audit is of, and what the labels could not tell."""
    told = [
        f"{found.judge}: {found.labelled:,} labels of {found.comparisons:,} comparisons, "
        f"{found.prompts:,} prompts; intervals are by prompt"
    ]
    if not found.labelled:
        return tuple(told)
    if found.slots is None:
        told.append("no verdict was asked in both orders: `orders: both` tells of favoured slots")
    if found.kin is None:
        told.append("the judge's family is not known; name it as --family NAME=FAMILY")
    elif found.kin.own is None:
        told.append(
            f"no label has one reply of the judge's family, {' and '.join(found.kin.families)}, "
            f"and one of another; {found.kin.both_own:,} have two of its own"
        )
    if found.kin and found.kin.unknown:
        shown = ", ".join(found.kin.unknown[:3]) + (" …" if len(found.kin.unknown) > 3 else "")
        told.append(f"of unknown family, in no figure of kin: {shown}")
    if not found.people:
        told.append("no label of a pair that people judged: --with PEOPLE tells of calibration")
    return tuple(told)


def _of_abstentions(found: Audit) -> Iterator[Sheet]:
    head = ["", "count", "share", "for example"]
    for title, kept in (
        ("Comparisons without a label", found.abstained),
        ("Principles without an answer, beside others that decided", found.silent),
    ):
        if kept:
            rows = [[k.kind, f"{k.count:,}", whole(k.share, 3), k.example] for k in kept]
            yield Sheet(title, head, rows)


def _of_principles(found: Audit) -> Iterator[Sheet]:
    head = ["", "asked", "applies", "no answer", "decides", "agrees", "outweighed", "tied",
            "contradicted"]  # fmt: skip
    rows = [
        [
            row.principle,
            f"{row.asked:,}",
            whole(row.applies),
            f"{row.unanswered:,}",
            f"{row.decides:,}",
            f"{row.agrees:,}",
            f"{row.contradicts:,}",
            f"{row.tied:,}",
            f"{row.contradicted:,} of {row.beside:,}" if row.beside else NONE,
        ]
        for row in found.principles
    ]
    if rows:
        yield Sheet("What each principle does", head, rows)
    pairs = [
        [f"{p.one} · {p.other}", f"{p.pairs:,}", whole(p.alike), whole(p.kappa),
         "redundant" if p.is_redundant else ""]
        for p in found.pairings
    ]  # fmt: skip
    if pairs:
        yield Sheet("Principles on the same pairs", ["", "pairs", "alike", "κ", ""], pairs)
