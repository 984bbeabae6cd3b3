"""A judge that scores each reply by itself, from 1 to 10 say, and compares the scores."""

from collections.abc import Iterable, Iterator, Mapping

from rlaif.answers.answer import Read, Unread
from rlaif.backends.base import Backend
from rlaif.judges.absolute import sigmoid, statements
from rlaif.judges.asking import Answers, gather, read
from rlaif.judges.base import Case, Outcome
from rlaif.judges.pairwise import unanswered
from rlaif.records import Request, Verdict, fingerprint_of
from rlaif.templates import Template

_SIDES = ("first", "second")


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
        for case, answers in gather(self._backend, cases, self._ask):
            yield case, self._outcome(case, answers)

    def _ask(self, case: Case) -> Mapping[str, Request]:
        comparison, principle = case
        texts = zip(_SIDES, (comparison.first.text, comparison.second.text), strict=True)
        return {
            f"{side} {number}": self._template.render(
                "", {"prompt": comparison.prompt.text, "reply": text, "principle": asked.text}
            )
            for side, text in texts
            for number, asked in enumerate(statements(principle))
        }

    def _outcome(self, case: Case, answers: Answers) -> Outcome:
        scores = dict.fromkeys(_SIDES, 0.0)
        found: list[Read] = []
        for side in _SIDES:
            for number, asked in enumerate(statements(case.principle)):
                got = read(self._template.answer, answers[f"{side} {number}"])
                if isinstance(got, Unread):
                    return unanswered(case, got, self.name)
                scores[side] += asked.weight * got.value
                found.append(got)
        evidence = {f"score_{side}": round(score, 6) for side, score in scores.items()}
        masses = [got.mass for got in found if got.mass is not None]
        return Verdict(
            p_first=sigmoid((scores["first"] - scores["second"]) / self._temperature),
            judge=self.name,
            principle=case.principle.id,
            read=found[-1].how,
            evidence=evidence | ({"mass": round(min(masses), 6)} if masses else {}),
        )
