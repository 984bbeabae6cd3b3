"""A judge that sees both replies and says which is better (Bai et al. 2022, section 4.1)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rlaif.answers.answer import Answer, Read, Unread
from rlaif.backends.base import Backend
from rlaif.constitution.principle import Principle
from rlaif.judges.asking import Answers, abstain, gather, read
from rlaif.judges.base import Case, Outcome
from rlaif.judges.shots import shots
from rlaif.records import Abstention, Request, Verdict, fingerprint_of
from rlaif.templates import Template


class PairwiseJudge:
    """Compare two replies in one question: p is the softmax over the two option tokens.

    A principle with a negated wording is asked in it, and the answer is turned round: some judges
    do better when asked for the worse reply (Lee et al. 2023, section 3).
    """

    def __init__(
        self, backend: Backend, template: Template, pool: Sequence[Principle] = ()
    ) -> None:
        """Judge by a template that takes `prompt`, `first`, `second` and `principle`.

        A template that takes `examples` shows those of the principles in `pool`; where there is
        no pool, those of the principle judged by.
        """
        self._backend = backend
        self._template = template
        self._pool = pool
        self.name = backend.name
        self.contract = contract("pairwise", backend, template, pool)

    def decide(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Outcome]]:
        """Answer each case once, in completion order."""
        for case, answers in gather(self._backend, cases, self._ask):
            yield case, self._outcome(case, answers)

    def _ask(self, case: Case) -> Mapping[str, Request]:
        return {"choice": self._template.render("", shown(case, self._template, self._pool))}

    def _outcome(self, case: Case, answers: Answers) -> Outcome:
        answer = self._template.answer
        got = read(answer, answers["choice"])
        # A judge that thinks aloud and names an option last has given its reasons, too.
        reason = got.text if isinstance(got, Read) and answer.pick == "last" else None
        return outcome(case, got, answer, self.name, reason=reason)


def contract(
    kind: str, backend: Backend, template: Template, pool: Sequence[Principle] = ()
) -> str:
    """Stand for everything but the case that could change a comparing judge's verdict."""
    examples = [principle.fingerprint for principle in pool if "examples" in template.inputs]
    return fingerprint_of([kind, backend.name, template.fingerprint_of_wording, examples])


def wording(principle: Principle) -> str:
    """Give the sentence that a principle is asked in: its negated one where it has one."""
    return principle.negated or principle.text


def turned(p: float, principle: Principle) -> float:
    """Turn an answer about a principle's wording into one about the principle: p_neg = 1 − p."""
    return 1 - p if principle.negated else p


def shown(case: Case, template: Template, pool: Sequence[Principle]) -> dict[str, Any]:
    """Give the values that a comparing template is filled with."""
    comparison, principle = case
    values: dict[str, Any] = {
        "prompt": comparison.prompt.text,
        "first": comparison.first.text,
        "second": comparison.second.text,
        "principle": wording(principle),
    }
    if "examples" in template.inputs:
        values["examples"] = shots(case, template, pool)
    return values


def outcome(
    case: Case, got: Read | Unread, answer: Answer, judge: str, *, reason: str | None = None
) -> Outcome:
    """Make what was read of one question about a pair its verdict or its abstention."""
    if isinstance(got, Unread):
        return unanswered(case, got, judge)
    return Verdict(
        p_first=turned(answer.p_first(got), case.principle),
        judge=judge,
        principle=case.principle.id,
        read=got.how,
        reason=reason,
        evidence={} if got.mass is None else {"mass": round(got.mass, 6)},
    )


def unanswered(case: Case, unread: Unread, judge: str) -> Abstention:
    """Make a case's unread answer its abstention."""
    return abstain(unread, subject=case.comparison.id, by=judge, principle=case.principle.id)
