import asyncio
import time
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.backends.limits import Bucket, Pace


@given(st.integers(1, 100_000), st.lists(st.floats(0, 5), max_size=200))
def test_no_minute_has_more_than_was_allowed_beside_one_second_of_it(
    per_minute: int, gaps: list[float]
) -> None:
    bucket, now = Bucket(per_minute), 0.0
    sent = []
    for gap in gaps:
        now += gap
        now += bucket.wait(1, now)
        sent.append(now)
    most = per_minute + max(1.0, per_minute / 60)
    for first in sent:
        assert sum(first <= at < first + 60 for at in sent) <= most + 1


def test_a_request_larger_than_the_bucket_goes_out_and_is_paid_for_afterwards() -> None:
    bucket = Bucket(600)  # ten a second
    assert bucket.wait(100, 0.0) == 0.0
    assert bucket.wait(1, 0.0) == pytest.approx(9.1)


def test_what_was_not_spent_is_given_back() -> None:
    bucket = Bucket(600)
    bucket.wait(10, 0.0)
    bucket.settle(5)
    assert bucket.wait(5, 0.0) == 0.0
    assert bucket.wait(1, 0.0) == pytest.approx(0.1)


def test_a_wait_is_everybodys() -> None:
    async def work() -> list[float]:
        pace, loop = Pace(), asyncio.get_running_loop()
        began = loop.time()
        pace.hold(0.2)
        pace.hold(0.05)  # the longest holds

        async def one() -> float:
            await pace.go(1)
            return loop.time() - began

        return list(await asyncio.gather(*(one() for _ in range(5))))

    assert all(waited >= 0.19 for waited in asyncio.run(work()))


def test_a_wait_that_is_asked_for_while_one_waits_counts() -> None:
    async def work() -> float:
        pace, loop = Pace(), asyncio.get_running_loop()
        began = loop.time()
        pace.hold(0.05)
        going = asyncio.create_task(pace.go(1))
        await asyncio.sleep(0.01)
        pace.hold(0.2)
        await going
        return loop.time() - began

    assert asyncio.run(work()) >= 0.2


def test_requests_and_tokens_have_a_limit_each() -> None:
    async def work(pace: Pace, tokens: float, times: int) -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(*(pace.go(tokens) for _ in range(times)))
        return loop.time() - began

    # Two go at once, a second's worth, then two a second.
    assert 0.9 <= asyncio.run(work(Pace(rpm=120), 0, 4)) < 1.4
    assert 0.9 <= asyncio.run(work(Pace(tpm=12_000), 100, 4)) < 1.4


def test_a_clock_that_is_set_changes_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> float:
        pace, began = Pace(rpm=60_000), time.monotonic()
        pace.hold(0.1)
        for jump in (86_400, -86_400):
            monkeypatch.setattr(time, "time", lambda jump=jump: datetime.now().timestamp() + jump)  # noqa: DTZ005
            await pace.go(1)
        return time.monotonic() - began

    assert 0.09 <= asyncio.run(work()) < 1
