"""Ask only what has not been asked: completions come from the store where they are there."""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator

from rlaif.backends.base import Answered, Backend
from rlaif.records import Completion, Request, Usage
from rlaif.storage import CompletionStore

_MOST_HELD = 1024  # answers found while the backend pulls, which cannot be given out at once


class Cached:
    """A backend behind a store.

    Identical requests in one stream are asked once and answered each. Failures are not kept: a
    rerun asks them again.
    """

    def __init__(self, backend: Backend, store: CompletionStore) -> None:
        """Put a store before a backend."""
        self._backend = backend
        self._store = store
        self.name = backend.name
        self.hits = 0
        """Requests answered without asking."""
        self.asked = 0
        """Requests that the backend was asked."""
        self.usage = Usage()
        """Tokens of what was asked."""

    def stream(self, requests: Iterable[Request]) -> Iterator[Answered]:
        """Answer each request once; what is in the store comes as soon as it is pulled."""
        pending = iter(requests)
        for request in pending:
            kept = self._store.get(self._store.key(self.name, request))
            if kept is None:
                yield from self._ask(itertools.chain([request], pending))
            else:
                self.hits += 1
                yield request, kept

    def _ask(self, requests: Iterator[Request]) -> Iterator[Answered]:
        """Ask what is missing, until the requests end or too many of them were found."""
        found: deque[Answered] = deque()
        waiting: dict[str, list[Request]] = {}

        def missing() -> Iterator[Request]:
            while len(found) < _MOST_HELD and (request := next(requests, None)):
                key = self._store.key(self.name, request)
                if key in waiting:
                    waiting[key].append(request)
                elif (completion := self._store.get(key)) is not None:
                    found.append((request, completion))
                else:
                    waiting[key] = [request]
                    self.asked += 1
                    yield request

        for request, said in self._backend.stream(missing()):
            yield from self._found(found)
            key = self._store.key(self.name, request)
            self.usage += said.usage
            if isinstance(said, Completion):
                self._store.put(key, said)
            same = waiting.pop(key)
            self.hits += len(same) - 1
            for twin in same:
                yield twin, said
        yield from self._found(found)

    def _found(self, found: deque[Answered]) -> Iterator[Answered]:
        while found:
            self.hits += 1
            yield found.popleft()
