"""Ask only what has not been asked: completions come from the store where they are there."""

import contextlib
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rlaif.backends.base import Answered, Backend, Keeping
from rlaif.budget import Account, Meter, Spent
from rlaif.errors import BudgetError, RlaifError, StorageError
from rlaif.records import Completion, Request, Usage
from rlaif.store import CompletionStore, Question

_MOST_HELD = 1024  # answers found while the backend pulls, which cannot be given out at once
_LOOK_AGAIN = 0.05  # seconds between looks at what others are asking
_PATIENCE = 120.0  # seconds without news of what others are asking, after which it is asked here


class Cached:
    """A backend behind a store.

    Identical requests are asked once and answered each: in one stream, among threads, and among
    processes that share the store. Failures are not kept: a rerun asks them again.
    """

    def __init__(
        self,
        backend: Backend,
        store: CompletionStore,
        *,
        kind: str = "",
        account: Account | None = None,
    ) -> None:
        """Put a store before a backend.

        Args:
            backend: who is asked.
            store: where the answers are kept.
            kind: tells a model's answers from those of one with the same name behind another kind
                of backend.
            account: where what is asked is paid from; nothing is counted, nor bounded, without.
        """
        self.backend = backend
        self.store = store
        self.name = backend.name
        self._identity = f"{kind}:{backend.name}" if kind else backend.name
        self.account = account or Meter().account(backend.name)
        if hasattr(backend, "traffic"):
            self.account.meter.retries.append(lambda: int(backend.traffic.retries))
        self.hits = 0
        """Requests answered without asking."""
        self.asked = 0
        """Requests that the backend was asked."""
        self.usage = Usage()
        """Tokens of what was asked."""

    def question(self, request: Request) -> Question:
        """Give what stands for a request in the store."""
        return self.store.question(self._identity, request)

    def stream(self, requests: Iterable[Request]) -> Iterator[Answered]:
        """Answer each request once; what is in the store comes as soon as it is pulled.

        What is in flight when it cannot go on is waited for and given out first.

        Raises:
            BudgetError: when no more may be spent.
            StorageError: when an answer cannot be kept.
        """
        stream = _Stream(self, iter(requests))
        hearing: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
        try:
            yield from stream.answers()
        except GeneratorExit:
            # Who lets go of a stream hears nothing of it but a traceback.
            hearing = contextlib.suppress(StorageError)
            raise
        finally:
            with hearing:
                stream.end()


class _Pulled(NamedTuple):
    """A request and what stands for it in the store."""

    request: Request
    question: Question


