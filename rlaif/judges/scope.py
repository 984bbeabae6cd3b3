"""Which principles are for a prompt: by its tags, and by what a judge says of their `when`."""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, NamedTuple, Protocol, TypeVar

from rlaif.answers.answer import Unread
from rlaif.backends.base import Backend
from rlaif.constitution.principle import Constitution, Principle
from rlaif.errors import InputError, TemplateError
from rlaif.judges.asking import Answers, abstain, gather, read
from rlaif.records import Abstention, Prompt, Request, fingerprint_of
from rlaif.templates import Template

Item = TypeVar("Item")
Said = bool | Abstention
_MOST_READY = 256  # items that need no question, held while the backend pulls
_MOST_KNOWN = 65_536  # answers remembered, so that memory does not grow with the data


class Question(NamedTuple):
    """Whether a `when` is true of a prompt."""

    prompt: Prompt
    when: str


class Conditions(Protocol):
    """Who says whether a principle's `when` is true of a prompt."""

    @property
    def contract(self) -> str:
        """A fingerprint of everything but the question that could change an answer."""
        ...

    def hold(self, questions: Iterable[Question]) -> Iterator[tuple[Question, Said]]:
        """Answer lazily, in completion order, each question exactly once, as the object it is."""
        ...


class AskedConditions:
    """Ask the judge's model, by a template that takes `prompt` and `when`."""

    def __init__(self, backend: Backend, template: Template) -> None:
        """Ask with a backend.

        Raises:
            TemplateError: for a prompt file that does not ask this.
        """
        self.check(template)
        self._backend = backend
        self._template = template
        self.contract = fingerprint_of(["when", backend.name, template.fingerprint_of_wording])

    @staticmethod
    def check(template: Template) -> None:
        """Make sure that a prompt file asks this.

        Raises:
            TemplateError: for one that takes something else, or asks no yes or no.
        """
        if set(template.inputs) != {"prompt", "when"} or template.answer.kind != "options":
            raise TemplateError(
                f"{template.name}: to ask a principle's `when`, a prompt file takes `prompt` and "
                "`when`, and has `answer: {kind: options}`"
            )

    def hold(self, questions: Iterable[Question]) -> Iterator[tuple[Question, Said]]:
        """Answer each question once, in completion order."""
        for question, answers in gather(self._backend, questions, self._ask):
            yield question, self._answer(question, answers)

    def _ask(self, question: Question) -> Mapping[str, Request]:
        values = {"prompt": question.prompt.text, "when": question.when}
        return {"when": self._template.render("", values)}

    def _answer(self, question: Question, answers: Answers) -> Said:
        got = read(self._template.answer, answers["when"])
        if isinstance(got, Unread):
            return abstain(got, subject=question.prompt.id, by=self._backend.name)
        return got.probabilities[self._template.answer.options[0]] > 0.5


class Scope(NamedTuple):
    """The principles that are for a prompt, and those of which nobody could say."""

    principles: tuple[Principle, ...]
    abstained: tuple[Abstention, ...] = ()


class _Open(Generic[Item]):
    """An item, the principles that its prompt's tags let through, and what is known of these."""

    def __init__(self, item: Item, prompt: Prompt, principles: tuple[Principle, ...]) -> None:
        self.item = item
        self.prompt = prompt
        self.principles = principles
        self.missing = {principle.when for principle in principles if principle.when}
        self.said: dict[str, Said] = {}

    def hear(self, when: str, said: Said) -> None:
        self.said[when] = said
        self.missing.discard(when)

    def scope(self) -> Scope:
        inside, abstained = [], []
        for principle in self.principles:
            said = self.said[principle.when] if principle.when else True
            if isinstance(said, Abstention):
                detail = f"when: {said.detail}"
                abstained.append(
                    said.model_copy(update={"principle": principle.id, "detail": detail})
                )
            elif said:
                inside.append(principle)
        return Scope(tuple(inside), tuple(abstained))


def in_scope(
    items: Iterable[Item],
    prompt_of: Callable[[Item], Prompt],
    constitution: Constitution,
    conditions: Conditions | None,
) -> Iterator[tuple[Item, Scope]]:
    """Give each item once, with the principles that are for its prompt.

    Lazy, and in completion order: a prompt's `when` is asked once, however many items it has, and
    nothing waits for the slowest of a chunk.

    Raises:
        InputError: for a constitution with a `when`, and nobody to answer it.
    """
    need_conditions(constitution, conditions)
    pending = iter(items)
    asking = _Asking(prompt_of, constitution, conditions)
    for item in pending:
        opened = asking.open(item)
        if not opened.missing:
            yield opened.item, opened.scope()
            continue
        yield from asking.ask(itertools.chain([item], pending))


def need_conditions(constitution: Constitution, conditions: Conditions | None) -> None:
    """Make sure that somebody answers what the constitution asks of prompts.

    Raises:
        InputError: where nobody does.
    """
    named = next((p.id for p in constitution.principles if p.when), None)
    if named and conditions is None:
        raise InputError(
            f"{constitution.name}: the principle {named!r} has a `when`, and nobody is there to "
            "answer it; give `conditions`, or use `scope` with tags"
        )


class _Asking(Generic[Item]):
    """What has been asked and answered while a stream of items is put in scope."""

    def __init__(
        self,
        prompt_of: Callable[[Item], Prompt],
        constitution: Constitution,
        conditions: Conditions | None,
    ) -> None:
        self._prompt_of = prompt_of
        self._principles = constitution.principles
        self._conditions = conditions
        self._known: dict[tuple[str, str], Said] = {}

    def open(self, item: Item) -> _Open[Item]:
        prompt = self._prompt_of(item)
        opened = _Open(
            item, prompt, tuple(p for p in self._principles if p.applies_to(prompt.tags))
        )
        for when in list(opened.missing):
            if (said := self._known.get((prompt.text, when))) is not None:
                opened.hear(when, said)
        return opened

    def ask(self, items: Iterator[Item]) -> Iterator[tuple[Item, Scope]]:
        """Ask what is missing, until the items end or too many of them need no question."""
        assert self._conditions is not None
        ready: deque[_Open[Item]] = deque()
        waiting: dict[tuple[str, str], list[_Open[Item]]] = {}
        for question, said in self._conditions.hold(self._questions(items, ready, waiting)):
            key = (question.prompt.text, question.when)
            self._remember(key, said)
            for opened in waiting.pop(key):
                opened.hear(question.when, said)
                if not opened.missing:
                    ready.append(opened)
            while ready:
                opened = ready.popleft()
                yield opened.item, opened.scope()
        yield from ((opened.item, opened.scope()) for opened in ready)

    def _questions(
        self,
        items: Iterator[Item],
        ready: deque[_Open[Item]],
        waiting: dict[tuple[str, str], list[_Open[Item]]],
    ) -> Iterator[Question]:
        for item in items:
            opened = self.open(item)
            if not opened.missing:
                ready.append(opened)
            for when in sorted(opened.missing):
                key = (opened.prompt.text, when)
                waiting.setdefault(key, []).append(opened)
                if len(waiting[key]) == 1:
                    yield Question(opened.prompt, when)
            if len(ready) >= _MOST_READY:
                return

    def _remember(self, key: tuple[str, str], said: Said) -> None:
        if len(self._known) >= _MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[key] = said
