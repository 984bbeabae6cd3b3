"""How many requests are open at once: as many as the server bears."""

import asyncio
from collections import deque

_FEW = 0.3  # a share of refusals that halving would end, were it for too many at once
_AS_BEFORE = 0.6
_LESSON = 0.1  # what one window's answers weigh in what is usual
_RARE = 0.01


class _Answers:
    """What came back from one width of the window."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.all = self.refused = 0

    def count(self, *, is_refusal: bool) -> None:
        self.all += 1
        self.refused += is_refusal

    @property
    def share(self) -> float:
        """How many of them were refusals."""
        return self.refused / self.all if self.all else 0.0


class Window:
    """Slots for open requests: halved when the server is asked too much, grown again by one.

    Halved at most once in a window's worth of answers, since those that were out together are
    refused together. A server that refuses as many at half the window does so for reasons of its
    own (many others ask it, say); there the window goes back to what it was, and is halved again
    only when it refuses twice as many.

    Of one event loop, whose other tasks may not be threads.
    """

    def __init__(self, most: int) -> None:
        """Open at most so many; begin with all of them."""
        self.most = self.limit = most
        self.open = 0
        self.most_open = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._age = 0
        self._now = _Answers(most)
        self._before: _Answers | None = None
        self._wide = most  # before it was halved, once or several times
        self._usual = 0.0  # share of refusals that halving does not end

    async def enter(self) -> int:
        """Wait for a slot; give the window's age, which goes back with the answer."""
        if self.open >= self.limit or self._waiting:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self.leave()  # the slot was given while it was being called off
                raise
        else:
            self._take()
        return self._age

    def leave(self) -> None:
        """Give a slot back."""
        self.open -= 1
        self._let_in()

    def note(self, age: int, *, is_refusal: bool) -> None:
        """Learn from an answer to a request that went out at that age."""
        if age < self._age:
            # It tells of the window as it was, by which the halving will be judged.
            if self._before and age == self._age - 1:
                self._before.count(is_refusal=is_refusal)
            return
        self._now.count(is_refusal=is_refusal)
        is_full = self._now.all >= self.limit
        # The first refusal is enough where none is usual.
        if (is_full or not (self._usual or self._before)) and self._is_unusual():
            self._narrow()
        elif is_full:
            self._go_on()

    def _is_unusual(self) -> bool:
        chance = 1 / self._now.all if self._usual else 0.0
        return self._now.share > 2 * self._usual + chance

    def _narrow(self) -> None:
        """Halve, unless the last halving has not helped."""
        now, before = self._now, self._before
        if before and before.share <= _FEW and now.share >= _AS_BEFORE * before.share:
            self._usual = max(now.share, before.share)
            self._change(self._wide, None)
        else:
            self._wide = self._wide if before else self.limit
            self._change(max(1, self.limit // 2), now)

    def _go_on(self) -> None:
        """Close a window's worth of answers that is no reason to halve: grow by one."""
        self._usual += _LESSON * (self._now.share - self._usual) if self._usual else 0.0
        self._usual = self._usual if self._usual > _RARE else 0.0
        self.limit = min(self.most, self.limit + 1)
        self._now, self._before = _Answers(self.limit), None
        self._let_in()

    def _change(self, limit: int, before: _Answers | None) -> None:
        self.limit, self._before = limit, before
        self._now = _Answers(limit)
        self._age += 1
        self._let_in()

    def _take(self) -> None:
        self.open += 1
        self.most_open = max(self.most_open, self.open)

    def _let_in(self) -> None:
        while self._waiting and self.open < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self._take()
                turn.set_result(None)
