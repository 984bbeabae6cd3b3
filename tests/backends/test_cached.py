import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlaif.backends.base import Answered
from rlaif.backends.cached import Cached
from rlaif.backends.scripted import Script, ScriptedBackend
from rlaif.budget import Budget, Meter
from rlaif.errors import BudgetError
from rlaif.records import Completion, Failure, Message, Request, Usage
from rlaif.store import CompletionStore


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


class Slow(ScriptedBackend):
    """Holds a few requests open at a time, each for a moment."""

    def stream(self, requests):  # type: ignore[no-untyped-def]
        pending = iter(requests)
        while pulled := list(itertools.islice(pending, 4)):
            time.sleep(0.01)
            yield from super().stream(pulled)


def side_by_side(path: Path, scripts: list[Script], names: list[str]) -> list[list[str]]:
    """Answer the same requests in a thread for each script, each with its own view of one store.

    Gives what each backend was asked.
    """
    backends = [Slow(script) for script in scripts]
    answered: list[list[str]] = [[] for _ in scripts]

    def work(number: int) -> None:
        store = CompletionStore(path)
        asked = [request(name, str(n)) for n, name in enumerate(names)]
        answered[number] += texts(Cached(backends[number], store).stream(asked))
        store.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(scripts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(sorted(said) == sorted(names) for said in answered)
    return [[asked.messages[0].content for asked in backend.seen] for backend in backends]


def test_what_one_asks_another_waits_for_and_both_get_on_with_the_rest(tmp_path: Path) -> None:
    names = [str(number) for number in range(60)]
    asked = side_by_side(tmp_path / "s", [echo, echo], names)
    assert sorted(asked[0] + asked[1]) == sorted(names)
    assert min(map(len, asked)) > 5, "the work is shared"


def test_what_another_fails_at_is_asked_here(tmp_path: Path) -> None:
    asked, goes_on = threading.Event(), threading.Event()

    def fails_late(_: Request) -> Failure:
        asked.set()
        assert goes_on.wait(30)
        return Failure(kind="backend")

    def fail() -> None:
        store = CompletionStore(tmp_path / "s")
        list(Cached(ScriptedBackend(fails_late), store).stream([request("a")]))
        store.close()

    thread = threading.Thread(target=fail)
    thread.start()
    assert asked.wait(30)
    store, mine = CompletionStore(tmp_path / "s"), ScriptedBackend(echo)
    answers = Cached(mine, store).stream([request("a"), request("b")])
    assert texts(itertools.islice(answers, 1)) == ["b"]
    goes_on.set()
    assert texts(answers) == ["a"]
    thread.join()
    store.close()


def test_what_another_never_answers_is_asked_here_in_the_end(
    store: CompletionStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rlaif.backends.cached._PATIENCE", 0.1)
    other = CompletionStore(tmp_path / "store.sqlite")
    cached = Cached(ScriptedBackend(echo), store)
    assert other.claim(cached.question(request("a")))
    assert texts(cached.stream([request("a"), request("b")])) == ["b", "a"]
    other.close()


def test_a_stream_within_a_stream_that_asks_the_same_does_not_wait_for_it(
    store: CompletionStore,
) -> None:
    inner, outer = ScriptedBackend(echo), TwoAtOnce(echo)

    def requests() -> Iterator[Request]:
        yield request("a", "1")
        # The first is open while this is asked, and it cannot be answered before.
        assert texts(Cached(inner, store).stream([request("a")])) == ["a"]
        yield request("b", "2")

    assert sorted(texts(Cached(outer, store).stream(requests()))) == ["a", "b"]


def test_a_stream_that_is_given_up_gives_its_claims_up(
    store: CompletionStore, tmp_path: Path
) -> None:
    answers = Cached(TwoAtOnce(echo), store).stream([request("a"), request("b"), request("c")])
    next(answers)
    other = CompletionStore(tmp_path / "store.sqlite")
    cached = Cached(ScriptedBackend(echo), other)
    assert not other.claim(cached.question(request("a")))
    answers.close()
    assert other.claim(cached.question(request("a")))
    assert other.get(cached.question(request("b"))) == echo(request("b"))
    other.close()


def test_kinds_of_backends_do_not_answer_for_each_other(store: CompletionStore) -> None:
    list(Cached(ScriptedBackend(echo), store, kind="local").stream([request("a")]))
    served = ScriptedBackend(echo)
    list(Cached(served, store, kind="openai").stream([request("a")]))
    assert len(served.seen) == 1


def paid_from(meter: Meter, backend: ScriptedBackend, store: CompletionStore) -> Cached:
    return Cached(backend, store, account=meter.account(backend.name))


def numbers(count: int) -> list[Request]:
    return [request(str(number), str(number)) for number in range(count)]


def test_a_budget_stops_the_stream_after_what_is_in_flight_and_keeps_it(
    store: CompletionStore,
) -> None:
    inner = TwoAtOnce(echo)
    meter = Meter(Budget(requests=5))
    said: list[Answered] = []
    with pytest.raises(BudgetError, match="5 of 5 requests"):
        said.extend(paid_from(meter, inner, store).stream(numbers(20)))
    assert (len(said), len(inner.seen), len(store)) == (5, 5, 5)
    again = TwoAtOnce(echo)
    cached = paid_from(Meter(Budget(requests=15)), again, store)
    assert len(texts(cached.stream(numbers(20)))) == 20
    assert len(again.seen) == 15


def test_what_is_in_the_store_costs_nothing(store: CompletionStore) -> None:
    list(Cached(ScriptedBackend(echo), store).stream(numbers(9)))
    cached = paid_from(Meter(Budget(requests=1)), ScriptedBackend(echo), store)
    assert len(texts(cached.stream(numbers(10)))) == 10


def test_a_budget_that_is_set_aside_is_waited_for(store: CompletionStore) -> None:
    # A request may take 1 + 16 + 64 tokens and takes 4, so one at a time fits till the end.
    inner = TwoAtOnce(echo)
    cached = paid_from(Meter(Budget(tokens=120)), inner, store)
    assert len(texts(cached.stream(numbers(10)))) == 10


def test_a_spent_budget_upstream_lets_what_is_in_flight_land(store: CompletionStore) -> None:
    meter = Meter(Budget(requests=6))
    first, second = TwoAtOnce(echo), TwoAtOnce(echo)
    inner, outer = paid_from(meter, first, store), paid_from(meter, second, store)

    def led_on() -> Iterator[Request]:
        for asked, _ in inner.stream(numbers(20)):
            yield request(f"about {asked.id}", asked.id)

    said: list[Answered] = []
    with pytest.raises(BudgetError):
        said.extend(outer.stream(led_on()))
    assert len(first.seen) + len(second.seen) == 6
    assert len(said) == len(second.seen) > 0
    assert len(store) == 6
