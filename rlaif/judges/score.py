"""A judge that scores each reply by itself, from 1 to 10 say, and compares the scores."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from rlaif.answers.answer import Unread
from rlaif.backends.base import Backend
from rlaif.judges.asking import Answers, gather, read
from rlaif.judges.base import Case, Outcome
from rlaif.judges.pairwise import unanswered
from rlaif.judges.propositions import sigmoid, statements
from rlaif.judges.rating import Single, both, unrated
from rlaif.records import Abstention, Reading, Request, Verdict, fingerprint_of
from rlaif.templates import Template


class _Heard(NamedTuple):
    """What a judge said of one reply under one principle."""

    score: float
    how: Reading
    mass: float | None
    """The least of what the options held of the probability, where that is known."""


class ScoreJudge:
    """Score each reply: the expected score over its options, in [−1, 1] (Lee et al. 2023).

    A pair's p is σ((first − second) / temperature). A negated wording, or a proposition that
    counts against a reply, turns its score round.
    """

    def __init__(
        self, backend: Backend, template: Template, *, temperature: float | None = None
    ) -> None:
        """Judge by a template that takes `prompt`, `reply` and `principle`.

        `temperature` stands for the template's own, where one was fitted on labelled pairs.
        """
        self._backend = backend
        self._template = template
        self._temperature = temperature or template.answer.temperature
        self.name = backend.name
        self.contract = fingerprint_of(
            ["score", backend.name, template.fingerprint_of_wording, self._temperature]
        )

    def decide(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Outcome]]:
        """Answer each case once, in completion order."""
        for case, answers in gather(self._backend, cases, self._ask_about_both):
            yield case, self._outcome(case, answers)

    def rate(self, replies: Iterable[Single]) -> Iterator[tuple[Single, float | Abstention]]:
        """Give each reply's score under its principle, in [−1, 1], in completion order."""
        for rated, answers in gather(self._backend, replies, self._ask):
            heard = self._hear(rated, answers)
            yield (
                rated,
                (unrated(rated, heard, self.name) if isinstance(heard, Unread) else heard.score),
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
        score, masses = 0.0, []
        how: Reading = "logprobs"
        for number, asked in enumerate(statements(rated.principle)):
            got = read(self._template.answer, answers[f"{side} {number}".strip()])
            if isinstance(got, Unread):
                return got
            score += asked.weight * got.value
            masses += [] if got.mass is None else [got.mass]
            how = got.how
        return _Heard(score, how, min(masses, default=None))

    def _outcome(self, case: Case, answers: Answers) -> Outcome:
        heard: dict[str, _Heard] = {}
        for side, rated in both(case).items():
            said = self._hear(rated, answers, side)
            if isinstance(said, Unread):
                return unanswered(case, said, self.name)
            heard[side] = said
        evidence = {f"score_{side}": round(said.score, 6) for side, said in heard.items()}
        masses = [said.mass for said in heard.values() if said.mass is not None]
        return Verdict(
            p_first=sigmoid((heard["first"].score - heard["second"].score) / self._temperature),
            judge=self.name,
            principle=case.principle.id,
            read=heard["second"].how,
            evidence=evidence | ({"mass": round(min(masses), 6)} if masses else {}),
        )
