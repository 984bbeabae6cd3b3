"""A judge that sees all of a prompt's replies at once and ranks them."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rlaif.answers.answer import Unread, letters
from rlaif.backends.base import Backend
from rlaif.constitution.principle import Principle
from rlaif.errors import InputError
from rlaif.judges.asking import Answers, gather, read
from rlaif.judges.base import Case, Outcome
from rlaif.judges.luce import Heard, pair
from rlaif.judges.orders import Orders
from rlaif.judges.pairwise import contract, turned, unanswered, wording
from rlaif.records import Request, Verdict
from rlaif.templates import Template

_MOST = 26  # there is a letter for each


class _Group(NamedTuple):
    """Cases about replies to one prompt under one principle, and the orders they are shown in."""

    cases: tuple[Case, ...]
    principle: Principle
    displays: tuple[tuple[str, ...], ...]
    """The replies' texts, each once, in every order that is asked about."""


class RankJudge:
    """Rank K replies in one question, and answer each pair of them from the ranking.

    Which is best, by log-probability: the letters' shares are Plackett–Luce worths, and
    p(i beats j) = w_i / (w_i + w_j). A written ranking gives each pair the template's certainty.

    With both orders, `best` shows each reply in every place (K requests) and averages the
    distributions; a written ranking is asked for in those orders and their reverses (2·K), so that
    each pair of places is seen both ways. A judge that always answers the same ends at 0.5.
    """

    def __init__(self, backend: Backend, template: Template, *, orders: Orders = "both") -> None:
        """Judge by a template that takes `prompt`, `replies` and `principle`."""
        self._backend = backend
        self._template = template
        self._orders = orders
        self.name = backend.name
        self.contract = contract(f"rank {orders}", backend, template)

    def decide(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Outcome]]:
        """Answer each case once; cases of one group that follow each other are asked together.

        Raises:
            InputError: for a group of more replies than there are letters.
        """
        for group, answers in gather(self._backend, self._groups(cases), self._ask):
            yield from self._outcomes(group, answers)

    def _groups(self, cases: Iterable[Case]) -> Iterator[_Group]:
        held: dict[str, list[Case]] = {}
        now: tuple[str | None, str] | None = None
        for case in cases:
            here = (case.comparison.group, case.comparison.prompt.id)
            if here != now or here[0] is None:
                yield from self._made(held)
                held, now = {}, here
            held.setdefault(case.principle.id, []).append(case)
        yield from self._made(held)

    def _made(self, held: Mapping[str, Sequence[Case]]) -> Iterator[_Group]:
        for cases in held.values():
            comparison, principle = cases[0]
            pairs = [(case.comparison.first, case.comparison.second) for case in cases]
            texts = list(dict.fromkeys(reply.text for pair in pairs for reply in pair))
            if len(texts) > _MOST:
                raise InputError(
                    f"{comparison.group}: {len(texts)} replies to rank at once, and {_MOST} is the "
                    "most; draw fewer samples, or compare them in pairs"
                )
            rng = random.Random(f"{comparison.group or comparison.id}:{principle.id}")
            # Sorted first, so that the draw does not depend on which pair came first.
            drawn = rng.sample(sorted(texts), len(texts))
            yield _Group(tuple(cases), principle, self._displays(drawn))

    def _displays(self, drawn: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        if self._orders == "one":
            return (tuple(drawn),)
        rotations = [(*drawn[turn:], *drawn[:turn]) for turn in range(len(drawn))]
        if self._template.answer.kind == "ranking":
            # Which of two is ahead depends on both their places: each pair is shown either way.
            rotations += [display[::-1] for display in rotations]
        return tuple(dict.fromkeys(rotations))

    def _ask(self, group: _Group) -> Mapping[str, Request]:
        prompt = group.cases[0].comparison.prompt.text
        return {
            str(number): self._template.render(
                "",
                {
                    "prompt": prompt,
                    "principle": wording(group.principle),
                    "replies": [
                        {"letter": letter, "text": text}
                        for letter, text in zip(letters(len(display)), display, strict=True)
                    ],
                },
            )
            for number, display in enumerate(group.displays)
        }

    def _outcomes(self, group: _Group, answers: Answers) -> Iterator[tuple[Case, Outcome]]:
        answer = self._template.answer.among(len(group.displays[0]))
        heard: list[Heard] = []
        unread: list[Unread] = []
        for number, display in enumerate(group.displays):
            got = read(answer, answers[str(number)])
            if isinstance(got, Unread):
                unread.append(got)
            else:
                heard.append(Heard.of(got, answer, display))
        for case in group.cases:
            if unread and (not heard or self._orders != "any"):
                yield case, unanswered(case, self._missing(unread[0], heard), self.name)
            else:
                yield case, self._outcome(case, heard)

    @staticmethod
    def _missing(unread: Unread, heard: Sequence[Heard]) -> Unread:
        """Name the kind of what is missing; `one-order` where other orders were answered."""
        if not heard:
            return unread
        return unread._replace(kind="one-order", detail=f"{unread.kind}: {unread.detail}")

    def _outcome(self, case: Case, heard: Sequence[Heard]) -> Outcome:
        answer, comparison = self._template.answer, case.comparison
        if comparison.first.text == comparison.second.text:
            same = Unread("same", "both replies are the same text")
            return unanswered(case, same, self.name)
        found = pair(heard, answer, comparison.first.text, comparison.second.text)
        if found is None:
            nothing = Unread("no-mass", "neither reply holds any of the probability")
            return unanswered(case, nothing, self.name)
        p_first, evidence = found
        return Verdict(
            p_first=turned(p_first, case.principle),
            judge=self.name,
            principle=case.principle.id,
            read="ranking" if answer.kind == "ranking" else "logprobs",
            evidence=evidence,
        )
