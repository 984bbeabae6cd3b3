"""The seam to every model: a backend answers requests, or says why it could not."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, runtime_checkable

from rlaif.records import Completion, Failure, Request, fingerprint_of

Answered = tuple[Request, Completion | Failure]


class Backend(Protocol):
    """Anything that writes completions: a local model, an API, a recording, a script."""

    @property
    def name(self) -> str:
        """The model's identity, as it stands in records and in the store's keys."""
        ...

    def stream(self, requests: Iterable[Request]) -> Iterator[Answered]:
        """Answer lazily, in completion order, each request exactly once.

        Never more in flight than the backend's own limit, so memory does not grow with the data.

        Raises:
            BackendError: when going on is pointless, such as a refused key.
        """
        ...


Keep = Callable[[Request, Completion], None]
"""Takes an answer as it lands; raises a `StorageError` where it cannot, which ends the stream."""


@runtime_checkable
class Keeping(Protocol):
    """A backend whose answers can be kept before another request takes their place.

    So what was asked and is not kept is never more than what may be in flight.
    """

    def stream_kept(self, requests: Iterable[Request], keep: Keep) -> Iterator[Answered]:
        """Answer as `stream` does; each completion is kept first, in whatever thread."""
        ...


def seeded(request: Request, item: str) -> Request:
    """Give a request a seed of its own, so that a resumed run draws what the first would have."""
    seed = int(fingerprint_of(item)[:8], 16)
    return request.model_copy(
        update={"sampling": request.sampling.model_copy(update={"seed": seed})}
    )
