import datetime
import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.backends.retry import (
    LONGEST,
    asked_wait,
    holds_for_all,
    reset_after,
    retry_after,
    wait_before,
)


def test_a_date_is_read_as_seconds_from_now() -> None:
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=90)
    asked = retry_after({"retry-after": email.utils.format_datetime(later, usegmt=True)})
    assert asked == pytest.approx(90, abs=3)


def test_a_date_gone_by_asks_for_no_wait() -> None:
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0


@given(st.text())
def test_whatever_a_server_writes_is_seconds_or_nothing(said: str) -> None:
    asked = retry_after({"retry-after": said})
    assert asked is None or 0 <= asked < float("inf")


@pytest.mark.parametrize("said", ["-1", "nan", "inf", ""])
def test_a_wait_that_makes_no_sense_is_ignored(said: str) -> None:
    assert retry_after({"retry-after": said}) is None


def test_a_wait_asked_for_is_kept_up_to_a_bound() -> None:
    assert wait_before(0, 0.5, asked=7.0) == 7.0
    assert wait_before(0, 0.5, asked=86_400.0) == LONGEST


@given(st.integers(0, 40))
def test_our_own_waits_grow_and_are_bounded(attempt: int) -> None:
    assert 0 <= wait_before(attempt, 0.5) <= min(0.5 * 2**attempt, 30)


def test_a_date_is_counted_from_the_servers_own_time_whatever_our_clock_says() -> None:
    headers = {
        "Date": "Wed, 21 Oct 2015 07:28:00 GMT",
        "Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT",
    }
    assert retry_after(headers) == 30.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-reset-requests": "6m0s"}, 360.0),
        ({"X-RateLimit-Reset": "1"}, 1.0),
        ({"anthropic-ratelimit-requests-reset": "2015-10-21T07:28:09Z"}, 9.0),
        ({"ratelimit-reset": "1445412485"}, 5.0),
        ({"x-ratelimit-reset-tokens": "soon"}, None),
        ({"x-ratelimit-limit-requests": "60"}, None),
        ({"retry-after": "2", "x-ratelimit-reset-requests": "6m0s"}, 2.0),
    ],
)
def test_a_reset_is_read_as_it_is_written(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait({**headers, "date": "Wed, 21 Oct 2015 07:28:00 GMT"}) == seconds


@given(st.text(), st.text())
def test_whatever_a_reset_says_is_seconds_or_nothing(said: str, date: str) -> None:
    asked = reset_after({"x-ratelimit-reset-tokens": said, "date": date})
    assert asked is None or 0 <= asked < float("inf")


def test_a_wait_of_a_server_that_is_asked_too_much_is_for_all() -> None:
    assert [status for status in (408, 429, 500, 503, 529) if holds_for_all(status)] == [
        429,
        503,
        529,
    ]
