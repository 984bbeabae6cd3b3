"""What may be spent, and what has been: reserved before a request is sent, settled after."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, ValidationError

from rlaif.errors import BudgetError, InputError, StorageError
from rlaif.locks import in_turn
from rlaif.prices import FREE, Price
from rlaif.ranks import is_first, rank, ranks
from rlaif.records import Record, Request, Usage
from rlaif.resources import did_you_mean
from rlaif.storage import write_atomically

FILE = "spent.json"
"""What was spent in a folder is kept under this name."""
_EVERY = 0.2  # seconds between two writings of it; a killed run forgets so much
_TURN = 16  # tokens that a chat template puts around a turn, and more
_EXPECTED = "expected usd=5, requests=20000 or tokens=3000000, with commas between"


class Budget(Record):
    """What may be spent in a run's folder, over all its runs; a hard stop."""

    usd: float | None = Field(default=None, gt=0)
    """US dollars, by prices.yaml."""
    requests: int | None = Field(default=None, ge=1)
    """Requests to models, those on this machine too."""
    tokens: int | None = Field(default=None, ge=1)
    """Tokens read and written."""


_BOUNDLESS = Budget()
_ALONE = nullcontext()


def parse_budget(text: str | None) -> Budget:
    """Read what a command line says may be spent.

    >>> parse_budget("usd=5,requests=20000").requests
    20000

    Raises:
        InputError: for another name, or a value that is no number above 0.
    """
    values: dict[str, str] = {}
    for one in filter(None, (text or "").split(",")):
        name, _, value = one.strip().partition("=")
        if name not in Budget.model_fields:
            near = did_you_mean(name, list(Budget.model_fields))
            raise InputError(f"--budget {one}: no such budget{near}")
        values[name] = value.replace("_", "")
    try:
        return Budget.model_validate(values)
    except ValidationError as error:
        what = error.errors()[0]["msg"].replace("Input should", "should")
        raise InputError(f"--budget {text}: {what}; {_EXPECTED}") from None


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent."""

    requests: int = 0
    read: int = 0
    written: int = 0
    usd: float = 0.0
    """As far as prices are known."""
    unpriced: int = 0
    """Requests at a price that is not known."""

    @property
    def tokens(self) -> int:
        """Give the tokens read and written."""
        return self.read + self.written

    def __add__(self, other: "Spent") -> "Spent":
        """Count both."""
        return self._with(other, 1)

    def __sub__(self, other: "Spent") -> "Spent":
        """Leave out what is counted elsewhere."""
        return self._with(other, -1)

    def _with(self, other: "Spent", sign: int) -> "Spent":
        return Spent(
            self.requests + sign * other.requests,
            self.read + sign * other.read,
            self.written + sign * other.written,
            # Dollars are no whole numbers, and what is left of them is never below nothing.
            max(0.0, self.usd + sign * other.usd),
            self.unpriced + sign * other.unpriced,
        )

    @property
    def dollars(self) -> float | None:
        """Give the money; None where a part of it is not known."""
        return None if self.unpriced else self.usd


class _Kept(Record):
    """What stands in the file."""

    spent: Spent = Spent()
    open: Spent = Spent()
    """What was in flight when this was written: after a kill it counts as spent."""
    unpriced: tuple[str, ...] = ()
    """Models that were asked and have no known price."""


class Figures(NamedTuple):
    """How a run's requests stand, at one moment."""

    spent: Spent
    """In this process."""
    in_flight: int
    hits: int
    """Answers that were in the store."""
    retries: int
    unpriced: tuple[str, ...]
    """Models without a known price."""


