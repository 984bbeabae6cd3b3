import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlaif.backends.base import Answered
from rlaif.backends.cached import Cached
from rlaif.backends.scripted import ScriptedBackend
from rlaif.records import Completion, Failure, Message, Request, Usage
from rlaif.storage import CompletionStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CompletionStore]:
    store = CompletionStore(tmp_path / "store.sqlite")
    yield store
    store.close()


def request(text: str, id: str = "r") -> Request:  # noqa: A002
    return Request(id=id, messages=(Message(role="user", content=text),))


def echo(asked: Request) -> Completion:
    return Completion(text=asked.messages[0].content, model="m", usage=Usage(read=3, written=1))


class TwoAtOnce(ScriptedBackend):
    """Pulls two before it answers, the second one first, as real backends may."""

    def stream(self, requests):  # type: ignore[no-untyped-def]
        pending = iter(requests)
        while pulled := list(itertools.islice(pending, 2)):
            yield from super().stream(reversed(pulled))


def texts(answers: Iterator[Answered]) -> list[str]:
    return [said.text for _, said in answers if isinstance(said, Completion)]


def test_what_was_asked_before_is_not_asked_again(store: CompletionStore) -> None:
    for _ in range(2):
        inner = ScriptedBackend(echo)
        cached = Cached(inner, store)
        assert texts(cached.stream([request("a"), request("b")])) == ["a", "b"]
    assert inner.seen == []
    assert (cached.hits, cached.asked, cached.usage) == (2, 0, Usage())


def test_another_model_is_asked_for_itself(store: CompletionStore) -> None:
    list(Cached(ScriptedBackend(echo, name="one"), store).stream([request("a")]))
    other = ScriptedBackend(echo, name="other")
    list(Cached(other, store).stream([request("a")]))
    assert len(other.seen) == 1


def test_identical_requests_are_asked_once_and_answered_each(store: CompletionStore) -> None:
    inner = TwoAtOnce(echo)
    cached = Cached(inner, store)
    twins = [request("a", "1"), request("a", "2"), request("b", "3"), request("a", "4")]
    answered = list(cached.stream(twins))
    assert sorted(asked.id for asked, _ in answered) == ["1", "2", "3", "4"]
    assert len(inner.seen) == 2
    assert (cached.hits, cached.asked) == (2, 2)
    assert cached.usage == Usage(read=6, written=2)


def test_a_failure_is_not_kept_and_reaches_every_twin(store: CompletionStore) -> None:
    failing = TwoAtOnce(lambda _: Failure(kind="timeout"))
    answered = list(Cached(failing, store).stream([request("a", "1"), request("a", "2")]))
    assert [said for _, said in answered] == [Failure(kind="timeout")] * 2
    assert len(store) == 0
    assert texts(Cached(ScriptedBackend(echo), store).stream([request("a")])) == ["a"]


def test_a_full_store_is_read_lazily(store: CompletionStore) -> None:
    list(Cached(ScriptedBackend(echo), store).stream([request("a")]))
    pulled = itertools.count()

    def endless() -> Iterator[Request]:
        for number in pulled:
            yield request("a", str(number))

    answers = Cached(ScriptedBackend(echo), store).stream(endless())
    assert len(list(itertools.islice(answers, 10))) == 10
    assert next(pulled) == 10


def test_memory_does_not_grow_with_what_is_found(
    store: CompletionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rlaif.backends.cached._MOST_HELD", 5)
    list(Cached(ScriptedBackend(echo), store).stream([request("kept")]))
    pulled = itertools.count()

    def endless() -> Iterator[Request]:
        for number in pulled:
            yield request("new" if number == 0 else "kept", str(number))

    answers = Cached(TwoAtOnce(echo), store).stream(endless())
    next(answers)
    assert next(pulled) <= 7


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    asked=st.lists(st.sampled_from("abcdefgh"), max_size=30),
    failing=st.sets(st.sampled_from("abcdefgh")),
    most_held=st.integers(1, 4),
)
def test_each_request_comes_back_exactly_once(
    tmp_path: Path, asked: list[str], failing: set[str], most_held: int
) -> None:
    def script(one: Request) -> Completion | Failure:
        return Failure(kind="backend") if one.messages[0].content in failing else echo(one)

    store = CompletionStore(tmp_path / "shared.sqlite")
    requests = [request(text, str(number)) for number, text in enumerate(asked)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rlaif.backends.cached._MOST_HELD", most_held)
        answered = list(Cached(TwoAtOnce(script), store).stream(requests))
    store.close()
    assert sorted(int(got.id) for got, _ in answered) == list(range(len(asked)))
    for got, said in answered:
        text = got.messages[0].content
        # What is in the store from an earlier example may be answered although it would fail now.
        assert isinstance(said, Failure) or said.text == text
        assert isinstance(said, Completion) or text in failing


def test_what_a_failure_cost_is_counted(store: CompletionStore) -> None:
    spent = Failure(kind="empty", usage=Usage(read=3, written=300))
    cached = Cached(ScriptedBackend(lambda _: spent), store)
    list(cached.stream([request("a"), request("b")]))
    assert cached.usage == Usage(read=6, written=600)
