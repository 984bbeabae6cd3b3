"""Judges that read nothing: one that is not above them is not to be trusted."""

from collections.abc import Callable

from rlaif.embedded.traits import holds
from rlaif.evaluation.measures import length_of
from rlaif.records import Choice, Comparison


def _more(first: float, second: float) -> Choice:
    if first == second:
        return "tie"
    return "first" if first > second else "second"


def _longer(comparison: Comparison) -> Choice:
    return _more(length_of(comparison.first.text), length_of(comparison.second.text))


def _shorter(comparison: Comparison) -> Choice:
    return _more(-length_of(comparison.first.text), -length_of(comparison.second.text))


def _refusing(comparison: Comparison) -> Choice:
    return _more(holds("refuses", comparison.first.text), holds("refuses", comparison.second.text))


TRIVIAL: dict[str, Callable[[Comparison], Choice]] = {
    "the longer reply": _longer,
    "the shorter reply": _shorter,
    "the reply shown first": lambda _: "first",
    "the reply that refuses": _refusing,
}
"""Each by what it always prefers."""
