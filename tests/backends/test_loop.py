import asyncio
import os
import threading

import pytest

from rlaif.backends.loop import background, wait_for


async def where() -> tuple[int, asyncio.AbstractEventLoop]:
    return threading.get_ident(), asyncio.get_running_loop()


def test_all_work_runs_on_one_loop_in_one_thread_of_its_own() -> None:
    (one, loop), (other, same) = wait_for(where()), wait_for(where())
    assert one == other != threading.get_ident()
    assert loop is same is background()


def test_an_error_comes_back_to_who_waits() -> None:
    async def fails() -> None:
        raise LookupError("here")

    with pytest.raises(LookupError, match="here"):
        wait_for(fails())


def test_waiting_has_an_end() -> None:
    with pytest.raises(TimeoutError):
        wait_for(asyncio.sleep(30), 0.05)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*")
def test_a_fork_has_a_loop_of_its_own() -> None:
    wait_for(where())
    child = os.fork()
    if not child:
        here = wait_for(where(), 5)[1] is background()
        os._exit(0 if here else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
