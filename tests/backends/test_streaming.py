import asyncio
import itertools
import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from rlaif.backends.base import Answered
from rlaif.backends.streaming import Group, Stream
from rlaif.errors import BackendError
from rlaif.records import Completion, Message, Request


def request(number: int) -> Request:
    return Request(id=str(number), messages=(Message(role="user", content="Hi"),))


def answered(group: Group) -> list[Answered]:
    return [(one, Completion(text=one.id, model="m")) for one in group]


def groups(count: int | None = None) -> Iterator[Group]:
    numbers = itertools.count() if count is None else range(count)
    return ((request(number),) for number in numbers)


async def at_once(group: Group, _: Stream) -> Sequence[Answered]:
    return answered(group)


def ids(stream: Stream) -> list[str]:
    return [got.id for got, _ in stream]


def test_each_comes_back_once() -> None:
    assert sorted(ids(Stream(at_once, groups(500), 16)), key=int) == [str(n) for n in range(500)]


def test_a_group_comes_back_whole() -> None:
    several = iter([(request(0), request(1)), (request(2),)])
    assert sorted(ids(Stream(at_once, several, 1))) == ["0", "1", "2"]


def test_memory_does_not_grow_with_the_data() -> None:
    pulled = 0

    def counted() -> Iterator[Group]:
        nonlocal pulled
        for group in groups():
            pulled += 1
            yield group

    for number, _ in enumerate(Stream(at_once, counted(), 16), start=1):
        assert pulled <= number + 16 + 4
        if number == 2000:
            break


def test_an_answer_waits_for_company_and_not_for_long() -> None:
    async def only_the_first(group: Group, _: Stream) -> Sequence[Answered]:
        if group[0].id != "0":
            await asyncio.sleep(60)
        return answered(group)

    began = time.monotonic()
    stream = iter(Stream(only_the_first, groups(500), 16))
    assert next(stream)[0].id == "0"
    assert time.monotonic() - began < 5
    del stream  # which calls the others off


def test_those_that_rest_make_room_for_as_many_others() -> None:
    async def rests(group: Group, stream: Stream) -> Sequence[Answered]:
        if int(group[0].id) < 4:
            with stream.resting():
                await asyncio.sleep(0.3)
        return answered(group)

    order = ids(Stream(rests, groups(30), 4))
    assert set(order[-4:]) == {"0", "1", "2", "3"}


def test_an_error_stops_what_waits_and_lets_what_is_sent_land() -> None:
    sent = asyncio.Event()

    async def one(group: Group, stream: Stream) -> Sequence[Answered]:
        if group[0].id == "0":
            with stream.sending():
                sent.set()
                await asyncio.sleep(0.2)
            return answered(group)
        if group[0].id == "1":
            await sent.wait()
            raise BackendError("the key is gone")
        await asyncio.sleep(60)
        return answered(group)

    got: list[str] = []
    with pytest.raises(BackendError, match="the key is gone"):
        got.extend(asked.id for asked, _ in Stream(one, groups(100), 8))
    assert got == ["0"] or not got


def test_what_landed_before_an_error_is_given_out_first() -> None:
    async def one(group: Group, _: Stream) -> Sequence[Answered]:
        if group[0].id == "20":
            raise BackendError("no more")
        return answered(group)

    got: list[str] = []
    with pytest.raises(BackendError):
        got.extend(asked.id for asked, _ in Stream(one, groups(), 4))
    assert [str(n) for n in range(20)] == sorted(set(got) - {"21", "22", "23", "24"}, key=int)


def test_an_error_that_nobody_foresaw_reaches_who_asked() -> None:
    async def one(group: Group, _: Stream) -> Sequence[Answered]:
        raise ZeroDivisionError(group[0].id)

    with pytest.raises(ZeroDivisionError):
        list(Stream(one, groups(3), 2))


def test_closing_it_calls_off_what_is_on_its_way() -> None:
    off = threading.Event()

    async def one(group: Group, _: Stream) -> Sequence[Answered]:
        if group[0].id == "0":
            return answered(group)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            off.set()
            raise
        return answered(group)

    answers = iter(Stream(one, groups(10), 4))
    next(answers)
    answers.close()  # type: ignore[attr-defined]
    assert off.wait(5)


def test_two_streams_at_once_and_one_inside_the_other_keep_apart() -> None:
    def inner() -> Iterator[Group]:
        for number in range(20):
            assert ids(Stream(at_once, groups(3), 2))
            yield (request(number),)

    assert len(ids(Stream(at_once, inner(), 4))) == 20


def test_an_interrupt_gives_out_what_has_landed_and_goes_on_to_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = Stream(at_once, groups(8), 8)
    wait = stream._next

    def interrupted() -> object:
        wait()
        time.sleep(0.1)
        raise KeyboardInterrupt

    monkeypatch.setattr(stream, "_next", interrupted)
    got: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        got.extend(asked.id for asked, _ in stream)
    assert len(got) == 7
