"""A judge that asks about each reply by itself: does the principle hold of it, yes or no?

A pair's probability follows from the two answers, so the order in which replies are shown cannot
matter, and a reply that stands in several pairs is asked about once where a store is used.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pydantic import Field

from rlaif.backends.base import Backend
from rlaif.constitution.principle import Principle
from rlaif.judges.asking import Answers, abstain, gather, read
from rlaif.judges.base import Case, Outcome
from rlaif.records import Record, Request, Response, Verdict, fingerprint_of
from rlaif.templates import Read, Template, Unread

_EDGE = 1e-6  # keeps a logit finite where an answer came as a word and not as a probability


class Calibration(Record):
    """What turns a judge's raw log-odds of yes into a probability, fitted on held-out answers."""

    bias: float = 0.0
    """Log-odds at which the judge is undecided."""
    temperature: float = Field(default=1.0, gt=0.0)
    """How many times too sure the judge is."""

    def logit(self, share: float) -> float:
        """Give the calibrated log-odds of an answer's share of yes."""
        kept = min(max(share, _EDGE), 1 - _EDGE)
        return (math.log(kept / (1 - kept)) - self.bias) / self.temperature


class Statement(NamedTuple):
    """A yes/no statement and how much a yes counts for the reply; negative counts against."""

    text: str
    weight: float


def statements(principle: Principle) -> list[Statement]:
    """Give what to ask of a reply: the propositions if it lists any, else its one sentence."""
    if principle.propositions:
        total = sum(proposition.weight for proposition in principle.propositions)
        return [Statement(p.text, p.sign * p.weight / total) for p in principle.propositions]
    if principle.negated:
        return [Statement(principle.negated, -1.0)]
    return [Statement(principle.text, 1.0)]


class AbsoluteJudge:
    """Judge each reply alone, then compare: p = σ(logit(first) − logit(second)).

    The difference of calibrated log-odds is the log-odds that the principle holds of the first
    reply and not of the second, given that it holds of exactly one of the two.
    """

    def __init__(
        self, backend: Backend, template: Template, calibration: Calibration | None = None
    ) -> None:
        """Judge with a backend, by a template that takes `prompt`, `reply` and `principle`."""
        self._backend = backend
        self._template = template
        self._calibration = calibration or Calibration()
        self.name = backend.name
        self.contract = fingerprint_of(
            [
                "absolute",
                backend.name,
                template.fingerprint_of_wording,
                self._calibration.fingerprint,
            ]
        )

    def decide(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Outcome]]:
        """Answer each case once, in completion order."""
        for case, answers in gather(self._backend, cases, self._ask):
            yield case, self._outcome(case, answers)

    def _ask(self, case: Case) -> Mapping[str, Request]:
        comparison, principle = case
        return {
            f"{side} {number}": self._template.render(
                "", {"prompt": comparison.prompt.text, "reply": reply.text, "principle": asked.text}
            )
            for side, reply in self._sides(case)
            for number, asked in enumerate(statements(principle))
        }

    @staticmethod
    def _sides(case: Case) -> tuple[tuple[str, Response], tuple[str, Response]]:
        return ("first", case.comparison.first), ("second", case.comparison.second)

    def _outcome(self, case: Case, answers: Answers) -> Outcome:
        logits: dict[str, float] = {}
        how = "logprobs"
        for side, _ in self._sides(case):
            total = 0.0
            for number, asked in enumerate(statements(case.principle)):
                got = read(self._template.answer, answers[f"{side} {number}"])
                if isinstance(got, Unread):
                    return abstain(
                        got,
                        subject=case.comparison.id,
                        by=self.name,
                        principle=case.principle.id,
                    )
                total += asked.weight * self._logit(got)
                how = got.how
            logits[side] = total
        return Verdict(
            p_first=sigmoid(logits["first"] - logits["second"]),
            judge=self.name,
            principle=case.principle.id,
            read=how,
            evidence={f"holds_{side}": round(sigmoid(logit), 6) for side, logit in logits.items()},
        )

    def _logit(self, got: Read) -> float:
        return self._calibration.logit(got.probabilities[self._template.answer.options[0]])


def sigmoid(logit: float) -> float:
    """Turn log-odds into a probability, without overflow.

    >>> sigmoid(0.0), sigmoid(-1000.0)
    (0.5, 0.0)
    """
    if logit >= 0:
        return 1 / (1 + math.exp(-logit))
    odds = math.exp(logit)
    return odds / (1 + odds)
