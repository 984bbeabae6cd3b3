"""The question and who answers it: a case is one comparison under one principle."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from rlaif.constitution.principle import Principle
from rlaif.records import Abstention, Comparison, Verdict

Outcome = Verdict | Abstention


class Case(NamedTuple):
    """A comparison to be judged under one principle."""

    comparison: Comparison
    principle: Principle

    def swapped(self) -> "Case":
        """Ask the same with the two responses in the other order."""
        return Case(self.comparison.swapped(), self.principle)


class Judge(Protocol):
    """Anything that decides cases: a model with a template, or a judge made of judges."""

    @property
    def name(self) -> str:
        """Who judged, as it stands on every verdict."""
        ...

    @property
    def contract(self) -> str:
        """A fingerprint of everything but the case that could change a verdict."""
        ...

    def decide(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Outcome]]:
        """Answer lazily, in completion order, each case exactly once.

        The case that comes back is the very object that went in, so that judges made of judges
        can tell two equal cases apart.
        """
        ...
