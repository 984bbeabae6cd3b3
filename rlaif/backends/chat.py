"""The chat-completions format: what is sent for a request, and what is read from the answer."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rlaif.records import Completion, Request, Usage

_TOP = 20  # the most that OpenAI's own API gives
_SPACES = " \n\t▁Ġ"  # the last two are how some servers write a space inside a token


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


def completion_of(request: Request, body: Any, model: str) -> Completion:
    """Read a completion.

    What a reasoning model thinks beside its answer is never taken for the answer.

    Raises:
        NoCompletionError: when the body holds no completion.
    """
    try:
        choice = body["choices"][0]
        text = choice["message"].get("content") or ""
        if not isinstance(text, str):
            raise TypeError("content is no text")
        usage = body.get("usage") or {}
        return Completion(
            text=text.removeprefix(request.opening) if request.opening else text,
            model=model,
            option_logprobs=_option_logprobs(request.options, choice),
            usage=Usage(
                read=int(usage.get("prompt_tokens") or 0),
                written=int(usage.get("completion_tokens") or 0),
            ),
        )
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise NoCompletionError(f"{type(error).__name__}: {error}") from None


def _option_logprobs(options: Sequence[str], choice: Mapping[str, Any]) -> dict[str, float] | None:
    """Add up, for each option, the likeliest tokens that are the option; None where none is.

    An option that is not among the likeliest tokens is left out: it holds next to nothing.
    """
    if not options:
        return None
    tokens = (choice.get("logprobs") or {}).get("content") or []
    # A model may put a space or a line break before its answer.
    first = next((token for token in tokens if token["token"].strip(_SPACES)), None)
    if first is None:
        return None
    found: dict[str, list[float]] = {}
    for top in first.get("top_logprobs") or []:
        option, logprob = top["token"].strip(_SPACES), top["logprob"]
        if option in options and logprob is not None and math.isfinite(logprob):
            found.setdefault(option, []).append(float(logprob))
    return {option: _logsumexp(found[option]) for option in options if option in found} or None


def _logsumexp(values: Sequence[float]) -> float:
    highest = max(values)
    return highest + math.log(sum(math.exp(value - highest) for value in values))
