"""When to ask a server again, and after how long."""

import datetime
import email.utils
import random
from collections.abc import Mapping

LONGEST = 300.0
"""Seconds: no wait is longer, whatever a server asks for."""
_LONGEST_OWN = 30.0
_AGAIN = frozenset({408, 409, 425, 429})


def is_worth_retrying(status: int) -> bool:
    """Say whether the same request may succeed later.

    >>> is_worth_retrying(429), is_worth_retrying(503), is_worth_retrying(400)
    (True, True, False)
    """
    return status in _AGAIN or status >= 500


def wait_before(attempt: int, first: float, asked: float | None = None) -> float:
    """Give the seconds to wait after a failed attempt, counted from 0.

    What the server asked for, else a draw between nothing and a bound that doubles each time, so
    that requests which failed together do not come back together.
    """
    if asked is not None:
        return min(asked, LONGEST)
    return random.uniform(0, min(first * 2**attempt, _LONGEST_OWN))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read the seconds that a server asks to wait: a number or a date; None where it does not say.

    >>> retry_after({"retry-after": "2"}), retry_after({"retry-after": "soon"}), retry_after({})
    (2.0, None, None)
    """
    said = headers.get("retry-after", "").strip()
    try:
        seconds = float(said)
    except ValueError:
        seconds = _seconds_until(said)
    # Also false for "nan", which is a number to Python.
    return seconds if 0 <= seconds < float("inf") else None


def _seconds_until(date: str) -> float:
    try:
        then = email.utils.parsedate_to_datetime(date)
    except ValueError:
        return float("nan")
    if then.tzinfo is None:
        then = then.replace(tzinfo=datetime.UTC)
    return max(0.0, (then - datetime.datetime.now(datetime.UTC)).total_seconds())
