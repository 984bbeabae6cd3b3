"""A judge that thinks first and then names the better reply, in a turn of its own.

The letter is read after the thinking and never from it: a verdict given first is reversed now and
then by the reasons that follow it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rlaif.answers.answer import Answer, Unread
from rlaif.backends.base import Backend
from rlaif.constitution.principle import Principle
from rlaif.judges.asking import Said, follow_up, read
from rlaif.judges.base import Case, Outcome
from rlaif.judges.pairwise import contract, outcome, shown, unanswered
from rlaif.records import Completion, Failure, Request
from rlaif.templates import Template

_TEXT = Answer()


@dataclass
class _Open:
    """A case that is being thought about, and what was thought."""

    case: Case
    thought: str = ""


class ReasonedJudge:
    """Compare two replies after thinking: p_cot = clip(p, 0.40, 0.60) (Bai et al. 2022, 4.1).

    Two requests for each case: the thinking, then the letter after it, by log-probability where
    there is one. The template may clamp otherwise.
    """

    def __init__(
        self, backend: Backend, template: Template, pool: Sequence[Principle] = ()
    ) -> None:
        """Judge by a comparing template with a `[thinking]` section; `pool` as in PairwiseJudge."""
        self._backend = backend
        self._template = template
        self._pool = pool
        self.name = backend.name
        self.contract = contract("reasoned", backend, template, pool)

    def decide(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Outcome]]:
        """Answer each case once, in completion order; a letter is asked for when thinking ends."""
        opened: dict[str, _Open] = {}

        def begin() -> Iterator[Request]:
            for number, case in enumerate(cases):
                opened[str(number)] = _Open(case)
                values = shown(case, self._template, self._pool)
                yield self._template.render_thinking(str(number), values)

        def go_on(request: Request, said: Completion | Failure) -> Request | None:
            one = opened[request.id]
            got = thought_of(Said(request, said))
            if one.thought or isinstance(got, Unread):
                return None
            one.thought = got
            values = shown(one.case, self._template, self._pool)
            return self._template.render(request.id, values, thought=got)

        for request, said in follow_up(self._backend, begin(), go_on):
            one = opened.pop(request.id)
            yield one.case, self._outcome(one, Said(request, said))

    def _outcome(self, one: _Open, said: Said) -> Outcome:
        if not one.thought:
            unthought = thought_of(said)
            assert isinstance(unthought, Unread)
            return unanswered(one.case, unthought, self.name)
        answer = self._template.answer
        return outcome(one.case, read(answer, said), answer, self.name, reason=one.thought)


def thought_of(said: Said) -> str | Unread:
    """Give what was thought aloud; thinking that nobody can see is none."""
    got = read(_TEXT, said)
    if isinstance(got, Unread):
        # Nothing can be seen of it: all its tokens went into thinking that is hidden.
        return got._replace(kind="no-reasoning") if got.kind == "empty" else got
    return got.text
