"""Judges that say what a function says, in the order of a backend that answers many at once."""

import random
from collections.abc import Callable, Iterable, Iterator

from rlaif.judges.base import Case, Outcome
from rlaif.judges.rating import Single
from rlaif.judges.scope import Question
from rlaif.records import Abstention, AbstentionKind, Comparison, Prompt, Response, Verdict

Said = float | AbstentionKind | Verdict


class Says:
    """A judge: a number is p_first, a word is an abstention of that kind."""

    def __init__(
        self, say: Callable[[Case], Said], *, name: str = "says", window: int = 1, seed: int = 0
    ) -> None:
        self.say, self.name, self.contract = say, name, name
        self.window, self.rng = window, random.Random(seed)
        self.asked: list[Case] = []

    def decide(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Outcome]]:
        held: list[Case] = []
        for case in cases:
            self.asked.append(case)
            held.append(case)
            if len(held) == self.window:
                yield self._one(held)
        while held:
            yield self._one(held)

    def _one(self, held: list[Case]) -> tuple[Case, Outcome]:
        case = held.pop(self.rng.randrange(len(held)))
        said = self.say(case)
        if isinstance(said, Verdict):
            return case, said
        if isinstance(said, str):
            return case, Abstention(
                kind=said, subject=case.comparison.id, by=self.name, principle=case.principle.id
            )
        return case, Verdict(p_first=said, judge=self.name, principle=case.principle.id)


class Rates:
    """A judge that tells of one reply alone, the last asked first; a word is an abstention."""

    name = contract = "rates"

    def __init__(self, say: Callable[[Single], float | AbstentionKind]) -> None:
        self.say = say
        self.asked: list[Single] = []

    def rate(self, replies: Iterable[Single]) -> Iterator[tuple[Single, float | Abstention]]:
        self.asked = list(replies)
        for rated in reversed(self.asked):
            said = self.say(rated)
            if isinstance(said, str):
                yield rated, Abstention(kind=said, subject=rated.prompt.id, by=self.name)
            else:
                yield rated, said


class Knows:
    """Answers a principle's `when`; a word is an abstention of that kind."""

    contract = "knows"

    def __init__(self, say: Callable[[Question], bool | AbstentionKind], window: int = 1) -> None:
        self.say, self.window = say, window
        self.asked: list[Question] = []

    def hold(self, questions: Iterable[Question]) -> Iterator[tuple[Question, bool | Abstention]]:
        held: list[Question] = []
        for question in questions:
            self.asked.append(question)
            held.append(question)
            if len(held) == self.window:
                yield self._one(held)
        while held:
            yield self._one(held)

    def _one(self, held: list[Question]) -> tuple[Question, bool | Abstention]:
        question = held.pop()
        said = self.say(question)
        if isinstance(said, str):
            return question, Abstention(kind=said, subject=question.prompt.id, by="knows")
        return question, said


def compare(
    name: str = "x",
    first: str = "One.",
    second: str = "Two.",
    *,
    asks: str | None = None,
    tags: tuple[str, ...] = (),
) -> Comparison:
    """Make a comparison of two texts, under a prompt of its own."""
    prompt = Prompt.of(asks or f"Prompt {name}", tags=tags)
    replies = [
        Response(id=f"{name}/{slot}", prompt_id=prompt.id, text=text, author="p")
        for slot, text in (("first", first), ("second", second))
    ]
    return Comparison(id=name, prompt=prompt, first=replies[0], second=replies[1])
