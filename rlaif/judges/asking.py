"""Ask a backend several things about each item, and put the answers together again."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from rlaif.answers.answer import Answer, Read, Unread
from rlaif.answers.own import own_words
from rlaif.answers.text import spoken
from rlaif.backends.base import Answered, Backend
from rlaif.fences import shown_in
from rlaif.records import Abstention, Completion, Failure, Request

Item = TypeVar("Item")


class Said(NamedTuple):
    """What a backend said, and to what."""

    to: Request
    answer: Completion | Failure


Answers = dict[str, Said]

_MORE = 8  # times the tokens, for a second try
_ROOM = 2048  # tokens at least, for a second try: what a reasoning model thinks in


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
        answers[slot] = Said(request, answer)
        if len(answers) == count:
            del waiting[number]
            yield item, answers


def follow_up(
    backend: Backend,
    requests: Iterable[Request],
    next_after: Callable[[Request, Completion | Failure], Request | None],
) -> Iterator[Answered]:
    """Stream requests of which some lead to another; yield each chain's last answer.

    One stream for all, so never more is in flight than the backend allows; what follows an answer
    goes out before what has not been begun. `next_after` gives None where a chain ends.
    """
    pending = iter(requests)
    following: deque[Request] = deque()

    def in_turn() -> Iterator[Request]:
        while request := following.popleft() if following else next(pending, None):
            yield request

    is_over = False
    while not is_over:
        for request, said in backend.stream(in_turn()):
            further = next_after(request, said)
            if further is None:
                yield request, said
            else:
                following.append(further)
        # The last answers may lead on after the backend has pulled its last request.
        is_over = not following


class MoreRoom:
    """A backend that is asked once more, with more room, where it said nothing.

    A reasoning model can spend all its tokens on thinking that nobody sees. Requests of one stream
    must have ids of their own, as `gather` gives them.
    """

    def __init__(self, backend: Backend) -> None:
        """Give a backend a second try."""
        self._backend = backend
        self.name = backend.name

    def stream(self, requests: Iterable[Request]) -> Iterator[Answered]:
        """Answer each request once, as it was asked."""
        first: dict[str, Request] = {}

        def second_try(request: Request, said: Completion | Failure) -> Request | None:
            if request.id in first or not _says_nothing(said):
                return None
            first[request.id] = request
            return _with_more_room(request)

        for request, said in follow_up(self._backend, requests, second_try):
            yield first.pop(request.id, request), said


def _says_nothing(said: Completion | Failure) -> bool:
    # A failure, of whatever kind, is what remains after the backend's own attempts.
    if isinstance(said, Failure):
        return False
    return said.option_logprobs is None and not spoken(said.text)


def _with_more_room(request: Request) -> Request:
    more = max(_MORE * request.sampling.max_tokens, _ROOM)
    sampling = request.sampling.model_copy(update={"max_tokens": more})
    return request.model_copy(update={"sampling": sampling})


def read(answer: Answer, said: Said) -> Read | Unread:
    """Read what a backend said; a backend's failure is unread too, with its own kind.

    What an answer repeats of what it was shown is not its verdict.
    """
    if isinstance(said.answer, Failure):
        return Unread(said.answer.kind, said.answer.detail)
    got = answer.read(said.answer)
    if answer.kind == "text" or (isinstance(got, Read) and got.how == "logprobs"):
        return got
    return _in_own_words(answer, said.to, said.answer, got)


def _in_own_words(
    answer: Answer, to: Request, said: Completion, got: Read | Unread
) -> Read | Unread:
    text = spoken(said.text)
    shown = (one for turn in to.messages if turn.role == "user" for one in shown_in(turn.content))
    own = own_words(text, shown)
    if own == text:
        return got
    again = answer.read(said.model_copy(update={"text": own}))
    if isinstance(again, Read):
        return again._replace(text=text)
    if isinstance(got, Unread):
        return got
    return Unread("unreadable", "states no verdict but what it repeats of a reply", said.text)


def abstain(unread: Unread, *, subject: str, by: str, principle: str | None = None) -> Abstention:
    """Make an unread answer the abstention that is counted and shown."""
    return Abstention(
        kind=unread.kind,
        subject=subject,
        by=by,
        detail=unread.detail,
        said=unread.said,
        principle=principle,
    )
