import datetime
import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.backends.retry import LONGEST, retry_after, wait_before


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
