"""Ask only what has not been asked: completions come from the store where they are there."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rlaif.backends.base import Answered, Backend
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

    def __init__(self, backend: Backend, store: CompletionStore, *, kind: str = "") -> None:
        """Put a store before a backend.

        Args:
            backend: who is asked.
            store: where the answers are kept.
            kind: tells a model's answers from those of one with the same name behind another kind
                of backend.
        """
        self.backend = backend
        self.store = store
        self.name = backend.name
        self._identity = f"{kind}:{backend.name}" if kind else backend.name
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

        Raises:
            StorageError: when an answer cannot be kept.
        """
        stream = _Stream(self, iter(requests))
        try:
            yield from stream.answers()
        finally:
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
        self._elsewhere: dict[str, list[_Pulled]] = {}  # asked by others at this moment
        self._forced: set[str] = set()
        self._looked = time.monotonic()

    def answers(self) -> Iterator[Answered]:
        while (pulled := self._next()) is not None:
            kept = self._store.get(pulled.question)
            if kept is None:
                yield from self._ask(pulled)
            else:
                self._through.hits += 1
                yield pulled.request, kept

    def end(self) -> None:
        """Give up what was claimed and not answered; what was answered is written."""
        self._store.release(same[0].question for same in self._waiting.values())
        self._store.flush()

    def _pull(self) -> _Pulled | None:
        if self._again:
            return self._again.popleft()
        if (request := next(self._requests, None)) is None:
            return None
        return _Pulled(request, self._through.question(request))

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
        asked: dict[int, str] = {}
        for request, said in self._through.backend.stream(self._missing(asked)):
            yield from self._give_found()
            same = self._waiting.pop(asked.pop(id(request)))
            self._through.usage += said.usage
            if isinstance(said, Completion):
                self._store.put(same[0].question, said)
            else:
                self._store.release([same[0].question])
            self._through.hits += len(same) - 1
            for twin in same:
                yield twin.request, said
            self._look_elsewhere()
        yield from self._give_found()

    def _missing(self, asked: dict[int, str]) -> Iterator[Request]:
        """Give what is to be asked; `asked` learns the key of each request by its identity."""
        while len(self._found) < _MOST_HELD and (pulled := self._pull()) is not None:
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
        if question.key in self._forced or self._store.claim(question):
            self._waiting[question.key] = [pulled]
            return True
        self._elsewhere[question.key] = [pulled]
        return False

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
            self._through.hits += 1
            yield self._found.popleft()
