"""Our own records, and two replies beside each other that somebody may have chosen between."""

from collections.abc import Iterator, Mapping
from typing import Any

from rlaif.feedback.importers.make import name_of, prompt_of, reply_of
from rlaif.records import Comparison, Preference


def is_preference(row: Mapping[str, Any]) -> bool:
    """Say whether a row is a `Preference` as this toolkit writes it."""
    return "p_chosen" in row and isinstance(row.get("chosen"), dict)


def preference(row: Mapping[str, Any]) -> Iterator[Preference]:
    """Read a `Preference`."""
    yield Preference.model_validate(row)


def is_record(row: Mapping[str, Any]) -> bool:
    """Say whether a row holds a whole `Preference` as text, as our Parquet files do."""
    return isinstance(row.get("record"), str) and "chosen" in row


def record(row: Mapping[str, Any]) -> Iterator[Preference]:
    """Read the `Preference` that a row holds as text."""
    yield Preference.model_validate_json(row["record"])


def is_comparison(row: Mapping[str, Any]) -> bool:
    """Say whether a row is a `Comparison` as this toolkit writes it."""
    return isinstance(row.get("first"), dict)


def comparison(row: Mapping[str, Any]) -> Iterator[Comparison]:
    """Read a `Comparison`."""
    yield Comparison.model_validate({key: row[key] for key in row if key != "by"})


def is_two(row: Mapping[str, Any]) -> bool:
    """Say whether a row shows two replies."""
    return "first" in row and "second" in row


def two(row: Mapping[str, Any]) -> Iterator[Comparison]:
    """Read two replies, in the order that they stand in."""
    prompt, name = prompt_of(row["prompt"]), name_of(row)
    yield Comparison(
        id=name,
        prompt=prompt,
        first=reply_of(row["first"], prompt, f"{name}/first"),
        second=reply_of(row["second"], prompt, f"{name}/second"),
    )
