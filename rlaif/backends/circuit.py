"""Whether going on makes sense: a server that is gone for a while, and one that only fails."""

import asyncio
import contextlib

from rlaif.backends.retry import wait_before
from rlaif.backends.spec import OpenAIModel, without_user
from rlaif.errors import BackendError
from rlaif.records import Completion, Failure

_HOPELESS_AT_FIRST = 10  # failures in a row, before anything has succeeded
_HOPELESS = 50
# Tries in a row without a word from a server that has answered before, after which it is gone. One
# request may itself be what takes too long; a connection that fails is the server's affair.
_UNCONNECTED, _LATE = 3, 8
_BETWEEN = 5.0  # seconds at most between two tries of a server that is gone
_TURN = 30.0  # seconds that one waits for another's try
_CHECK = "check base_url and the server"
_ADVICE = {"empty": "allow longer answers by max_tokens, under sampling in the prompt file"}
GATEWAY = frozenset({502, 503, 504})
"""Statuses by which a server's neighbour says that it is gone."""


class Health:
    """Failures in a row, in one stream."""

    def __init__(self, spec: OpenAIModel) -> None:
        """Begin a stream."""
        self._spec = spec
        self._in_a_row = 0
        self._limit = _HOPELESS_AT_FIRST

    def note(self, said: Completion | Failure) -> None:
        """Count a failure, or start anew.

        Raises:
            BackendError: when it is one failure too many.
        """
        if isinstance(said, Completion):
            self._in_a_row, self._limit = 0, _HOPELESS
        elif said.kind != "refused":  # which is this one request's own affair
            self._in_a_row += 1
            if self._in_a_row >= self._limit:
                raise BackendError(
                    f"{self._spec.model}: {self._in_a_row} requests in a row failed at "
                    f"{_where(self._spec)}, the last with: {said.detail}; "
                    f"{_ADVICE.get(said.kind, _CHECK)}"
                )


class Outage:
    """A server that has answered and is gone: one request tries it, the others wait for that one.

    Tries in that time are none of a request's attempts. After `patience` seconds it is over.
    """

    def __init__(self, spec: OpenAIModel) -> None:
        """Begin with a server of which nothing is known."""
        self._spec = spec
        self._has_answered = False
        self._in_a_row = 0
        self._since = 0.0
        self._back: asyncio.Event | None = None
        self._is_tried = False
        self._probes = 0

    def answered(self) -> None:
        """Note a word from the server, whatever it says."""
        self._has_answered = True
        self._in_a_row = self._probes = 0
        if self._back:
            self._back.set()
            self._back = None

    def silent(self, said: Failure) -> bool:
        """Note a try without a word; true while the server is taken to be gone for a while.

        Raises:
            BackendError: when it has been gone for too long.
        """
        now = asyncio.get_running_loop().time()
        if not self._in_a_row:
            self._since = now
        self._in_a_row += 1
        few = self._in_a_row < (_LATE if said.kind == "timeout" else _UNCONNECTED)
        if few or not self._has_answered or not self._spec.patience:
            return False
        if now - self._since >= self._spec.patience:
            raise BackendError(
                f"{self._spec.model}: no answer from {_where(self._spec)} for "
                f"{now - self._since:.0f} s, the last try with: {said.detail}; {_CHECK}, and run "
                "the same command again"
            )
        return True

    async def wait(self, first: float) -> None:
        """Wait for the server's return, or be the one who tries, after ever longer waits."""
        if self._is_tried:
            self._back = self._back or asyncio.Event()
            # Not for ever: the one who tries may be called off with its stream.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._back.wait(), _TURN)
            return
        self._is_tried = True
        try:
            await asyncio.sleep(min(wait_before(self._probes, first), _BETWEEN))
            self._probes += 1
        finally:
            self._is_tried = False


def _where(spec: OpenAIModel) -> str:
    return without_user(spec.base_url) if spec.base_url else "the default base_url"
