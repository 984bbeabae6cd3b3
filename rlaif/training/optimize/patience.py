"""A judge that is gone is waited for, and somebody is told."""

import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from rlaif.errors import BackendError, OutageError, RefusedError
from rlaif.training.config import Say

_FIRST_WAIT, _LAST_WAIT = 1.0, 30.0
"""Seconds until a judge that is gone is asked again, at first and at last."""
Said = TypeVar("Said")


class Patience(NamedTuple):
    """For how many seconds a judge that has gone away is asked again."""

    seconds: float = 0.0
    say: Say = lambda _: None

    def ask(self, ask: Callable[[], Said]) -> Said:
        """Ask, and ask again while there is time; say so, once, and when it is back.

        Raises:
            RefusedError: at once.
            OutageError: when it stays away.
        """
        until = time.monotonic() + self.seconds
        wait, is_waiting = _FIRST_WAIT, False
        while True:
            try:
                said = ask()
            except RefusedError:
                raise
            except BackendError as error:
                if time.monotonic() + wait > until:
                    raise OutageError(f"{error}; what is learned so far is kept") from None
                if not is_waiting:
                    self.say(f"{error}; it is asked again for up to {self.seconds:,.0f} s")
                is_waiting = True
                time.sleep(wait)
                wait = min(2 * wait, _LAST_WAIT)
            else:
                if is_waiting:
                    self.say("it answers again")
                return said


NONE = Patience()
"""Ask once."""
