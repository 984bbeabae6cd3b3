"""The question about one reply, and who answers it: how far does a principle hold of it?"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol, runtime_checkable

from rlaif.answers.answer import Unread
from rlaif.constitution.principle import Principle
from rlaif.judges.asking import abstain
from rlaif.judges.base import Case
from rlaif.records import Abstention, Prompt


class Single(NamedTuple):
    """A reply to be rated under one principle."""

    prompt: Prompt
    text: str
    principle: Principle


@runtime_checkable
class Rater(Protocol):
    """A judge that can tell of one reply alone, so that no order and no opponent matters."""

    @property
    def name(self) -> str:
        """Who rated."""
        ...

    def rate(self, replies: Iterable[Single]) -> Iterator[tuple[Single, float | Abstention]]:
        """Rate lazily, in completion order, each reply exactly once, as the object it is.

        The higher the better; 0 is undecided. The scale is the judge's own.
        """
        ...


def both(case: Case) -> dict[str, Single]:
    """Take a comparison apart into its two replies, `first` and `second`."""
    comparison, principle = case
    return {
        "first": Single(comparison.prompt, comparison.first.text, principle),
        "second": Single(comparison.prompt, comparison.second.text, principle),
    }


def unrated(rated: Single, unread: Unread, by: str) -> Abstention:
    """Make an unread answer about one reply the abstention that is counted and shown."""
    return abstain(unread, subject=rated.prompt.id, by=by, principle=rated.principle.id)
