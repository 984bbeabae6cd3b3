"""The question about one reply, and who answers it: how far does a principle hold of it?"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol, runtime_checkable

from rlaif.constitution.principle import Principle
from rlaif.records import Abstention, Prompt


class Rated(NamedTuple):
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

    def rate(self, replies: Iterable[Rated]) -> Iterator[tuple[Rated, float | Abstention]]:
        """Rate lazily, in completion order, each reply exactly once, as the object it is.

        The higher the better; 0 is undecided. The scale is the judge's own.
        """
        ...