class _Stream:
    """One stream of requests on its way through a store and a backend."""

    def __init__(self, through: Cached, requests: Iterator[Request]) -> None:
        self._through = through
        self._store = through.store
        self._requests = requests
        self._again: deque[_Pulled] = deque()  # to be looked at before more is pulled
        self._found: deque[Answered] = deque()
        self._waiting: dict[str, list[_Pulled]] = {}
        self._reserved: dict[str, Spent] = {}
        self._elsewhere: dict[str, list[_Pulled]] = {}  # asked by others at this moment
        self._forced: set[str] = set()
        self._kept: set[str] = set()  # as they landed
        self._looked = time.monotonic()
        self._is_short = False  # what is left of the budget is set aside for what is in flight
        self._error: RlaifError | None = None  # why it cannot go on

    def answers(self) -> Iterator[Answered]:
        while not self._stops() and (pulled := self._next()) is not None:
            kept = self._store.get(pulled.question)
            if kept is None:
                yield from self._ask(pulled)
            else:
                self._hit()
                yield pulled.request, kept
        if self._error:
            self._drain()
            if isinstance(self._error, BudgetError):  # told anew, with what has been settled since
                raise self._through.account.meter.over()
            raise self._error

    def _stops(self) -> bool:
        meter = self._through.account.meter
        if meter.is_over and not self._error:  # as another stream found
            self._error = meter.over()
        return self._error is not None

    def _drain(self) -> None:
        """Let what is in flight land in the streams that this one's requests come from."""
        figures = self._through.account.meter.figures
        with contextlib.suppress(RlaifError):
            while figures().in_flight and next(self._requests, None):
                pass

    def end(self) -> None:
        """Give up what was claimed and not answered; what was answered is written."""
        for most in self._reserved.values():
            self._through.account.abandon(most)
        self._through.account.meter.write()
        self._store.release(same[0].question for same in self._waiting.values())
        self._store.flush()

    def _hit(self, count: int = 1) -> None:
        self._through.hits += count
        self._through.account.meter.hits += count

    def _pull(self) -> _Pulled | None:
        if self._again:
            return self._again.popleft()
        try:
            request = next(self._requests, None)
        except RlaifError as error:
            # Where the requests come from another stream, that one cannot go on. What is in
            # flight here is paid for, so it is waited for.
            self._error = error
            return None
        return _Pulled(request, self._through.question(request)) if request else None

    def _next(self) -> _Pulled | None:
        """Give the next request; where no new one is left, wait for what others are asking."""
        while True:
            if (pulled := self._pull()) is not None or not self._elsewhere:
                return pulled
            self._wait()

    def _wait(self) -> None:
        """Wait until something that others ask is answered, or is to be asked here."""
        since = time.monotonic()
        while not self._again:
            self._store.sweep()
            is_over = time.monotonic() - since > _PATIENCE
            for key, same in list(self._elsewhere.items()):
                if is_over:
                    self._forced.add(key)
                question = same[0].question
                if is_over or self._store.get(question) or self._store.claim(question):
                    self._again += self._elsewhere.pop(key)
            if not self._again:
                time.sleep(_LOOK_AGAIN)

    def _ask(self, first: _Pulled) -> Iterator[Answered]:
        """Ask what is missing, until the requests end or too many of them were found."""
        self._again.appendleft(first)
        self._is_short = False
        asked: dict[int, str] = {}
        for request, said in self._stream(asked):
            yield from self._give_found()
            key = asked.pop(id(request))
            same = self._waiting.pop(key)
            self._through.usage += said.usage
            self._through.account.settle(self._reserved.pop(key), said.usage)
            if not isinstance(said, Completion):
                self._store.release([same[0].question])
            elif key not in self._kept:
                self._store.put(same[0].question, said)
            self._kept.discard(key)
            self._hit(len(same) - 1)
            for twin in same:
                yield twin.request, said
            self._look_elsewhere()
        yield from self._give_found()

    def _stream(self, asked: dict[int, str]) -> Iterator[Answered]:
        backend, missing = self._through.backend, self._missing(asked)
        if not isinstance(backend, Keeping):
            return backend.stream(missing)

        def keep(request: Request, said: Completion) -> None:
            key = asked[id(request)]
            self._store.put(self._waiting[key][0].question, said)
            self._kept.add(key)

        return backend.stream_kept(missing, keep)

    def _missing(self, asked: dict[int, str]) -> Iterator[Request]:
        """Give what is to be asked; `asked` learns the key of each request by its identity."""
        meter = self._through.account.meter
        while not (self._is_short or meter.is_over) and len(self._found) < _MOST_HELD:
            if (pulled := self._pull()) is None:
                return
            if self._is_to_be_asked(pulled):
                self._through.asked += 1
                asked[id(pulled.request)] = pulled.question.key
                yield pulled.request

    def _is_to_be_asked(self, pulled: _Pulled) -> bool:
        request, question = pulled
        for others in (self._waiting, self._elsewhere):
            if question.key in others:
                others[question.key].append(pulled)
                return False
        if (completion := self._store.get(question)) is not None:
            self._found.append((request, completion))
            return False
        if question.key not in self._forced and not self._store.claim(question):
            self._elsewhere[question.key] = [pulled]
            return False
        if (most := self._through.account.reserve(request)) is None:
            self._run_short(pulled)
            return False
        self._waiting[question.key], self._reserved[question.key] = [pulled], most
        return True

    def _run_short(self, pulled: _Pulled) -> None:
        """Wait for what is in flight to be settled, or stop where nothing is."""
        self._store.release([pulled.question])
        self._again.appendleft(pulled)
        self._is_short = True
        if not self._waiting:
            self._through.account.meter.is_over = True

    def _look_elsewhere(self) -> None:
        """Take in what others have answered meanwhile, so that little is put aside for long."""
        if not self._elsewhere or time.monotonic() - self._looked < _LOOK_AGAIN:
            return
        self._looked = time.monotonic()
        for key, same in list(self._elsewhere.items()):
            if (completion := self._store.get(same[0].question)) is not None:
                del self._elsewhere[key]
                self._found += [(each.request, completion) for each in same]

    def _give_found(self) -> Iterator[Answered]:
        while self._found:
            self._hit()
            yield self._found.popleft()
