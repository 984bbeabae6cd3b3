"""The event loop on which everything waits that is asked over a network: one thread a process."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

try:
    import uvloop
except ImportError:  # there is none for Windows
    uvloop = None  # type: ignore[assignment]

Answer = TypeVar("Answer")

_lock = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}
"""By process: a thread does not live on in a fork."""


def background() -> asyncio.AbstractEventLoop:
    """Give the loop, which runs in a thread of its own; callers stay ordinary functions."""
    with _lock:
        loop = _loops.get(os.getpid())
        if loop is None:
            loop = uvloop.new_event_loop() if uvloop else asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="rlaif waits", daemon=True).start()
            _loops[os.getpid()] = loop
        return loop


def wait_for(work: Coroutine[Any, Any, Answer], seconds: float | None = None) -> Answer:
    """Run work on the loop, from any other thread, and wait for what it gives.

    Raises:
        TimeoutError: after so many seconds.
    """
    return asyncio.run_coroutine_threadsafe(work, background()).result(seconds)
