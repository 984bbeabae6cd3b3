"""A policy and a referee that do as a test says."""

from collections.abc import Callable, Iterable, Iterator

from rlaif.backends.base import Answered
from rlaif.judges.base import Case, Outcome
from rlaif.records import Completion, Failure, Request, Verdict


class Policy:
    def __init__(self, says: Callable[[Request], str | Failure], name: str = "policy") -> None:
        self.name = name
        self._says = says
        self.asked: list[Request] = []

    def stream(self, requests: Iterable[Request]) -> Iterator[Answered]:
        for request in requests:
            self.asked.append(request)
            said = self._says(request)
            done = said if isinstance(said, Failure) else Completion(text=said, model=self.name)
            yield request, done


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
