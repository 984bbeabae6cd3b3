"""Read the traits' words, and make of each row a trait."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml

from rlaif.embedded.traits.base import Test, Trait, both, found, without

Row = dict[str, Any]
# Every command reads the rows: the loader in C takes a tenth of the time.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_TOPIC_DOES = ("mention {}", "talk about {}", "refer to {}", "bring up {}", "touch on {}",
               "contain a word about {}", "say something about {}")  # fmt: skip
_TOPIC_LACKS = ("leave {} out", "say nothing about {}", "be silent about {}", "keep off {}",
                "make no mention of {}")  # fmt: skip


def traits(tests: Mapping[str, Test]) -> dict[str, Trait]:
    """Make every trait of `wordings/`; `tests` has those that neither words nor traits define.

    Raises:
        ValueError: when two files have a trait of one name, or a trait has no test.
    """
    rows = merged(_texts("wordings"))
    return {name: _trait(name, rows, tests) for name in rows}


def merged(texts: Mapping[str, str]) -> dict[str, Row]:
    """Put the rows of several files together.

    >>> merged({"a.yaml": "warm: {}", "b.yaml": "cold: {}"})
    {'warm': {}, 'cold': {}}

    Raises:
        ValueError: when two files have a trait of one name.
    """
    rows: dict[str, Row] = {}
    for file, text in texts.items():
        more: dict[str, Row] = yaml.load(text, _LOADER) or {}
        if twice := rows.keys() & more.keys():
            raise ValueError(f"{file}: {', '.join(sorted(twice))}: another file has that trait")
        rows |= more
    return rows


class Phrases(NamedTuple):
    """Ways to say that a reply has a trait, and that it lacks it."""

    does: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


@cache
def more_phrases() -> dict[str, Phrases]:
    """Read more ways to say each trait that may be trained, for a training that wants them.

    Nothing else but the examination of what was so trained has a use for them: they are read late.
    """
    return {
        name: Phrases(
            (*_said(row.get("topics", ()), _TOPIC_DOES), *row.get("does", ())),
            (*_said(row.get("topics", ()), _TOPIC_LACKS), *row.get("lacks", ())),
        )
        for name, row in merged(_texts("wordings/more")).items()
    }


def _texts(folder: str) -> dict[str, str]:
    found_there = sorted(
        (file.name, file) for file in files(__package__).joinpath(folder).iterdir()
    )
    return {
        name: file.read_text(encoding="utf-8")
        for name, file in found_there
        if name.endswith(".yaml")
    }


def _trait(name: str, rows: Mapping[str, Row], tests: Mapping[str, Test]) -> Trait:
    row = rows[name]
    topics = row.get("topics", ())
    return Trait(
        name,
        _test(name, rows, tests),
        does=tuple(row.get("does") or _about(topics, _TOPIC_DOES, last=2)),
        lacks=tuple(row.get("lacks") or _about(topics, _TOPIC_LACKS, last=1)),
        add=tuple(row.get("add", ())),
        place=row.get("place", ""),
        both=tuple(row.get("both", ())),
        without=tuple(row.get("without", ())),
    )


def _test(name: str, rows: Mapping[str, Row], tests: Mapping[str, Test]) -> Test:
    if name not in rows:
        raise ValueError(f"{name}: no such trait")
    row = rows[name]
    if "words" in row:
        return found(row["words"])
    for key, join in (("both", both), ("without", without)):
        if key in row:
            first, second = (_test(part, rows, tests) for part in row[key])
            return join(first, second)
    if name not in tests:
        raise ValueError(f"{name}: expected one of words, both, without, or a function")
    return tests[name]


def _about(topics: list[str], phrases: tuple[str, ...], *, last: int) -> list[str]:
    """Write phrases about topics; the last topic, kept for tests, only in the last phrases."""
    *known, new = topics
    kept = [phrase.format(new) for phrase in phrases[-last:]]
    return [*_said(known, phrases), *kept]


def _said(topics: Iterable[str], phrases: tuple[str, ...]) -> list[str]:
    return [phrase.format(topic) for topic in topics for phrase in phrases]
