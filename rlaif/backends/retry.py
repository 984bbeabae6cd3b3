"""When to ask a server again, and after how long."""

import datetime
import email.utils
import random
import re
from collections.abc import Mapping

LONGEST = 300.0
"""Seconds: no wait is longer, whatever a server asks for."""
_LONGEST_OWN = 30.0
_AGAIN = frozenset({408, 409, 425, 429})
TOO_MANY = frozenset({429, 529})
"""Statuses by which a server says that it is asked too much at once."""
_POOLED = TOO_MANY | {503}
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_RESETS = re.compile(r"(\w+-)?ratelimit-([\w-]+-)?reset(-[\w-]+)?")


def is_worth_retrying(status: int) -> bool:
    """Say whether the same request may succeed later.

    >>> is_worth_retrying(429), is_worth_retrying(503), is_worth_retrying(400)
    (True, True, False)
    """
    return status in _AGAIN or status >= 500


def holds_for_all(status: int) -> bool:
    """Say whether a wait that comes with a status is asked of every request, not of one."""
    return status in _POOLED


def wait_before(attempt: int, first: float, asked: float | None = None) -> float:
    """Give the seconds to wait after a failed attempt, counted from 0.

    What the server asked for, else a draw between nothing and a bound that doubles each time, so
    that requests which failed together do not come back together.
    """
    if asked is not None:
        return min(asked, LONGEST)
    return random.uniform(0, min(first * 2 ** min(attempt, 32), _LONGEST_OWN))


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Read the seconds that a server asks to wait: `Retry-After`, else when a limit is reset."""
    asked = retry_after(headers)
    return reset_after(headers) if asked is None else asked


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read the seconds of `Retry-After`: a number or a date; None where it does not say.

    >>> retry_after({"retry-after": "2"}), retry_after({"retry-after": "soon"}), retry_after({})
    (2.0, None, None)
    >>> retry_after({"retry-after-ms": "1500", "retry-after": "2"})
    1.5
    """
    low = _lowered(headers)
    exact = _number(low.get("retry-after-ms", ""))
    if _is_wait(exact):
        return exact / 1000
    said = low.get("retry-after", "").strip()
    seconds = _number(said)
    if seconds != seconds:
        seconds = _seconds_until(said, low.get("date"))
    return seconds if _is_wait(seconds) else None


def reset_after(headers: Mapping[str, str]) -> float | None:
    """Read when the limit that is used up is reset: `x-ratelimit-reset-*` and its like.

    Of several limits, the last to be reset of those with nothing left; where none says what is
    left, the first.

    >>> reset_after({"x-ratelimit-reset-requests": "1m2.5s", "x-ratelimit-reset-tokens": "6ms"})
    0.006
    >>> reset_after({"x-ratelimit-reset-tokens": "6ms", "x-ratelimit-reset-requests": "2s",
    ...              "x-ratelimit-remaining-requests": "0"})
    2.0
    """
    low = _lowered(headers)
    spent: list[float] = []
    others: list[float] = []
    for name, said in low.items():
        if _RESETS.fullmatch(name):
            seconds = _duration(said.strip(), low.get("date"))
            if _is_wait(seconds):
                left = low.get(name.replace("reset", "remaining"), "").strip()
                (spent if left == "0" else others).append(seconds)
    if spent:
        return max(spent)
    return min(others) if others else None


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): said for name, said in headers.items()}


def _is_wait(seconds: float) -> bool:
    # Also false for "nan", which is a number to Python.
    return 0 <= seconds < float("inf")


def _number(said: str) -> float:
    try:
        return float(said)
    except ValueError:
        return float("nan")


def _duration(said: str, now: str | None) -> float:
    """Read `1m2.5s`, seconds, seconds since 1970, or a date, as seconds from now."""
    parts = re.findall(r"([\d.]+)(ms|s|m|h|d)", said)
    if parts and "".join(number + unit for number, unit in parts) == said:
        return sum(_number(number) * _UNITS[unit] for number, unit in parts)
    seconds = _number(said)
    if seconds > 1e9:
        return max(0.0, seconds - _now(now).timestamp())
    return _seconds_until(said, now) if seconds != seconds else seconds


def _seconds_until(date: str, now: str | None = None) -> float:
    then = _date(date)
    return max(0.0, (then - _now(now)).total_seconds()) if then else float("nan")


def _now(said: str | None) -> datetime.datetime:
    """Give the server's own time where it says it, so that no clock of ours matters."""
    return (_date(said) if said else None) or datetime.datetime.now(datetime.UTC)


def _date(said: str) -> datetime.datetime | None:
    for read in (email.utils.parsedate_to_datetime, datetime.datetime.fromisoformat):
        try:
            date = read(said)
        except (ValueError, OverflowError):
            continue
        return date if date.tzinfo else date.replace(tzinfo=datetime.UTC)
    return None
