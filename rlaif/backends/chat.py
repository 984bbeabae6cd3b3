"""The chat-completions format: what is sent for a request, and what is read from the answer."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rlaif.backends.likeliest import answer_tokens, option_logprobs, text_of
from rlaif.records import Completion, Failure, Request, Usage
from rlaif.templates import spoken

_TOP = 20  # the most that OpenAI's own API gives
_ROOM_TO_THINK = 1024
_MOST = 32_768


class NoCompletionError(Exception):
    """A body that is no completion, whatever the server's status said."""


def body_of(request: Request, model: str, left_out: Iterable[str] = ()) -> dict[str, Any]:
    """Write the body that asks a request, without the parameters that the model does not take.

    An opening is sent as a last assistant turn. llama.cpp goes on from there by itself, vLLM with
    `extra_body: {continue_final_message: true, add_generation_prompt: false}`; OpenAI's own models
    answer after it.
    """
    sampling = request.sampling
    messages = [turn.model_dump() for turn in request.messages]
    if request.opening:
        messages.append({"role": "assistant", "content": request.opening})
    body: dict[str, Any] = {
        "model": model,
        "messages": messages,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        # Some servers keep a seed in 32 bits and take one value of those for "none".
        "seed": sampling.seed & 0x7FFF_FFFF,
    }
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if request.options:
        body |= {"logprobs": True, "top_logprobs": _TOP}
    if "max_tokens" in left_out:
        body["max_completion_tokens"] = sampling.max_tokens
    return {name: value for name, value in body.items() if name not in left_out}


def with_more_room(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Allow a longer answer, for a model that thought until its tokens were spent.

    Gives None where the body sets no limit, or one that is large already.
    """
    limits = {
        name: min(max(4 * body[name], _ROOM_TO_THINK), _MOST)
        for name in ("max_tokens", "max_completion_tokens")
        if isinstance(body.get(name), int) and body[name] < _MOST
    }
    return {**body, **limits} if limits else None


def choices_in(body: Any) -> list[dict[str, Any]]:
    """Part an answer into as many as it has choices; the first has what all of them took.

    Raises:
        NoCompletionError: when the body holds no completion.
    """
    try:
        return [
            {"choices": [choice], "usage": {} if place else body.get("usage")}
            for place, choice in enumerate(body["choices"])
        ]
    except (AttributeError, LookupError, TypeError) as error:
        raise NoCompletionError(f"{type(error).__name__}: {error}") from None


def has_logprobs(body: Mapping[str, Any]) -> bool:
    """Say whether log-probabilities came back, whatever they are of."""
    return bool((body["choices"][0].get("logprobs") or {}).get("content"))


def completion_of(request: Request, body: Any, model: str) -> Completion | Failure:
    """Read a completion, or why there is none: the model thought alone, or refused.

    What a reasoning model thinks beside its answer is never taken for the answer.

    Raises:
        NoCompletionError: when the body holds no completion.
    """
    try:
        choice = body["choices"][0]
        message = choice["message"]
        text = message.get("content") or ""
        if not isinstance(text, str):
            raise TypeError("content is no text")
        usage, thought = _usage(body.get("usage") or {})
        if failure := _unanswered(choice, text, thought):
            return failure.model_copy(update={"usage": usage})
        return Completion(
            text=text.removeprefix(request.opening) if request.opening else text,
            model=model,
            option_logprobs=_option_logprobs(request.options, choice, text),
            usage=usage,
        )
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise NoCompletionError(f"{type(error).__name__}: {error}") from None


def _usage(said: Mapping[str, Any]) -> tuple[Usage, int]:
    """Read the tokens, and how many of those written were thinking."""
    details = said.get("completion_tokens_details") or {}
    usage = Usage(
        read=int(said.get("prompt_tokens") or 0), written=int(said.get("completion_tokens") or 0)
    )
    return usage, int(details.get("reasoning_tokens") or 0)


def _unanswered(choice: Mapping[str, Any], text: str, thought: int) -> Failure | None:
    message, end = choice["message"], choice.get("finish_reason")
    if message.get("refusal"):
        return Failure(kind="refused", detail=str(message["refusal"])[:300])
    if end == "content_filter":
        return Failure(kind="refused", detail="the server's content filter cut the answer off")
    if spoken(text) or not (thought or text.strip() or _thinking(message) or end == "length"):
        return None
    spent = f"{thought} tokens" if thought else "its tokens"
    return Failure(kind="empty", detail=f"no answer: the model spent {spent} on thinking")


def _thinking(message: Mapping[str, Any]) -> str:
    """Give what a server sends as thinking; each names it in its own way."""
    return str(message.get("reasoning_content") or message.get("reasoning") or "")


def _option_logprobs(
    options: Sequence[str], choice: Mapping[str, Any], text: str
) -> dict[str, float] | None:
    """Read the options' log-probabilities where the answer begins; None where they are not known.

    Some servers send the thinking's tokens too: what is read must be the answer's.
    """
    tokens = answer_tokens((choice.get("logprobs") or {}).get("content") or [])
    if not options or not tokens:
        return None
    answer = spoken(text)
    if (_thinking(choice["message"]) or answer != text.strip()) and not answer.startswith(
        text_of(tokens[0]).strip()
    ):
        return None
    return option_logprobs(options, tokens)