class Meter:
    """Counts what a run spends, in one folder; threads share it.

    Where several processes do one run each writes a file of its own, and reads the others' before
    it sets anything aside.
    """

    def __init__(self, budget: Budget = Budget(), path: Path | None = None) -> None:
        """Begin to count, from what earlier runs have spent.

        Args:
            budget: what may be spent over all runs.
            path: where what was spent is kept; nowhere where none is given.

        Raises:
            StorageError: for a file that somebody damaged.
        """
        self.budget = budget
        self._all = path
        self._path = path if path is None or is_first() else _part(path, str(rank()))
        self._is_shared = path is not None and ranks() > 1 and budget != _BOUNDLESS
        self._lock = threading.Lock()
        kept = _read(self._path) if self._path and self._path.is_file() else _Kept()
        self._before = kept.spent + kept.open
        self._others = self._of_others()
        self._unpriced = dict.fromkeys(kept.unpriced)
        self._now = Spent()
        self._open = Spent()
        self._is_dirty = False
        self._written = 0.0
        self.is_over = False
        """Whether a request was refused, so that nothing more is to be asked."""
        self.hits = 0
        self.retries: list[Callable[[], int]] = []

    def account(
        self, model: str, price: Price | None = FREE, spare: Callable[[int], int] = lambda _: 0
    ) -> "Account":
        """Open a model's account.

        Args:
            model: its name.
            price: what its tokens cost; None where that is not known.
            spare: tokens that it may write beside so many that a request allows, as one does that
                is asked again with more room.

        Raises:
            InputError: when dollars are budgeted and the price is not known.
        """
        if price is None:
            if self.budget.usd is not None:
                raise InputError(
                    f"{model}: price unknown, so that no budget in dollars can hold; add it to "
                    "prices.yaml, or budget requests or tokens"
                )
            self._unpriced[model] = None
        return Account(self, price, spare)

    def fits(self, more: Spent) -> bool:
        """Say whether so much more may be spent, beside what is in flight."""
        budget = self.budget
        if budget == _BOUNDLESS:  # no need to add up
            return True
        all_ = self._others + self._before + self._now + self._open + more
        return (
            (budget.usd is None or all_.usd <= budget.usd)
            and (budget.requests is None or all_.requests <= budget.requests)
            and (budget.tokens is None or all_.tokens <= budget.tokens)
        )

    def reserve(self, most: Spent) -> bool:
        """Set aside what a request may cost at most; false where that is not left."""
        with self._lock, self._in_turn() if self._is_shared else _ALONE:
            if not self.fits(most):
                return False
            self._open += most
            self._is_dirty = True
            if self._is_shared:
                # The others must see it before they set anything aside.
                self._keep()
        self._note()
        return True

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        assert self._all
        with in_turn(self._all.with_name(f".{self._all.stem}.lock")):
            self._others = self._of_others()
            yield

    def _of_others(self) -> Spent:
        """Add up what other processes have spent in the folder, or may be spending."""
        if self._all is None:
            return Spent()
        files = {self._all, *self._all.parent.glob(_part(self._all, "*").name)} - {self._path}
        kept = [_read(file) for file in files if file.is_file()]
        return sum((one.spent + one.open for one in kept), Spent())

    def settle(self, most: Spent, spent: Spent) -> None:
        """Put what a request cost in the place of what was set aside for it."""
        with self._lock:
            self._open -= most
            self._now += spent
            self._is_dirty = True
        self._note()

    def _note(self) -> None:
        if time.monotonic() - self._written >= _EVERY:
            self.write()

    def write(self) -> None:
        """Keep what was spent."""
        if self._path is None or not self._is_dirty:
            return
        with self._lock:
            self._keep()

    def _keep(self) -> None:
        assert self._path
        self._written, self._is_dirty = time.monotonic(), False
        unpriced = tuple(sorted(self._unpriced))
        kept = _Kept(spent=self._before + self._now, open=self._open, unpriced=unpriced)
        write_atomically(self._path, kept.model_dump_json(indent=1) + "\n")

    @property
    def total(self) -> Spent:
        """What was spent, in earlier runs and as far as is known by other processes too."""
        return self._others + self._before + self._now

    def everyones(self) -> Spent:
        """Give what was spent in the folder, as all processes that work there have kept it."""
        return self._of_others() + self._before + self._now

    def figures(self) -> Figures:
        """Say how things stand."""
        with self._lock:
            retries = sum(count() for count in self.retries)
            unpriced = tuple(sorted(self._unpriced))
            return Figures(self._now, self._open.requests, self.hits, retries, unpriced)

    def over(self) -> BudgetError:
        """Say that the budget is spent, and how to go on."""
        total, budget = self.total, self.budget
        told = [f"${total.usd:.4f} of ${budget.usd:g}"] if budget.usd else []
        if budget.requests:
            told.append(f"{total.requests:,} of {budget.requests:,} requests")
        if budget.tokens:
            told.append(f"{total.tokens:,} of {budget.tokens:,} tokens")
        return BudgetError(
            f"the budget is spent: {', '.join(told)}, and the next request may take more than is "
            "left; what is done is kept, raise --budget and run the same command again to go on"
        )

    def close(self) -> None:
        """Keep what was spent, at the end."""
        with suppress(StorageError):  # a full disk, of which the store has told
            self.write()


class Account:
    """One model's part of what is spent."""

    def __init__(self, meter: Meter, price: Price | None, spare: Callable[[int], int]) -> None:
        """Count at a price."""
        self.meter = meter
        self.price = price
        self._spare = spare

    def most(self, request: Request) -> Usage:
        """Give the most tokens that a request can take: no token is shorter than a byte.

        >>> from rlaif.records import Message, Sampling
        >>> turn = Message(role="user", content="Why?")
        >>> why = Request(id="r", messages=(turn,), sampling=Sampling(max_tokens=5))
        >>> Meter().account("m").most(why)
        Usage(read=20, written=5)
        """
        texts = [turn.content for turn in request.messages]
        read = sum(len(text.encode()) for text in [*texts, request.opening]) + _TURN * len(texts)
        allowed = request.sampling.max_tokens
        return Usage(read=read, written=allowed + self._spare(allowed))

    def reserve(self, request: Request) -> Spent | None:
        """Set aside what a request may cost at most; None where so much is not left."""
        most = self._spent(self.most(request))
        return most if self.meter.reserve(most) else None

    def settle(self, most: Spent, usage: Usage) -> None:
        """Say what it has cost."""
        self.meter.settle(most, self._spent(usage))

    def abandon(self, most: Spent) -> None:
        """Give up a request that was sent and whose answer nobody waits for: it may be charged."""
        self.meter.settle(most, most)

    def _spent(self, usage: Usage) -> Spent:
        if self.price is None:
            return Spent(1, usage.read, usage.written, unpriced=1)
        return Spent(1, usage.read, usage.written, self.price.of(usage))


def _part(path: Path, number: str) -> Path:
    """Name the file of a process that is not the first."""
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def _read(path: Path) -> _Kept:
    try:
        return _Kept.model_validate_json(path.read_bytes())
    except ValidationError:
        raise StorageError(
            f"{path}: damaged; mend it, or delete it and what was spent counts from 0"
        ) from None
