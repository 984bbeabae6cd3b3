"""The older completions format: one text to go on with, and its answer in the chat's shape."""

from collections.abc import Iterable, Mapping
from typing import Any

from rlaif.backends.chat import body_of as chat_body
from rlaif.records import Message, Request

_NAMES = {"system": "System", "user": "User", "assistant": "Assistant"}


def text_of(messages: Iterable[Message], opening: str) -> str:
    """Write a conversation as one text that the model goes on with.

    A single turn stands as it is, so that a prompt file can lay the text out itself; several are
    named, and end where the assistant's next turn begins.

    >>> text_of([Message(role="user", content="2 + 2 =")], "")
    '2 + 2 ='
    """
    turns = list(messages)
    if len(turns) == 1:
        return turns[0].content + opening
    named = [f"{_NAMES[turn.role]}: {turn.content}" for turn in turns]
    return "\n\n".join([*named, f"Assistant: {opening}".rstrip(" ")])


def body_of(request: Request, model: str, left_out: Iterable[str] = ()) -> dict[str, Any]:
    """Write the body that asks a request, without the parameters that the model does not take."""
    body = chat_body(request, model, left_out)
    del body["messages"]
    body["prompt"] = text_of(request.messages, request.opening)
    # Here the number of likely tokens is itself what asks for them.
    if "logprobs" in body:
        body["logprobs"] = body.pop("top_logprobs")
    return body


def as_chat(request: Request, body: Any) -> Any:
    """Give an answer the shape of a chat's, the opening in front as most chats send it."""
    return {**body, "choices": [_choice(request, choice) for choice in body["choices"]]}


def _choice(request: Request, choice: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **choice,
        "message": {"content": request.opening + (choice.get("text") or "")},
        "logprobs": _logprobs(choice.get("logprobs") or {}),
    }


def _logprobs(said: Mapping[str, Any]) -> Mapping[str, Any]:
    if "content" in said or not said.get("tokens"):
        return said
    likely = said.get("top_logprobs") or []
    places = zip(said["tokens"], said.get("token_logprobs") or [], likely, strict=False)
    return {
        "content": [
            {"token": token, "logprob": logprob, "top_logprobs": _tops(top or {})}
            for token, logprob, top in places
        ]
    }


def _tops(top: Mapping[str, float]) -> list[dict[str, Any]]:
    return [{"token": token, "logprob": logprob} for token, logprob in top.items()]
