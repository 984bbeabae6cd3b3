"""A judge that sees both replies and says which is better (Bai et al. 2022, section 4.1)."""

from collections.abc import Iterable, Iterator, Mapping

from rlaif.backends.base import Backend
from rlaif.judges.asking import Answers, abstain, gather, read
from rlaif.judges.base import Case, Outcome
from rlaif.records import Request, Verdict, fingerprint_of
from rlaif.templates import Template, Unread


class PairwiseJudge:
    """Compare two replies in one question: p is the softmax over the two option tokens.

    A principle with a negated wording is asked in it, and the answer is turned round: some judges
    do better when asked for the worse reply (Lee et al. 2023, section 3).
    """

    def __init__(self, backend: Backend, template: Template) -> None:
        """Judge by a template that takes `prompt`, `first`, `second` and `principle`."""
        self._backend = backend
        self._template = template
        self.name = backend.name
        self.contract = fingerprint_of(["pairwise", backend.name, template.fingerprint_of_wording])

    def decide(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Outcome]]:
        """Answer each case once, in completion order."""
        for case, answers in gather(self._backend, cases, self._ask):
            yield case, self._outcome(case, answers)

    def _ask(self, case: Case) -> Mapping[str, Request]:
        comparison, principle = case
        values = {
            "prompt": comparison.prompt.text,
            "first": comparison.first.text,
            "second": comparison.second.text,
            "principle": principle.negated or principle.text,
        }
        return {"choice": self._template.render("", values)}

    def _outcome(self, case: Case, answers: Answers) -> Outcome:
        got = read(self._template.answer, answers["choice"])
        if isinstance(got, Unread):
            return abstain(
                got, subject=case.comparison.id, by=self.name, principle=case.principle.id
            )
        share = got.probabilities[self._template.answer.options[0]]
        evidence = {} if got.mass is None else {"mass": round(got.mass, 6)}
        return Verdict(
            p_first=1 - share if case.principle.negated else share,
            judge=self.name,
            principle=case.principle.id,
            read=got.how,
            evidence=evidence,
        )
