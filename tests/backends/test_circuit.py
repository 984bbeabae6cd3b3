import asyncio

import pytest

from rlaif.backends.circuit import Health, Outage
from rlaif.backends.spec import OpenAIModel
from rlaif.errors import BackendError
from rlaif.records import Completion, Failure

SPEC = OpenAIModel(model="m", base_url="http://ann:planted@127.0.0.1:9/v1", patience=0.2)
FINE, BROKEN = Completion(text="A", model="m"), Failure(kind="backend", detail="HTTP 500")
LATE = Failure(kind="timeout", detail="late")
GONE = Failure(kind="backend", detail="gone")
REFUSED = Failure(kind="refused", detail="no")


def stops_after(said: list[Completion | Failure]) -> int | None:
    health = Health(SPEC)
    for number, one in enumerate(said, start=1):
        try:
            health.note(one)
        except BackendError:
            return number
    return None


def test_ten_failures_at_first_and_fifty_in_a_row_later_are_enough() -> None:
    assert stops_after([BROKEN] * 60) == 10
    assert stops_after([FINE, *[BROKEN] * 60]) == 51
    assert stops_after([FINE, *[BROKEN] * 49, FINE, *[BROKEN] * 49]) is None


def test_a_refusal_is_one_requests_own_affair() -> None:
    assert stops_after([REFUSED] * 100) is None
    assert stops_after([*[BROKEN, REFUSED] * 10]) == 19


def test_the_line_names_the_setting_and_no_password() -> None:
    health = Health(SPEC)
    for _ in range(9):
        health.note(BROKEN)
    with pytest.raises(BackendError, match="base_url") as caught:
        health.note(BROKEN)
    assert "planted" not in str(caught.value)
    assert "127.0.0.1:9" in str(caught.value)


def test_a_server_that_has_never_answered_is_not_waited_for() -> None:
    async def work() -> bool:
        outage = Outage(SPEC)
        return True in [outage.silent(GONE) for _ in range(100)]

    assert not asyncio.run(work())


def test_a_server_that_has_answered_is_waited_for_as_long_as_patience_lasts() -> None:
    async def work() -> None:
        outage = Outage(SPEC)
        outage.answered()
        assert [outage.silent(GONE) for _ in range(3)] == [False, False, True]
        await asyncio.sleep(0.21)
        with pytest.raises(BackendError, match="gone; check base_url") as caught:
            outage.silent(GONE)
        assert "planted" not in str(caught.value)

    asyncio.run(work())


def test_one_request_that_takes_too_long_is_no_outage() -> None:
    async def work() -> list[bool]:
        outage = Outage(SPEC)
        outage.answered()
        return [outage.silent(LATE) for _ in range(8)]

    assert asyncio.run(work()) == [False] * 7 + [True]


def test_a_word_from_the_server_ends_it() -> None:
    async def work() -> None:
        outage = Outage(SPEC)
        outage.answered()
        for _ in range(20):
            outage.silent(GONE)
        await asyncio.sleep(0.21)
        outage.answered()
        assert not outage.silent(GONE)

    asyncio.run(work())


def test_one_tries_and_the_others_wait_for_it() -> None:
    async def work() -> tuple[float, float]:
        loop, outage = asyncio.get_running_loop(), Outage(SPEC)
        began = loop.time()

        async def tries() -> float:
            await outage.wait(0.05)
            tried = loop.time() - began
            await asyncio.sleep(0.1)
            outage.answered()
            return tried

        async def waits() -> float:
            await outage.wait(0.0)
            return loop.time() - began

        tried, *waited = await asyncio.gather(tries(), *(waits() for _ in range(5)))
        return tried, min(waited)

    tried, waited = asyncio.run(work())
    assert waited >= tried + 0.09
