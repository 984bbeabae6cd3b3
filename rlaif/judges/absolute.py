"""A judge that asks about each reply by itself: does the principle hold of it, yes or no?

A pair's probability follows from the two answers, so the order in which replies are shown cannot
matter, and a reply that stands in several pairs is asked about once where a store is used.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pydantic import Field

from rlaif.answers.answer import Unread
from rlaif.backends.base import Backend
from rlaif.judges.asking import Answers, gather, read
from rlaif.judges.base import Case, Outcome
from rlaif.judges.pairwise import unanswered
from rlaif.judges.propositions import log_odds, logit, sigmoid, statements
from rlaif.judges.rating import Single, both, unrated
from rlaif.records import Abstention, Reading, Record, Request, Verdict, fingerprint_of
from rlaif.templates import Template


class Calibration(Record):
    """What turns a judge's raw log-odds of yes into probabilities, fitted on labelled answers."""

    bias: float = 0.0
    """Log-odds at which the judge is undecided."""
    temperature: float = Field(default=1.0, gt=0.0)
    """How many times too sure the judge is of one reply."""
    pair_temperature: float | None = Field(default=None, gt=0.0)
    """How many times too sure it then is of a pair; `rlaif judge calibrate` fits it. Where none is
    fitted it is 1, and for scores the prompt file's own."""

    def logit(self, share: float) -> float:
        """Give the calibrated log-odds of an answer's share of yes."""
        return (logit(share) - self.bias) / self.temperature


class _Heard(NamedTuple):
    """What a judge said of one reply under one principle."""

    odds: float
    """The log-odds that the principle holds."""
    yes: tuple[float, ...]
    """Each statement's own calibrated probability of yes."""
    how: Reading


class AbsoluteJudge:
    """Judge each reply alone, then compare: p = σ((logit(first) − logit(second)) / τ).

    The difference of calibrated log-odds is the log-odds that the principle holds of the first
    reply and not of the second, given that it holds of exactly one of the two. τ is the
    calibration's `pair_temperature`.
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
        for case, answers in gather(self._backend, cases, self._ask_about_both):
            yield case, self._outcome(case, answers)

    def rate(self, replies: Iterable[Single]) -> Iterator[tuple[Single, float | Abstention]]:
        """Give the calibrated log-odds that each reply's principle holds, in completion order."""
        for rated, answers in gather(self._backend, replies, self._ask):
            heard = self._hear(rated, answers)
            yield (
                rated,
                (unrated(rated, heard, self.name) if isinstance(heard, Unread) else heard.odds),
            )

    def _ask_about_both(self, case: Case) -> Mapping[str, Request]:
        return {
            f"{side} {slot}": request
            for side, rated in both(case).items()
            for slot, request in self._ask(rated).items()
        }

    def _ask(self, rated: Single) -> Mapping[str, Request]:
        values = {"prompt": rated.prompt.text, "reply": rated.text}
        return {
            str(number): self._template.render("", {**values, "principle": asked.text})
            for number, asked in enumerate(statements(rated.principle))
        }

    def _hear(self, rated: Single, answers: Answers, side: str = "") -> _Heard | Unread:
        asked = statements(rated.principle)
        odds: list[float] = []
        how: Reading = "logprobs"
        for number in range(len(asked)):
            got = read(self._template.answer, answers[f"{side} {number}".strip()])
            if isinstance(got, Unread):
                return got
            odds.append(
                self._calibration.logit(got.probabilities[self._template.answer.options[0]])
            )
            how = got.how
        return _Heard(log_odds(asked, odds), tuple(map(sigmoid, odds)), how)

    def _outcome(self, case: Case, answers: Answers) -> Outcome:
        heard: dict[str, _Heard] = {}
        for side, rated in both(case).items():
            said = self._hear(rated, answers, side)
            if isinstance(said, Unread):
                return unanswered(case, said, self.name)
            heard[side] = said
        difference = heard["first"].odds - heard["second"].odds
        return Verdict(
            p_first=sigmoid(difference / (self._calibration.pair_temperature or 1.0)),
            judge=self.name,
            principle=case.principle.id,
            read=heard["second"].how,
            evidence=_evidence(heard),
        )


def _evidence(heard: Mapping[str, _Heard]) -> dict[str, float]:
    """Name the probability that the principle holds of each reply, and its propositions' own."""
    evidence = {f"holds_{side}": round(sigmoid(said.odds), 6) for side, said in heard.items()}
    for side, said in heard.items():
        if len(said.yes) > 1:
            evidence |= {f"yes_{n}_{side}": round(p, 6) for n, p in enumerate(said.yes, start=1)}
    return evidence
