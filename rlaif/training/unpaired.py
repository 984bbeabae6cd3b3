"""Answers that are good or bad by themselves, which KTO learns from; loads no torch."""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rlaif.errors import InputError
from rlaif.records import Preference, Prompt

_RARER_AT_MOST = 10.0
"""How much more an answer of the rarer kind counts at most: one alone must not be everything."""


class Unpaired(NamedTuple):
    """One answer, and whether it is good."""

    id: str
    prompt: Prompt
    text: str
    good: bool
    weight: float = 1.0


def unpaired_of(preferences: Iterable[Preference]) -> tuple[list[Unpaired], int]:
    """Take pairs apart: an answer is good where it is mostly preferred.

    It counts by how sure that is: the mean over its pairs of 2p − 1, p being the probability that
    it is the better one. Answers as often better as worse are left out, and counted.
    """
    said: dict[tuple[str, str], list[tuple[float, Preference]]] = defaultdict(list)
    for row in preferences:
        for side, p in ((row.chosen, row.p_chosen), (row.rejected, 1 - row.p_chosen)):
            said[row.prompt.text, side.text].append((row.weight * (2 * p - 1), row))
    rows, ties = [], 0
    for (_, text), pairs in said.items():
        mean = sum(value for value, _ in pairs) / len(pairs)
        first = pairs[0][1]
        if abs(mean) < 1e-9:
            ties += 1
            continue
        name = f"{first.id}/{'chosen' if first.chosen.text == text else 'rejected'}"
        rows.append(Unpaired(name, first.prompt, text, mean > 0, abs(mean)))
    return rows, ties


def shuffled(rows: Sequence[Unpaired], seed: int) -> list[Unpaired]:
    """Mix the kinds: KTO reads its rows in order, and all good ones first would be learnt first."""
    mixed = list(rows)
    random.Random(f"{seed}:kto").shuffle(mixed)
    return mixed


def check_unpaired(rows: Sequence[Unpaired]) -> None:
    """Refuse what nothing can be learnt from.

    Raises:
        InputError: for an answer of nothing, or where all answers are of one kind.
    """
    for row in rows:
        if not row.text.strip():
            raise InputError(f"row {row.id}: the answer is empty; leave the row out")
    check_kinds([row.good for row in rows])


def check_kinds(good: Sequence[bool]) -> None:
    """Refuse answers of one kind.

    Raises:
        InputError: with the kind that there is.
    """
    if good and sum(good) in (0, len(good)):
        there, lacking = ("good", "bad") if good[0] else ("bad", "good")
        raise InputError(
            f"kto learns from answers of both kinds, and all {len(good):,} are {there}; add some "
            f"that are {lacking}"
        )


def balance(rows: Iterable[tuple[bool, float]]) -> tuple[float, float]:
    """Give how much a good and a bad answer count, so that both kinds count alike in all.

    Ethayarajh et al. (2024, equation 8) advise it; the rarer kind is raised, tenfold at most.

    Args:
        rows: of each answer whether it is good, and its weight; of both kinds.
    """
    rows = list(rows)
    good = sum(weight for is_good, weight in rows if is_good)
    bad = sum(weight for is_good, weight in rows if not is_good)
    if good < bad:
        return min(bad / good, _RARER_AT_MOST), 1.0
    return 1.0, min(good / bad, _RARER_AT_MOST)
