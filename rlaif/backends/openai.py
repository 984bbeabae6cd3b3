"""A model behind an OpenAI-compatible API: answered as they land, many in flight, each once."""

import itertools
import os
from collections.abc import Iterable, Iterator

from rlaif.backends.base import Answered, Keep
from rlaif.backends.circuit import Health
from rlaif.backends.persisting import Asker, Traffic
from rlaif.backends.posting import Http
from rlaif.backends.spec import OpenAIModel
from rlaif.backends.statuses import Secrets
from rlaif.backends.streaming import Group, Stream
from rlaif.records import Request


class OpenAIBackend:
    """Answers requests over HTTP, at most `in_flight` at a time, in the order they are answered.

    What the server says of its limits holds for all requests: they wait as long as it asks, and
    fewer go out at once after it refused some. Draws of one prompt go out together where the
    model's `n` allows it. A parameter that a model does not take (a reasoning model's temperature)
    is left out from then on; `left_out` names those.
    """

    def __init__(
        self, spec: OpenAIModel, *, name: str | None = None, first_wait: float = 0.5
    ) -> None:
        """Get ready to ask; nothing is sent yet.

        Args:
            spec: the model, and the server.
            name: what the model is called in records; the model's own name where none is given.
            first_wait: the longest wait in seconds after a first failure; doubles each time.

        Raises:
            BackendError: for an address that is none.
        """
        self.name = name or spec.model
        self._spec = spec
        key = os.environ.get(spec.key_env, "").strip()
        self._http = Http(spec.base_url, key)
        secrets = Secrets(key, *self._http.secrets)
        self._asker = Asker(spec, self.name, self._http, secrets, first_wait)

    @property
    def left_out(self) -> set[str]:
        """The parameters that the model does not take."""
        return self._asker.left_out

    @property
    def traffic(self) -> Traffic:
        """What goes on between here and the server: in flight, tries, and those asked again."""
        return self._asker.traffic

    def stream(self, requests: Iterable[Request]) -> Iterator[Answered]:
        """Answer each request once; requests are pulled as others are answered.

        Raises:
            BackendError: when the key, the model or the address is refused, the server is gone
                for too long, or nothing succeeds. What has been answered comes first.
        """
        return self.stream_kept(requests, lambda *_: None)

    def stream_kept(self, requests: Iterable[Request], keep: Keep) -> Iterator[Answered]:
        """Answer as `stream` does; each completion is kept on the loop, before its slot is free."""
        health = Health(self._spec)

        async def answer(group: Group, stream: Stream) -> list[Answered]:
            answered = await self._asker.ask(group, stream)
            for _, said in answered:
                health.note(said)
            return answered

        return iter(Stream(answer, self._grouped(requests), self._spec.in_flight, keep))

    def _grouped(self, requests: Iterable[Request]) -> Iterator[Group]:
        """Put draws of one prompt together that come one after the other."""
        pending = iter(requests)
        kept: list[Request] = []
        while True:
            group = [*kept, *itertools.islice(pending, 1 - len(kept))]
            kept = []
            if not group:
                return
            while _is_draw(group[0]) and len(group) < self._asker.at_once:
                following = next(pending, None)
                if following is None:
                    break
                if _drawn_from(following) != _drawn_from(group[0]):
                    kept = [following]
                    break
                group.append(following)
            yield tuple(group)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _is_draw(request: Request) -> bool:
    return request.sampling.temperature > 0 and not request.options


def _drawn_from(request: Request) -> tuple[object, ...]:
    """Give all of a request but its seed."""
    sampling = request.sampling.model_copy(update={"seed": 0})
    return request.messages, request.opening, request.options, sampling
