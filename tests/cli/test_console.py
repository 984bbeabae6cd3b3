"""What long work tells of itself: all of it in one line, and a last line that adds up."""

import io
import re
import time
from collections import Counter

import pytest
from rich.console import Console

from rlaif.budget import Meter, Spent
from rlaif.cli.console import Shown, end_lines
from rlaif.experiment.progress import tally
from rlaif.prices import Price
from rlaif.records import Message, Request, Sampling, Usage


def asked(number: int) -> Request:
    turns = (Message(role="user", content=f"Question {number}"),)
    return Request(id=str(number), messages=turns, sampling=Sampling(max_tokens=1))


@pytest.fixture
def meter() -> Meter:
    """Forty answers, eight requests in flight, three asked again, two found."""
    meter = Meter()
    account = meter.account("m", Price(read=1.0, written=10.0))
    reserved = [account.reserve(asked(number)) for number in range(48)]
    for most in reserved[:40]:
        assert isinstance(most, Spent)
        account.settle(most, Usage(read=1000, written=50))
    meter.retries.append(lambda: 3)
    meter.hits = 2
    return meter


def test_a_plain_line_tells_everything_where_there_is_no_terminal(
    meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rlaif.cli.console._EVERY", 0.05)
    out = io.StringIO()
    shown = Shown(Console(file=out, width=200))
    shown.follow(Meter())
    shown.begin("label", 100)
    shown.follow(meter)
    counts = Counter({"preferences": 37, "no-mass": 2, "refused": 1})
    shown.advance(0)
    time.sleep(0.02)
    shown.advance(40, tally("preferences", counts))
    until = time.monotonic() + 10
    while "40/100" not in out.getvalue():
        assert time.monotonic() < until
        time.sleep(0.01)
    end_lines()
    line = next(line for line in out.getvalue().splitlines() if "40/100" in line)
    for what in (
        r"\d/s",
        r"s to go",
        r"37 preferences, 3 abstained \(2 no-mass, 1 refused\)",
        r"40 asked, 2 from the store, 8 in flight, 3 retried",
        r"40,000 \+ 2,000 tokens",
        r"\$0\.06",
    ):
        assert re.search(what, line), (what, line)
    assert "\r" not in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_the_last_line_adds_up_to_the_input() -> None:
    out = io.StringIO()
    shown = Shown(Console(file=out, width=200))
    shown.begin("label", 100)
    shown.end(tally("preferences", Counter({"preferences": 90, "same": 4, "backend": 5}), 100))
    numbers = re.search(
        r"(\d+) preferences, (\d+) abstained .*, (\d+) left of (\d+)", out.getvalue()
    )
    assert numbers
    made, aside, left, whole = map(int, numbers.groups())
    assert made + aside + left == whole == 100
