"""From a request to its answer, or to why there is none: tries, and the waits between them."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rlaif.backends import chat, completions
from rlaif.backends.base import Answered
from rlaif.backends.chat import NoCompletionError, choices_in, completion_of, has_logprobs
from rlaif.backends.circuit import GATEWAY, Outage
from rlaif.backends.limits import Pace
from rlaif.backends.posting import Http, NoReplyError, Reply
from rlaif.backends.retry import (
    LONGEST,
    TOO_MANY,
    asked_wait,
    holds_for_all,
    is_worth_retrying,
    wait_before,
)
from rlaif.backends.spec import OpenAIModel
from rlaif.backends.statuses import Secrets, failure_of, trouble_of
from rlaif.backends.streaming import Group, Stream
from rlaif.backends.window import Window
from rlaif.records import Completion, Failure, Request, Usage

Said = Completion | Failure
_PATHS = {"chat": "chat/completions", "completions": "completions"}
_FORMATS = {"chat": chat.body_of, "completions": completions.body_of}
_HOLLOW = 3  # tries that may come back with less than was asked for
_NEVER = 10  # answers in a row without log-probabilities, after which none are expected
_LETTERS = 4  # of a token, in most languages that models were trained on


class Traffic(NamedTuple):
    """What goes on between here and the server."""

    in_flight: int
    window: int
    """Requests that may be in flight now."""
    most_in_flight: int
    tries: int
    """Requests that were sent, those asked again too."""
    retries: int


class _AgainError(Exception):
    """Ask again: this is what stands if it was the last time."""

    last: Said

    def __init__(self, last: Said, *, wait: float | None = None, status: int = 0) -> None:
        self.last = last
        self.wait = wait
        self.status = status


class _SilentError(_AgainError):
    """Nobody answered."""

    last: Failure


class Asker:
    """Asks one server for one model: the window, the pace and the circuit are all requests'."""

    def __init__(
        self, spec: OpenAIModel, name: str, http: Http, secrets: Secrets, first_wait: float
    ) -> None:
        """Get ready to ask; nothing is sent yet."""
        self._spec, self._name, self._http, self._secrets = spec, name, http, secrets
        self._first_wait = first_wait
        self._window = Window(spec.in_flight)
        self._pace = Pace(spec.rpm, spec.tpm)
        self._outage = Outage(spec)
        self._tries = self._retries = self._answered = 0
        self._unlogged = 0  # answers in a row without log-probabilities
        self.left_out: set[str] = set()
        self.at_once = spec.n

    @property
    def traffic(self) -> Traffic:
        """What goes on now."""
        window = self._window
        return Traffic(window.open, window.limit, window.most_open, self._tries, self._retries)

    async def ask(self, group: Group, stream: Stream) -> list[Answered]:
        """Answer each request of a group.

        Raises:
            BackendError: when no request can succeed.
        """
        said = await self._persist(group, stream)
        if len(said) < len(group):
            # Some servers ignore `n`, and say nothing.
            self.at_once = 1
        for request in group[len(said) :]:
            said += await self._persist((request,), stream)
        pairs = zip(group, said, strict=True)
        return [(request, await self._roomy(request, one, stream)) for request, one in pairs]

    async def _roomy(self, request: Request, said: Said, stream: Stream) -> Said:
        """Ask once more with more room, where the model thought until its tokens were spent."""
        if not isinstance(said, Failure) or said.kind != "empty":
            return said
        if not chat.with_more_room(self._body((request,))):
            return said
        [again] = await self._persist((request,), stream, said.usage, is_roomy=True)
        return again

    async def _persist(
        self, group: Group, stream: Stream, spent: Usage = Usage(), *, is_roomy: bool = False
    ) -> list[Said]:
        """Ask until there is an answer, or no attempt is left; give as many as came.

        `spent` is what was spent on it before.
        """
        attempt = hollow = 0
        while True:
            answered = self._answered
            try:
                said = await self._try(group, stream, is_roomy=is_roomy)
            except _AgainError as again:
                spent += again.last.usage
                hollow += isinstance(again.last, Completion)
                is_gone = isinstance(again, _SilentError) and self._outage.silent(again.last)
                attempt += not (is_gone or self._is_free(again, answered))
                if attempt >= self._spec.attempts or hollow == _HOLLOW or stream.is_stopped:
                    last = again.last.model_copy(update={"usage": spent})
                    return _kept(group, [last] * len(group), stream)
                await self._rest(again, attempt, stream, is_gone=is_gone)
            else:
                if spent != Usage():
                    said[0] = said[0].model_copy(update={"usage": said[0].usage + spent})
                return _kept(group, said, stream)

    def _is_free(self, again: _AgainError, answered: int) -> bool:
        """Say whether a try is none of the request's attempts.

        One that was refused while others were let through only has to wait its turn.
        """
        return again.status == 400 or (again.status in TOO_MANY and self._answered > answered)

    async def _rest(
        self, again: _AgainError, attempt: int, stream: Stream, *, is_gone: bool
    ) -> None:
        self._retries += 1
        with stream.resting():
            if is_gone:
                await self._outage.wait(self._first_wait)
            else:
                await asyncio.sleep(wait_before(max(0, attempt - 1), self._first_wait, again.wait))

    def _body(self, group: Group, *, is_roomy: bool = False) -> dict[str, Any]:
        write = _FORMATS[self._spec.endpoint]
        body = write(group[0], self._spec.model, self.left_out) | self._spec.extra_body
        if len(group) > 1 and "n" not in self.left_out:
            body["n"] = len(group)
        return (chat.with_more_room(body) or body) if is_roomy else body

    async def _try(self, group: Group, stream: Stream, *, is_roomy: bool) -> list[Said]:
        left_out = frozenset(self.left_out)
        body = self._body(group, is_roomy=is_roomy)
        reply = await self._post(body, stream)
        if reply.status < 400:
            return self._read(group, reply)
        failure = self._refused(reply, left_out)
        # What is refused together may be let through one by one.
        return [failure] if len(group) == 1 else []

    async def _post(self, body: Mapping[str, Any], stream: Stream) -> Reply:
        expected = _tokens_of(body) if self._spec.tpm else 0.0
        age = await self._window.enter()
        try:
            await self._pace.go(expected)
            if stream.is_stopped:
                raise asyncio.CancelledError
            self._tries += 1
            with stream.sending():
                async with asyncio.timeout(self._spec.timeout):
                    reply = await self._http.post(_PATHS[self._spec.endpoint], body)
        except TimeoutError:
            detail = f"no answer within {self._spec.timeout:g} s"
            raise _SilentError(Failure(kind="timeout", detail=detail)) from None
        except NoReplyError as error:
            detail = f"no connection to the server ({error})"
            raise _SilentError(Failure(kind="backend", detail=detail)) from None
        finally:
            self._window.leave()
        self._window.note(age, is_refusal=reply.status in TOO_MANY)
        if reply.status not in GATEWAY:
            self._outage.answered()
        if self._spec.tpm:
            self._pace.settle(expected, _spent_in(reply))
        return reply

    def _refused(self, reply: Reply, left_out: frozenset[str]) -> Failure:
        """Make an error a failure.

        Raises:
            _AgainError: when asking again may help.
            BackendError: when no request can succeed.
        """
        trouble, status = trouble_of(reply), reply.status
        if names := trouble.refused_parameter() - left_out:
            self.left_out |= names
            raise _AgainError(Failure(kind="backend", detail="a parameter"), wait=0, status=status)
        failure = failure_of(trouble, self._spec, self._secrets)
        if not is_worth_retrying(status):
            return failure
        wait = asked_wait(reply.headers)
        if wait is not None and holds_for_all(status):
            self._pace.hold(min(wait, LONGEST))
        is_silent = status in GATEWAY and wait is None
        raise (_SilentError if is_silent else _AgainError)(failure, wait=wait, status=status)

    def _read(self, group: Group, reply: Reply) -> list[Said]:
        try:
            body = json.loads(reply.body)
            if self._spec.endpoint == "completions":
                body = completions.as_chat(group[0], body)
            parts = choices_in(body)
            pairs = list(zip(group, parts, strict=False))
            said = [completion_of(request, part, self._name) for request, part in pairs]
            if not said:
                raise NoCompletionError("no choices")
            self._refuse_hollow(pairs, said)
        except (NoCompletionError, ValueError, LookupError, TypeError, AttributeError) as error:
            what = str(error) if isinstance(error, NoCompletionError) else "not JSON"
            detail = self._secrets.clean(f"the server's answer is no completion ({what})")
            raise _AgainError(Failure(kind="backend", detail=detail)) from None
        self._answered += 1
        return said

    def _refuse_hollow(
        self, pairs: Sequence[tuple[Request, Mapping[str, Any]]], said: Sequence[Said]
    ) -> None:
        """Ask again where an answer lacks what most have: a word, or log-probabilities."""
        (request, part), first = pairs[0], said[0]
        if len(said) > 1 or not isinstance(first, Completion):
            return
        if request.options and not self.left_out & {"logprobs", "top_logprobs"}:
            self._unlogged = 0 if has_logprobs(part) else self._unlogged + 1
            if 0 < self._unlogged <= _NEVER:
                raise _AgainError(first)
        if not first.text.strip() and first.option_logprobs is None:
            raise _AgainError(first)


def _kept(group: Group, said: list[Said], stream: Stream) -> list[Said]:
    """Keep what came: nothing is awaited since its slot was left, so none was sent meanwhile."""
    for request, one in zip(group, said, strict=False):
        if isinstance(one, Completion):
            stream.keep(request, one)
    return said


def _tokens_of(body: Mapping[str, Any]) -> float:
    """Guess what a request takes: the tokens it is likely to read, and the most it may write."""
    text: str = body.get("prompt") or "".join(turn["content"] for turn in body["messages"])
    limit: int = body.get("max_tokens") or body.get("max_completion_tokens") or 0
    return float(len(text) / _LETTERS + limit * body.get("n", 1))


def _spent_in(reply: Reply) -> float:
    """Read what a request took; an error takes nothing."""
    try:
        usage = json.loads(reply.body)["usage"]
        return float(usage["prompt_tokens"]) + float(usage.get("completion_tokens") or 0)
    except (ValueError, LookupError, TypeError, AttributeError):
        return 0.0
