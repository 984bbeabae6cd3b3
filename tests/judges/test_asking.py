"""Several questions about each item go out together and come back as one, whatever the order."""

import random
from collections.abc import Iterable, Iterator

from hypothesis import given
from hypothesis import strategies as st

from rlaif.backends.base import Answered
from rlaif.backends.scripted import ScriptedBackend
from rlaif.judges.asking import MoreRoom, Said, abstain, follow_up, gather, read
from rlaif.records import Completion, Failure, Message, Request, Sampling
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
        texts = {
            slot: said.answer.text
            for slot, said in answers.items()
            if isinstance(said.answer, Completion)
        }
        assert all(said.to.messages[0].content == texts[slot] for slot, said in answers.items())
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
    unread = read(Answer(), Said(ask(0)["slot 0"], Failure(kind="timeout", detail="60 s")))
    assert unread == Unread("timeout", "60 s")
    made = abstain(unread, subject="pair", by="judge", principle="kind")
    assert (made.kind, made.subject, made.principle) == ("timeout", "pair", "kind")


def test_the_raw_text_that_could_not_be_read_stays_on_the_abstention() -> None:
    answer = Answer(kind="options", options=("A", "B"))
    text = "<think>A?</think> " + "Both have their merits. " * 50
    unread = read(answer, Said(ask(0)["slot 0"], Completion(text=text, model="m")))
    assert isinstance(unread, Unread)
    made = abstain(unread, subject="pair", by="judge")
    assert made.said == text
    assert len(made.detail) < 300


def one(text: str, name: str = "0", **sampling: int) -> Request:
    messages = (Message(role="user", content=text),)
    return Request(id=name, messages=messages, sampling=Sampling(**sampling))


@given(st.lists(st.integers(0, 4), max_size=30), st.integers(1, 9), st.integers(0, 5))
def test_a_chain_is_followed_to_its_end_and_only_the_end_comes_out(
    lengths: list[int], window: int, seed: int
) -> None:
    backend = Shuffled(seed, window)

    def go_on(request: Request, said: Completion | Failure) -> Request | None:
        assert isinstance(said, Completion)
        left = int(said.text)
        return one(str(left - 1), request.id) if left else None

    begun = (one(str(length), str(number)) for number, length in enumerate(lengths))
    ended = [(request.id, said) for request, said in follow_up(backend, begun, go_on)]
    assert sorted(name for name, _ in ended) == sorted(str(n) for n in range(len(lengths)))
    assert all(isinstance(said, Completion) and said.text == "0" for _, said in ended)
    assert backend.open <= window


def test_what_follows_goes_out_before_what_has_not_begun() -> None:
    asked: list[str] = []

    def say(request: Request) -> str:
        asked.append(request.messages[0].content)
        return ""

    def go_on(request: Request, _: Completion | Failure) -> Request | None:
        text = request.messages[0].content
        return None if text.endswith("!") else one(f"{text}!", request.id)

    list(follow_up(ScriptedBackend(say), (one(t, t) for t in "abc"), go_on))
    assert asked == ["a", "a!", "b", "b!", "c", "c!"]


NOTHING = [
    Completion(text="", model="m"),
    Completion(text="<think>all of it", model="m"),
]


@given(st.sampled_from(NOTHING), st.booleans())
def test_whoever_says_nothing_is_asked_once_more_with_more_room(
    nothing: Completion, recovers: bool
) -> None:
    backend = ScriptedBackend(
        lambda r: "B" if recovers and r.sampling.max_tokens > 100 else nothing
    )
    request = one("A or B?", max_tokens=100)
    [(answered, said)] = MoreRoom(backend).stream([request])
    assert [r.sampling.max_tokens for r in backend.seen] == [100, 2048]
    assert answered == request
    assert said == (Completion(text="B", model="scripted") if recovers else nothing)


def test_an_answer_or_another_failure_is_not_asked_again() -> None:
    for said in (
        "B",
        Failure(kind="timeout"),
        Failure(kind="empty"),
        Completion(text="", model="m", option_logprobs={}),
    ):
        backend = ScriptedBackend(lambda _, said=said: said)
        assert len(list(MoreRoom(backend).stream([one("?")]))) == 1
        assert len(backend.seen) == 1
