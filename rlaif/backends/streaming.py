"""A window between two threads: who asks pulls and gives out, the loop's thread answers."""

import asyncio
import contextlib
import queue
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import NamedTuple

from rlaif.backends.base import Answered, Keep
from rlaif.backends.loop import background
from rlaif.errors import BackendError, StorageError
from rlaif.records import Request

Group = tuple[Request, ...]
"""Requests that go out as one."""
_AHEAD = 4  # one in so many is pulled ahead, so that a free slot need not wait for it
_LINGER = 0.02  # seconds that an answer may wait for others, while there is enough pulled ahead
_GRACE = 10.0  # seconds in which what is in flight may still land, when the run stops


class _Landed(NamedTuple):
    """What came of a group; neither answers nor an error where it was called off."""

    said: Sequence[Answered] = ()
    error: BaseException | None = None
    is_group: bool = True


_MORE = _Landed(is_group=False)  # there is room for another


class Stream:
    """Groups of requests on their way: pulled as there is room, given out as they land.

    In memory are at most twice as many as may be in flight, and a quarter.
    """

    def __init__(
        self,
        answer: Callable[[Group, "Stream"], Awaitable[Sequence[Answered]]],
        groups: Iterator[Group],
        in_flight: int,
        keep: Keep = lambda *_: None,
    ) -> None:
        """Get ready; `answer` runs on the loop, and tells this stream when it waits or sends."""
        self.keep = keep
        self._answer = answer
        self._groups = groups
        self._in_flight = in_flight
        self._ahead = in_flight // _AHEAD
        self._is_drained = False
        self._outstanding = 0
        self._landed: deque[_Landed] = deque()
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._is_rung = False
        self._loop = background()
        # Of the loop's thread alone, from here on.
        self._inbox: deque[Group] = deque()
        self._is_told = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending: set[asyncio.Task[None]] = set()
        self._resting = 0
        self._ringing: asyncio.TimerHandle | None = None
        self._error: BackendError | StorageError | None = None

    def __iter__(self) -> Iterator[Answered]:
        """Give each request's answer once, in the order in which they land."""
        try:
            while True:
                self._pull()
                if not self._outstanding:
                    break
                try:
                    landed = self._next()
                except KeyboardInterrupt:
                    yield from self._rest()
                    raise
                if landed is None:
                    break
                self._outstanding -= landed.is_group
                if landed.error:
                    raise landed.error
                yield from landed.said
            if self._error:
                raise self._error
        finally:
            self._loop.call_soon_threadsafe(self._call_off)

    def _pull(self) -> None:
        # What has landed goes out before more is pulled, which may take its time.
        while not (self._is_drained or self._error or self._landed) and self._has_room():
            group = next(self._groups, None)
            if group is None:
                self._is_drained = True
                return
            self._outstanding += 1
            self._inbox.append(group)
            if not self._is_told:
                self._is_told = True
                self._loop.call_soon_threadsafe(self._take_in)

    def _has_room(self) -> bool:
        # Those that wait to be asked again need no slot, so others go meanwhile.
        resting = min(self._resting, self._in_flight)
        return self._outstanding < self._in_flight + self._ahead + resting

    def _next(self) -> _Landed | None:
        """Wait for what lands next; None where the run stops and nothing does any more."""
        while not self._landed:
            try:
                self._bell.get(timeout=_GRACE if self._error else None)
            except queue.Empty:
                return None
            self._is_rung = False  # before a look at what has landed, so that none is missed
        return self._landed.popleft()

    def _rest(self) -> Iterator[Answered]:
        """Give out what has landed already: it is paid for."""
        while self._landed:
            yield from self._landed.popleft().said

    # On the loop's thread:

    def _take_in(self) -> None:
        self._is_told = False
        while self._inbox:
            task = self._loop.create_task(self._work(self._inbox.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._land)

    async def _work(self, group: Group) -> None:
        try:
            said = await self._answer(group, self)
        except (BackendError, StorageError) as error:
            self._stop(error)
            said = ()
        self._hand_over(_Landed(said))

    def _hand_over(self, landed: _Landed) -> None:
        """Wake who asks, unless enough is pulled ahead: a wake costs as much as a small answer."""
        self._landed.append(landed)
        # But this one, and the one that takes its slot.
        waiting = len(self._tasks) - len(self._sending) - self._resting - 2
        if self._is_drained or self._error or waiting <= self._ahead // 2:
            self._ring()
        elif self._ringing is None:
            self._ringing = self._loop.call_later(_LINGER, self._ring)

    def _ring(self) -> None:
        if self._ringing:
            self._ringing.cancel()
            self._ringing = None
        if not self._is_rung:
            self._is_rung = True
            self._bell.put(None)

    def _land(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            self._landed.append(_Landed())
            self._ring()
        elif error := task.exception():
            self._landed.append(_Landed(error=error))
            self._ring()

    def _stop(self, error: BackendError | StorageError) -> None:
        """Send nothing more; what has been sent may land, since it is paid for."""
        if self._error is None:
            self._error = error
            for task in self._tasks - self._sending - {asyncio.current_task()}:
                task.cancel()

    def _call_off(self) -> None:
        self._inbox.clear()
        for task in self._tasks:
            task.cancel()

    @property
    def is_stopped(self) -> bool:
        """Whether nothing may be sent any more."""
        return self._error is not None

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """Mark the time in which a request is with the server."""
        task = asyncio.current_task()
        assert task is not None
        self._sending.add(task)
        try:
            yield
        finally:
            self._sending.discard(task)

    @contextlib.contextmanager
    def resting(self) -> Iterator[None]:
        """Mark the time in which a request waits to be asked again, without a slot."""
        self._resting += 1
        self._landed.append(_MORE)
        self._ring()
        try:
            yield
        finally:
            self._resting -= 1
