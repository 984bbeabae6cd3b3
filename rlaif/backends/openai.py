"""A model behind an OpenAI-compatible API: a window of open requests, and retries of our own."""

import asyncio
import os
import queue
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from typing import Any

import openai

from rlaif.backends.base import Answered
from rlaif.backends.chat import NoCompletionError, body_of, completion_of, with_more_room
from rlaif.backends.retry import is_worth_retrying, retry_after, wait_before
from rlaif.backends.spec import OpenAIModel
from rlaif.errors import BackendError
from rlaif.records import Completion, Failure, Request

_HOPELESS_AT_FIRST = 10  # failures in a row, before anything has succeeded
_HOPELESS = 50
_FILTERED = frozenset({"content_filter", "content_policy_violation"})
_CHECK = "check base_url and the server"
_ADVICE = {"empty": "allow longer answers by max_tokens, under sampling in the prompt file"}
_NO_MONEY = "insufficient_quota"
_OPTIONAL = frozenset(
    {"temperature", "top_p", "max_tokens", "seed", "stop", "logprobs", "top_logprobs"}
)


class OpenAIBackend:
    """Answers requests over HTTP, at most `in_flight` at a time, in the order they are answered.

    A parameter that a model does not take (a reasoning model's temperature) is left out from then
    on; `left_out` names those.
    """

    def __init__(
        self, spec: OpenAIModel, *, name: str | None = None, first_wait: float = 0.5
    ) -> None:
        """Get ready to ask; nothing is sent yet.

        Args:
            spec: the model, and the server.
            name: what the model is called in records; the model's own name where none is given.
            first_wait: the longest wait in seconds after a first failure; doubles each time.
        """
        self.name = name or spec.model
        self.left_out: set[str] = set()
        self._spec = spec
        self._first_wait = first_wait
        self._key = os.environ.get(spec.key_env, "").strip()
        self._client = openai.AsyncOpenAI(
            api_key=self._key or "none", base_url=spec.base_url, max_retries=0, timeout=spec.timeout
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def stream(self, requests: Iterable[Request]) -> Iterator[Answered]:
        """Answer each request once; requests are pulled as others are answered.

        Raises:
            BackendError: when the key, the model or the address is refused, or nothing succeeds.
        """
        pending = iter(requests)
        landed: queue.SimpleQueue[Future[Answered]] = queue.SimpleQueue()
        in_flight: set[Future[Answered]] = set()
        health = _Health(self._spec)
        is_drained = False
        try:
            while in_flight or not is_drained:
                # What has landed goes out before more is pulled, which may take its time.
                while not is_drained and len(in_flight) < self._spec.in_flight and landed.empty():
                    request = next(pending, None)
                    if request is None:
                        is_drained = True
                        break
                    future = asyncio.run_coroutine_threadsafe(
                        self._answer(request, health), self._loop
                    )
                    in_flight.add(future)
                    future.add_done_callback(landed.put)
                if in_flight:
                    future = landed.get()
                    in_flight.remove(future)
                    yield future.result()
        finally:
            for future in in_flight:
                future.cancel()

    def close(self) -> None:
        """Close the connections and end the thread."""
        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._client.close(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _answer(self, request: Request, health: "_Health") -> Answered:
        said = await self._persist(request)
        body = self._body(request, self.left_out)
        if isinstance(said, Failure) and said.kind == "empty" and with_more_room(body):
            spent = said.usage
            said = await self._persist(request, is_roomy=True)
            said = said.model_copy(update={"usage": spent + said.usage})
        health.note(said)
        return request, said

    async def _persist(self, request: Request, *, is_roomy: bool = False) -> Completion | Failure:
        """Ask until there is an answer, or no attempt is left."""
        attempt = 0
        while True:
            asked: float | None = None
            left_out = frozenset(self.left_out)
            try:
                async with asyncio.timeout(self._spec.timeout):
                    return await self._ask(request, left_out, is_roomy=is_roomy)
            except (TimeoutError, openai.APITimeoutError):
                failure = Failure(
                    kind="timeout", detail=f"no answer within {self._spec.timeout:g} s"
                )
            except openai.APIStatusError as error:
                if self._leaves_out(error, left_out):
                    continue
                failure = self._failure(error)
                if not is_worth_retrying(error.status_code):
                    return failure
                asked = retry_after(error.response.headers)
            except openai.APIConnectionError as error:
                why = type(error.__cause__ or error).__name__
                failure = Failure(kind="backend", detail=f"no connection to the server ({why})")
            except NoCompletionError as error:
                detail = self._clean(f"the server's answer is no completion ({error})")
                failure = Failure(kind="backend", detail=detail)
            attempt += 1
            if attempt == self._spec.attempts:
                return failure
            await asyncio.sleep(wait_before(attempt - 1, self._first_wait, asked))

    def _body(self, request: Request, left_out: Iterable[str]) -> dict[str, Any]:
        return body_of(request, self._spec.model, left_out) | self._spec.extra_body

    async def _ask(
        self, request: Request, left_out: Iterable[str], *, is_roomy: bool
    ) -> Completion | Failure:
        body = self._body(request, left_out)
        body = (with_more_room(body) or body) if is_roomy else body
        # The raw response, since the client's own reading passes a page of HTML on as a text.
        raw = await self._client.chat.completions.with_raw_response.create(
            model=body.pop("model"), messages=body.pop("messages"), extra_body=body
        )
        try:
            answer: Any = raw.http_response.json()
        except ValueError:
            raise NoCompletionError("not JSON") from None
        return completion_of(request, answer, self.name)

    def _leaves_out(self, error: openai.APIStatusError, left_out: Iterable[str]) -> bool:
        """Note a parameter that the model does not take; true where asking without it is new."""
        code, name = error.code or "", error.param or ""
        if error.status_code != 400 or not code.startswith("unsupported"):
            return False
        if name not in _OPTIONAL or name in left_out:
            return False
        self.left_out |= {"logprobs", "top_logprobs"} if "logprobs" in name else {name}
        return True

    def _failure(self, error: openai.APIStatusError) -> Failure:
        """Make a status a failure of this request.

        Raises:
            BackendError: when no request can succeed.
        """
        status, model = error.status_code, self._spec.model
        said = self._clean(f"HTTP {status}: {error.message}")
        if status == 401:
            raise BackendError(
                f"{model}: the server refused the key (HTTP 401); check the environment variable "
                f"{self._spec.key_env}, or name another one as key_env"
            )
        if status == 403:
            raise BackendError(
                f"{model}: not allowed ({said}); check the model, and the key in "
                f"{self._spec.key_env} (key_env)"
            )
        if status == 404:
            where = self._spec.base_url or "the default base_url"
            raise BackendError(f"{model}: not found at {where} ({said}); check model and base_url")
        if error.code == _NO_MONEY:
            raise BackendError(f"{model}: no quota is left for the key in {self._spec.key_env}")
        return Failure(kind="refused" if error.code in _FILTERED else "backend", detail=said)

    def _clean(self, text: str) -> str:
        """Put a server's words on one line, without the key that some of them repeat."""
        line = " ".join(text.split())
        return (line.replace(self._key, "…") if self._key else line)[:300]


class _Health:
    """Whether going on makes sense: failures in a row, in one stream."""

    def __init__(self, spec: OpenAIModel) -> None:
        self._spec = spec
        self._in_a_row = 0
        self._limit = _HOPELESS_AT_FIRST

    def note(self, said: Completion | Failure) -> None:
        """Count a failure, or start anew.

        Raises:
            BackendError: when it is one failure too many.
        """
        if isinstance(said, Completion):
            self._in_a_row, self._limit = 0, _HOPELESS
        elif said.kind != "refused":  # which is this one request's own affair
            self._in_a_row += 1
            if self._in_a_row >= self._limit:
                where = self._spec.base_url or "OpenAI"
                raise BackendError(
                    f"{self._spec.model}: {self._in_a_row} requests in a row failed at {where}, "
                    f"the last with: {said.detail}; {_ADVICE.get(said.kind, _CHECK)}"
                )
