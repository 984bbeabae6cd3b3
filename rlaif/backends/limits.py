"""How fast requests go out: what the user allows a minute, and what the server asks to wait.

All by the loop's own clock, which nobody sets.
"""

import asyncio

_BURST = 1.0  # seconds' worth that may go out at once


class Bucket:
    """So many a minute, spread over it: a bucket of a second's worth that is filled steadily.

    One that asks for more than the bucket holds goes out when it is full, and those after it wait
    the longer, so no size waits for ever and the rate holds.
    """

    def __init__(self, per_minute: int) -> None:
        """Begin with a full bucket."""
        self._rate = per_minute / 60
        self._most = max(1.0, self._rate * _BURST)
        self._level = self._most
        self._at: float | None = None

    def wait(self, cost: float, now: float) -> float:
        """Take a cost out; give the seconds until it may be spent."""
        if self._at is not None:
            self._level = min(self._most, self._level + (now - self._at) * self._rate)
        self._at = now
        missing = min(cost, self._most) - self._level
        self._level -= cost
        return max(0.0, missing / self._rate)

    def settle(self, difference: float) -> None:
        """Put back what a cost was too high by, or take what it was too low by."""
        self._level = min(self._most, self._level + difference)


class Pace:
    """When the next request may go out."""

    def __init__(self, rpm: int | None = None, tpm: int | None = None) -> None:
        """Allow so many requests and tokens a minute; None allows any number."""
        self._requests = Bucket(rpm) if rpm else None
        self._tokens = Bucket(tpm) if tpm else None
        self._until = 0.0

    def hold(self, seconds: float) -> None:
        """Let nobody out for so many seconds."""
        self._until = max(self._until, asyncio.get_running_loop().time() + seconds)

    async def go(self, tokens: float) -> None:
        """Wait until a request of so many tokens may go out."""
        loop = asyncio.get_running_loop()
        waits = [
            bucket.wait(cost, loop.time())
            for bucket, cost in ((self._requests, 1.0), (self._tokens, tokens))
            if bucket
        ]
        if waits and max(waits) > 0:
            await asyncio.sleep(max(waits))
        # Asked anew after each sleep: more may have been asked meanwhile.
        while (left := self._until - loop.time()) > 0:
            await asyncio.sleep(left)

    def settle(self, expected: float, spent: float) -> None:
        """Say what a request took that was expected to take so many tokens."""
        if self._tokens:
            self._tokens.settle(expected - spent)
