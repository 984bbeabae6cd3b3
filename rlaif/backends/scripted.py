"""A backend that says what a function says: the public fake, for tests and notebooks."""

from collections.abc import Callable, Iterable, Iterator

from rlaif.backends.base import Answered
from rlaif.records import Completion, Failure, Request

Script = Callable[[Request], str | Completion | Failure]


class ScriptedBackend:
    """Answers each request with what the script makes of it; a text is a completion.

    >>> backend = ScriptedBackend(lambda request: request.messages[-1].content.upper())
    >>> from rlaif.records import Message
    >>> asked = Request(id="1", messages=(Message(role="user", content="hi"),))
    >>> [(_, said)] = backend.stream([asked])
    >>> said.text
    'HI'
    """

    def __init__(self, script: Script, *, name: str = "scripted") -> None:
        """Answer by a function; `seen` keeps every request in order."""
        self._script = script
        self.name = name
        self.seen: list[Request] = []

    def stream(self, requests: Iterable[Request]) -> Iterator[Answered]:
        """Answer one request at a time."""
        for request in requests:
            self.seen.append(request)
            said = self._script(request)
            yield request, Completion(text=said, model=self.name) if isinstance(said, str) else said
