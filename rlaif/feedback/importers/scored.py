"""A score for each of K replies to one prompt, as in UltraFeedback (Cui 2023)."""

from collections.abc import Iterator, Mapping
from typing import Any

from rlaif.feedback.importers.candidates import all_pairs, figures_of, list_of
from rlaif.records import Preference

_SCORES = ("scores", "ratings", "overall_score", "score", "rating", "fine-grained_score")
"""Where a score stands; the first that is there counts."""


def fits(row: Mapping[str, Any]) -> bool:
    """Say whether a row has replies with scores."""
    replies = list_of(row)
    if replies is None:
        return False
    inside = any(
        isinstance(reply, dict) and any(name in reply for name in _SCORES) for reply in replies
    )
    return inside or any(isinstance(row.get(name), list) for name in _SCORES)


def read(row: Mapping[str, Any]) -> Iterator[Preference]:
    """Give all pairs, the higher score chosen; equal scores are a tie.

    A score says which is better and not how sure that is: the label is certain, and both scores
    stay beside it.
    """
    yield from all_pairs(row, figures_of(row, _SCORES) or [])
