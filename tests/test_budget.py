from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.budget import Budget, Meter, Spent, parse_budget
from rlaif.errors import InputError, StorageError
from rlaif.prices import Price
from rlaif.records import Message, Request, Sampling, Usage

DEAR = Price(read=1e6, written=2e6)
"""One dollar a token read, two a token written."""


def request(text: str = "Why?", max_tokens: int = 5) -> Request:
    turns = (Message(role="user", content=text),)
    return Request(id="r", messages=turns, sampling=Sampling(max_tokens=max_tokens))


def test_a_budget_is_read_from_a_command_line() -> None:
    assert parse_budget("usd=0.5,requests=20_000") == Budget(usd=0.5, requests=20000)
    assert parse_budget(None) == Budget()
    with pytest.raises(InputError, match="--budget dollars=5: no such budget"):
        parse_budget("dollars=5")
    for wrong in ("usd=much", "usd=0", "requests=-1", "tokens="):
        with pytest.raises(InputError, match=f"--budget {wrong}: .*expected usd=5"):
            parse_budget(wrong)


def test_what_a_request_may_cost_is_set_aside_until_it_is_known() -> None:
    # 4 bytes and 16 for the turn to read, 5 to write: at most 20 + 10 dollars.
    meter = Meter(Budget(usd=65))
    account = meter.account("m", DEAR)
    first, second = account.reserve(request()), account.reserve(request())
    assert first == second == Spent(requests=1, read=20, written=5, usd=30)
    assert account.reserve(request()) is None
    assert meter.figures().in_flight == 2
    account.settle(first, Usage(read=5, written=1))
    assert meter.figures().spent == Spent(requests=1, read=5, written=1, usd=7)
    assert account.reserve(request()) is None, "7 + 30 + 30 is more than 65"
    account.settle(second, Usage(read=5, written=1))
    assert account.reserve(request())


@pytest.mark.parametrize("budget", [Budget(requests=2), Budget(tokens=74), Budget(usd=89)])
def test_each_kind_of_budget_holds(budget: Budget) -> None:
    account = Meter(budget).account("m", DEAR)
    assert account.reserve(request())
    assert account.reserve(request())
    assert account.reserve(request()) is None


def test_what_was_spent_is_gone_on_from_and_what_was_in_flight_counts(tmp_path: Path) -> None:
    path = tmp_path / "spent.json"
    meter = Meter(Budget(requests=3), path)
    account = meter.account("m", DEAR)
    first = account.reserve(request())
    assert first
    account.settle(first, Usage(read=1))
    assert account.reserve(request())
    meter._written = 0.0
    meter.write()  # and then it is killed
    again = Meter(Budget(requests=3), path)
    assert again.figures().spent == Spent(), "what this process has spent"
    account = again.account("m", DEAR)
    assert account.reserve(request())
    assert account.reserve(request()) is None


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Meter]:
    """Make the meter of one of two processes that do a run of ten requests together."""

    def numbered(rank: int) -> Meter:
        for name, value in (("MASTER_ADDR", "here"), ("WORLD_SIZE", "2"), ("RANK", str(rank))):
            monkeypatch.setenv(name, value)
        return Meter(Budget(requests=10), tmp_path / "spent.json")

    return numbered


def test_processes_of_one_run_spend_one_budget(
    process: Callable[[int], Meter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meters = [process(0), process(1)]
    accounts = [meter.account("m") for meter in meters]
    # The first labels alone for a while, and may spend more than a half.
    turns = [0] * 7 + [1, 0, 1, 1, 0, 1]
    found = [(accounts[turn], accounts[turn].reserve(request())) for turn in turns]
    assert [most is not None for _, most in found] == [True] * 10 + [False] * 3
    for account, most in found:
        if most:
            account.settle(most, Usage(read=1))
    for meter in meters:
        meter.close()
    assert {path.name for path in tmp_path.glob("spent*")} == {"spent.json", "spent-1.json"}
    assert [meter.everyones().requests for meter in meters] == [10, 10]
    # One process that goes on, with more to spend, knows what both have spent.
    monkeypatch.delenv("MASTER_ADDR")
    again = Meter(Budget(requests=11), tmp_path / "spent.json")
    assert (again.total.requests, again.total.read) == (10, 10)
    account = again.account("m")
    assert [account.reserve(request()) is None for _ in range(2)] == [False, True]


def test_what_another_process_had_in_flight_when_it_died_counts(
    process: Callable[[int], Meter],
) -> None:
    dead = process(1).account("m")
    assert all(dead.reserve(request()) for _ in range(9))
    first = process(0).account("m")
    assert [first.reserve(request()) is None for _ in range(2)] == [False, True]
    assert process(1).account("m").reserve(request()) is None


def test_a_request_that_is_given_up_counts_as_it_was_reserved() -> None:
    meter = Meter()
    account = meter.account("m", DEAR)
    most = account.reserve(request())
    assert most
    account.abandon(most)
    assert meter.figures().spent == most
    assert meter.figures().in_flight == 0


def test_a_model_without_a_price_is_named_and_its_money_is_unknown() -> None:
    meter = Meter(Budget(requests=5))
    account = meter.account("smollm2", None)
    most = account.reserve(request())
    assert most
    account.settle(most, Usage(read=3))
    figures = meter.figures()
    assert figures.unpriced == ("smollm2",)
    assert figures.spent.dollars is None
    with pytest.raises(InputError, match=r"smollm2: price unknown.*add it to prices.yaml"):
        Meter(Budget(usd=5)).account("smollm2", None)


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "spent.json").write_text("{", encoding="utf-8")
    with pytest.raises(StorageError, match=r"spent.json: damaged; mend it, or delete it"):
        Meter(path=tmp_path / "spent.json")


def test_that_it_is_spent_is_said_with_the_figures() -> None:
    meter = Meter(Budget(requests=1, usd=40))
    account = meter.account("m", DEAR)
    most = account.reserve(request())
    assert most
    account.settle(most, Usage(read=20, written=5))
    assert str(meter.over()).startswith(
        "the budget is spent: $30.0000 of $40, 1 of 1 requests, and the next request may take more"
    )
    assert meter.over().exit_code == 3


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5), st.booleans()), max_size=40),
    st.floats(1, 500),
)
def test_whatever_is_settled_or_given_up_no_budget_is_passed(
    answers: list[tuple[int, int, bool]], usd: float
) -> None:
    """An answer takes no more than a request can, so what is spent stays within the budget."""
    meter = Meter(Budget(usd=usd))
    account = meter.account("m", DEAR)
    open_: list[tuple[Spent, tuple[int, int, bool]]] = []
    for answer in answers:
        if most := account.reserve(request()):
            open_.append((most, answer))
        elif open_:
            first, (read, written, is_given_up) = open_.pop(0)
            if is_given_up:
                account.abandon(first)
            else:
                account.settle(first, Usage(read=read, written=written))
        assert meter.figures().spent.usd <= usd + 1e-9
    for first, (read, written, _) in open_:
        account.settle(first, Usage(read=read, written=written))
    assert meter.figures().spent.usd <= usd + 1e-9
    assert meter.figures().in_flight == 0
