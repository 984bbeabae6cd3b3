"""Ask a backend several things about each item, and put the answers together again."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from rlaif.backends.base import Backend
from rlaif.records import Abstention, Completion, Failure, Request
from rlaif.templates import Answer, Read, Unread

Item = TypeVar("Item")
Answers = dict[str, Completion | Failure]


def gather(
    backend: Backend, items: Iterable[Item], ask: Callable[[Item], Mapping[str, Request]]
) -> Iterator[tuple[Item, Answers]]:
    """Ask each item's requests and yield the item when the last of them is answered.

    Lazy on both sides: items are pulled as the backend has room, and nothing waits for the slowest
    of a chunk. Every item asks at least one thing; each comes back exactly once.
    """
    waiting: dict[str, tuple[Item, int, Answers]] = {}

    def requests() -> Iterator[Request]:
        for number, item in enumerate(items):
            asked = ask(item)
            waiting[str(number)] = (item, len(asked), {})
            for slot, request in asked.items():
                yield request.model_copy(update={"id": f"{number} {slot}"})

    for request, answer in backend.stream(requests()):
        number, slot = request.id.split(" ", 1)
        item, count, answers = waiting[number]
        answers[slot] = answer
        if len(answers) == count:
            del waiting[number]
            yield item, answers


def read(answer: Answer, said: Completion | Failure) -> Read | Unread:
    """Read what a backend said; a backend's failure is unread too, with its own kind."""
    if isinstance(said, Failure):
        return Unread(said.kind, said.detail)
    return answer.read(said)


def abstain(unread: Unread, *, subject: str, by: str, principle: str | None = None) -> Abstention:
    """Make an unread answer the abstention that is counted and shown."""
    return Abstention(
        kind=unread.kind, subject=subject, by=by, detail=unread.detail, principle=principle
    )
