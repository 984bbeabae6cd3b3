"""The table of formats: which importer reads a row."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from rlaif.feedback.importers import arena, argilla, hh, icai, own, ranked, scored, trl
from rlaif.records import Comparison, Preference

Pair = Comparison | Preference
_EXPECTED = "expected `chosen` and `rejected`, or `prompt`, `first` and `second`"
_LABELS = ("choice", "p_chosen", "winner", "preferred_text", "ranks", "ranking", "scores")
_ONE_REPLY = ("completion", "reply", "response")


class Format(NamedTuple):
    """One way to write pairs down."""

    name: str
    fits: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Mapping[str, Any]], Iterable[Pair]]


# The first that fits reads the row: what names more of its fields stands before what names fewer.
FORMATS = (
    Format("record", own.is_record, own.record),
    Format("preference", own.is_preference, own.preference),
    Format("comparison", own.is_comparison, own.comparison),
    Format("two replies", own.is_two, own.two),
    Format("arena", arena.fits, arena.read),
    Format("TRL", trl.fits, trl.read),
    Format("HH-RLHF", hh.fits, hh.read),
    Format("ranked", ranked.fits, ranked.read),
    Format("scored", scored.fits, scored.read),
    Format("Argilla", argilla.fits, argilla.read),
    Format("ICAI", icai.fits, icai.read),
    Format("ICAI's table", icai.is_table, icai.table),
)


def format_of(row: Mapping[str, Any]) -> Format:
    """Say how a row is written.

    Raises:
        ValueError: where it is no pair, saying what is missing.
    """
    for each in FORMATS:
        if each.fits(row):
            return each
    label = next((name for name in _LABELS if name in row), None)
    found = ", ".join(sorted(row)) or "nothing"
    if label:
        raise ValueError(f"`{label}` is a label without its pair; {_EXPECTED}; found {found}")
    if any(name in row for name in _ONE_REPLY):
        raise ValueError(
            f"one reply, and no other beside it; {_EXPECTED}; thumbs up and down are read by "
            "`rlaif feedback thumbs`"
        )
    raise ValueError(f"{_EXPECTED}; found {found}")


def pairs_of(row: Mapping[str, Any]) -> Iterator[Pair]:
    """Read a row's pairs.

    Raises:
        ValueError, TypeError, ValidationError: for a row that is no pair.
    """
    yield from format_of(row).read(row)
