"""Facts about replies that code counts with no model: the truth for the judge, demo and tests."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from rlaif.embedded.traits import form, harm, stance
from rlaif.embedded.traits.base import Exchange, Trait, found

__all__ = ["TRAITS", "Exchange", "Trait", "holds", "rates"]

_TESTS: dict[str, harm.Test] = {
    "refuses": stance.refuses,
    "offers-alternative": stance.offers_alternative,
    "complies": stance.complies,
    "degenerate": stance.degenerate,
    "lectures": stance.lectures,
    "flatters": stance.flatters,
    "warm": stance.warm,
    "brief": form.brief,
    "asks-question": form.asks_question,
    "ends-with-question": form.ends_with_question,
    "list": form.has_list,
    "agrees": form.agrees,
    "greets": form.greets,
    **harm.TESTS,
}
_TOPIC_DOES = ("mention {}", "talk about {}", "refer to {}", "bring up {}", "touch on {}",
               "contain a word about {}", "say something about {}")  # fmt: skip
_TOPIC_LACKS = ("leave {} out", "say nothing about {}", "be silent about {}", "keep off {}",
                "make no mention of {}")  # fmt: skip


def _trait(name: str, row: dict[str, Any]) -> Trait:
    test = found(row["words"]) if "words" in row else _TESTS[name]
    topics = row.get("topics", ())
    does = row.get("does") or _about(topics, _TOPIC_DOES, last=2)
    lacks = row.get("lacks") or _about(topics, _TOPIC_LACKS, last=1)
    return Trait(name, test, tuple(does), tuple(lacks), tuple(row.get("add", ())))


def _about(topics: list[str], phrases: tuple[str, ...], *, last: int) -> list[str]:
    """Write phrases about topics; the last topic, kept for tests, only in the last phrases."""
    *known, new = topics
    kept = [phrase.format(new) for phrase in phrases[-last:]]
    return [phrase.format(topic) for topic in known for phrase in phrases] + kept


@cache
def _all() -> dict[str, Trait]:
    text = files(__package__).joinpath("wordings.yaml").read_text(encoding="utf-8")
    return {name: _trait(name, row) for name, row in yaml.safe_load(text).items()}


TRAITS = _all()
"""Every trait by name."""


def holds(name: str, reply: str, prompt: str = "", kind: Any = "") -> bool:
    """Say whether a reply has the named trait."""
    return TRAITS[name].holds(Exchange(reply, prompt, kind))


def rates(exchanges: list[Exchange]) -> dict[str, float]:
    """Give, for each trait, the share of the exchanges that have it."""
    count = max(len(exchanges), 1)
    return {
        name: sum(trait.holds(exchange) for exchange in exchanges) / count
        for name, trait in TRAITS.items()
    }
