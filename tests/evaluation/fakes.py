"""A referee that does as a test says."""

from collections.abc import Callable, Iterable, Iterator

from rlaif.judges.base import Case, Outcome
from rlaif.records import Verdict


class Referee:
    """Says what `prefers` says of each case; backwards, as a fast judge may finish last."""

    contract = "referee-1"

    def __init__(self, prefers: Callable[[Case], Outcome], name: str = "referee") -> None:
        self.name = name
        self._prefers = prefers
        self.seen: list[Case] = []

    def decide(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Outcome]]:
        asked = list(cases)
        self.seen += asked
        for case in reversed(asked):
            yield case, self._prefers(case)


def p_first(case: Case, probability: float) -> Verdict:
    return Verdict(p_first=probability, judge="referee", principle=case.principle.id)
