"""Raters worth a second look: who answers too fast, always the same, or copies.

Each is held against chance, with the bound divided by the number of raters (or pairs of them)
looked at, so that a large crowd does not accuse somebody by luck alone.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from scipy.stats import binom, norm

from rlaif.evaluation.crowd.coded import UNSAID, Coded
from rlaif.evaluation.intervals import Figures
from rlaif.records import Record

LEAST = 10
"""Answers below which nobody is suspected."""
_CHANCE = 0.01
_ONE_SIDE = 0.9
_ALIKE = 0.95
_FAST = 1 / 3


class Suspect(Record):
    """One rater and what speaks against them."""

    rater: str
    why: Literal["fast", "one side", "copies"]
    detail: str


def suspects(coded: Coded) -> list[Suspect]:
    """List the raters worth a second look, by what speaks against them."""
    one_sided = list(_one_sided(coded))
    # Two who always say the same are alike without having seen each other.
    names = {suspect.rater for suspect in one_sided}
    return [*_fast(coded), *one_sided, *_copies(coded, names)]


def _fast(coded: Coded) -> Iterator[Suspect]:
    timed = [seconds for seconds in coded.seconds if seconds is not None]
    if len(timed) < 3:
        return
    usual = float(np.median(timed))
    for rater, seconds, said in zip(coded.raters, coded.seconds, coded.said, strict=True):
        if seconds is None or (said != UNSAID).sum() < LEAST or seconds >= _FAST * usual:
            continue
        detail = f"{seconds:.3g} s for an answer; the crowd's median rater takes {usual:.3g} s"
        yield Suspect(rater=rater, why="fast", detail=detail)


def _one_sided(coded: Coded) -> Iterator[Suspect]:
    given = coded.of_label().sum(axis=2)  # (labels, raters)
    everybody = given.sum(axis=1)
    for number, rater in enumerate(coded.raters):
        own = given[:, number]
        total, label = int(own.sum()), int(own.argmax())
        others = everybody - own
        if total < LEAST or own[label] < _ONE_SIDE * total or not others.sum():
            continue
        usual = float(others[label] / others.sum())
        if binom.sf(own[label] - 1, total, usual) * len(coded.raters) < _CHANCE:
            detail = (
                f"{coded.labels[label]!r} in {own[label] / total:.0%} of {total} answers; "
                f"others in {usual:.0%}"
            )
            yield Suspect(rater=rater, why="one side", detail=detail)


def _copies(coded: Coded, aside: set[str]) -> Iterator[Suspect]:
    same, shared, surprise = _alike(coded)
    pairs = len(coded.raters) * (len(coded.raters) - 1) / 2
    is_copy = (shared >= LEAST) & (same >= _ALIKE * shared)
    is_copy &= norm.sf(surprise) * max(pairs, 1) < _CHANCE
    for one, other in zip(*np.nonzero(np.triu(is_copy, 1)), strict=True):
        names = (coded.raters[one], coded.raters[other])
        if aside & set(names):
            continue
        count, of = int(same[one, other]), int(shared[one, other])
        for rater, twin in (names, names[::-1]):
            detail = f"says what {twin!r} says on {count} of {of} items"
            yield Suspect(rater=rater, why="copies", detail=detail)


def _alike(coded: Coded) -> tuple[Figures, Figures, Figures]:
    """Give how often two raters say the same, of how many items, and how surprising that is.

    Two raters of an item are expected to agree as often as any two of its raters do; the surprise
    is in standard deviations of a sum of such draws. Each is of shape (raters, raters).
    """
    counts, each = coded.counts(), coded.of_label()
    raters = counts.sum(axis=1)
    pairs = raters * (raters - 1)
    agree = ((counts * (counts - 1)).sum(axis=1)) / np.maximum(pairs, 1)
    said = (coded.said != UNSAID).astype(np.float64)
    same = np.asarray(sum(label @ label.T for label in each))
    shared, expected = said @ said.T, (said * agree) @ said.T
    spread = np.sqrt((said * (agree * (1 - agree))) @ said.T)
    surprise = np.divide(same - expected, spread, out=np.zeros_like(same), where=spread > 0)
    return same, shared, surprise


def tally_of(found: Sequence[Suspect]) -> dict[str, list[str]]:
    """Gather the raters under what speaks against them."""
    reasons: dict[str, list[str]] = {}
    for suspect in found:
        reasons.setdefault(suspect.why, []).append(suspect.rater)
    return {why: list(dict.fromkeys(raters)) for why, raters in reasons.items()}
