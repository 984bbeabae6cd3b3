import asyncio
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.backends.window import Window

Refuses = Callable[[int], bool]
"""Whether a server refuses a request, by how many it would then have."""


async def ask(window: Window, times: int, refuses: Refuses) -> int:
    """Send so many requests, refused ones too; count the refusals."""
    refused = served = 0

    async def one() -> None:
        nonlocal refused, served
        age = await window.enter()
        is_refusal = refuses(served + 1)
        refused += is_refusal
        served += not is_refusal
        await asyncio.sleep(0)
        served -= not is_refusal
        window.leave()
        window.note(age, is_refusal=is_refusal)

    await asyncio.gather(*(one() for _ in range(times)))
    return refused


def after(times: int, refuses: Refuses, most: int = 64) -> tuple[Window, int]:
    window = Window(most)
    return window, asyncio.run(ask(window, times, refuses))


def test_never_more_are_open_than_may_be_and_all_have_their_turn() -> None:
    window, _ = after(500, lambda _: False, most=7)
    assert (window.most_open, window.open, window.limit) == (7, 0, 7)


@given(st.integers(1, 40), st.integers(0, 120), st.floats(0, 1))
def test_every_slot_comes_back(most: int, times: int, chance: float) -> None:
    draw = random.Random(1)
    window, _ = after(times, lambda _: draw.random() < chance, most)
    assert window.open == 0
    assert 1 <= window.limit <= most


def test_a_window_is_halved_once_for_those_that_were_out_together() -> None:
    window = Window(64)
    for _ in range(64):
        window.note(0, is_refusal=True)
    assert window.limit == 32
    for _ in range(32):
        window.note(1, is_refusal=True)
    assert window.limit == 16


def test_a_window_grows_by_one_for_each_window_of_answers_and_no_further() -> None:
    window = Window(8)
    window.note(0, is_refusal=True)
    assert window.limit == 4
    for _ in range(4):
        window.note(1, is_refusal=False)
    assert window.limit == 5
    for _ in range(5):
        window.note(1, is_refusal=False)
    assert window.limit == 6
    for _ in range(100):
        window.note(1, is_refusal=False)
    assert window.limit == 8


@pytest.mark.parametrize("bears", [1, 5, 20])
def test_a_server_that_bears_so_many_is_soon_asked_about_so_many(bears: int) -> None:
    window, refused = after(2000, lambda now: now > bears)
    assert bears // 2 <= window.limit <= bears + 1
    # The first windows, then about one refusal for each time that it grows too far.
    assert refused < 128 + 2000 / bears


def test_refusals_that_halving_does_not_end_leave_the_window_as_it_was() -> None:
    draw = random.Random(3)
    window, _ = after(4000, lambda _: draw.random() < 0.1)
    assert window.limit > 40


def test_a_server_that_refuses_ever_more_is_asked_less_again() -> None:
    draw = random.Random(3)
    window, _ = after(3000, lambda _: draw.random() < 0.1)
    asyncio.run(ask(window, 500, lambda now: now > 4))
    assert window.limit <= 8


def test_a_turn_that_is_called_off_takes_no_slot() -> None:
    async def work() -> Window:
        window = Window(1)
        await window.enter()
        waiting = [asyncio.create_task(window.enter()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        window.leave()
        waiting[1].cancel()  # its turn has come, and it does not know yet
        await asyncio.sleep(0)
        assert await waiting[2] == 0
        window.leave()
        return window

    window = asyncio.run(work())
    assert window.open == 0
