"""Several questions about each item go out together and come back as one, whatever the order."""

import random
from collections.abc import Iterable, Iterator

from hypothesis import given
from hypothesis import strategies as st

from rlaif.backends.base import Answered
from rlaif.judges.asking import abstain, gather, read
from rlaif.records import Completion, Failure, Message, Request
from rlaif.templates import Answer, Unread


class Shuffled:
    """Answers what it has taken in an order of its own."""

    name = "shuffled"

    def __init__(self, seed: int, window: int) -> None:
        self.rng, self.window, self.open = random.Random(seed), window, 0

    def stream(self, requests: Iterable[Request]) -> Iterator[Answered]:
        held: list[Request] = []
        for request in requests:
            held.append(request)
            self.open = max(self.open, len(held))
            if len(held) >= self.window:
                yield self._one(held)
        while held:
            yield self._one(held)

    def _one(self, held: list[Request]) -> Answered:
        request = held.pop(self.rng.randrange(len(held)))
        return request, Completion(text=request.messages[0].content, model="m")


def ask(item: int) -> dict[str, Request]:
    # Item n asks 1 + n % 3 things; a slot may have blanks in its name.
    return {
        f"slot {slot}": Request(id="", messages=(Message(role="user", content=f"{item}:{slot}"),))
        for slot in range(1 + item % 3)
    }


@given(st.integers(0, 40), st.integers(1, 9), st.integers(0, 5))
def test_each_item_comes_back_once_with_its_own_answers(count: int, window: int, seed: int) -> None:
    backend = Shuffled(seed, window)
    found = dict(gather(backend, range(count), ask))
    assert sorted(found) == list(range(count))
    for item, answers in found.items():
        texts = {slot: said.text for slot, said in answers.items() if isinstance(said, Completion)}
        assert texts == {f"slot {slot}": f"{item}:{slot}" for slot in range(1 + item % 3)}
    assert backend.open <= window


def test_items_are_pulled_only_as_the_backend_has_room() -> None:
    pulled: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            pulled.append(number)
            yield number

    next(gather(Shuffled(0, 4), items(), ask))
    assert len(pulled) <= 8


def test_a_failure_is_unread_with_its_own_kind_and_becomes_an_abstention() -> None:
    unread = read(Answer(), Failure(kind="timeout", detail="60 s"))
    assert unread == Unread("timeout", "60 s")
    made = abstain(unread, subject="pair", by="judge", principle="kind")
    assert (made.kind, made.subject, made.principle) == ("timeout", "pair", "kind")
