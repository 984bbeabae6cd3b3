"""What importers make records with: prompts, replies, labels of people, and names."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rlaif.records import Message, Preference, Prompt, Response, Source, fingerprint_of

PEOPLE = "people"
"""Who judged a row that does not say it."""
_SPEAKERS = {"user": "Human", "assistant": "Assistant", "system": "System"}


class Two(NamedTuple):
    """Two conversations as what they share and the two ends."""

    prompt: Prompt
    one: str
    other: str


def prompt_of(value: Any) -> Prompt:
    """Read a prompt: text, a record, or messages."""
    if isinstance(value, str):
        return Prompt.of(value)
    if isinstance(value, dict):
        return Prompt.model_validate(value)
    if not isinstance(value, list):
        raise TypeError("`prompt` must be a text or messages")
    return of_messages(messages_of(value))


def of_messages(messages: Sequence[Message]) -> Prompt:
    """Give a conversation as a prompt, named by its words."""
    key = [message.model_dump() for message in messages]
    return Prompt(id=f"p-{fingerprint_of(key)[:10]}", messages=tuple(messages))


def messages_of(value: Sequence[Any]) -> list[Message]:
    """Read messages with a role and a content; other fields of theirs are left."""
    found = []
    for message in value:
        if not isinstance(message, dict) or not {"role", "content"} <= message.keys():
            raise TypeError("a message needs `role` and `content`")
        found.append(Message(role=message["role"], content=message["content"]))
    return found


def reply_of(value: Any, prompt: Prompt, name: str, author: str | None = None) -> Response:
    """Read a reply: text, or one assistant message."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        value = value[0].get("content")
    if not isinstance(value, str):
        raise TypeError(f"{name.rsplit('/', 1)[-1]!r} must be a text, or one assistant message")
    return Response(id=name, prompt_id=prompt.id, text=value, author=author or "unknown")


def split(one: Sequence[Message], other: Sequence[Message]) -> Two:
    """Split two whole conversations into what they share and the two ends.

    Raises:
        ValueError: where they do not answer the same user's turn.
    """
    if not one or not other:
        raise ValueError("a conversation without turns")
    shared = 0
    while shared < min(len(one), len(other)) and one[shared] == other[shared]:
        shared += 1
    # Two equal conversations, and ones that part in a user's turn, differ from that turn on.
    shared = min(shared, len(one) - 1, len(other) - 1)
    while shared and one[shared - 1].role != "user":
        shared -= 1
    if not shared:
        raise ValueError("the two are not answers to the same conversation")
    return Two(of_messages(one[:shared]), _rest(one[shared:]), _rest(other[shared:]))


def _rest(turns: Sequence[Message]) -> str:
    """Give what follows the shared turns as text: one reply, or more where a dialogue went on."""
    first, *later = turns
    told = (f"{_SPEAKERS[turn.role]}: {turn.content}" for turn in later)
    return "\n\n".join([first.content, *told])


def human(
    name: str,
    prompt: Prompt,
    chosen: Response,
    rejected: Response,
    *,
    p: float = 1.0,
    **more: Any,
) -> Preference:
    """Make a person's label; `more` are fields of the record such as `by`, `group`, `verdicts`."""
    source: Source = "human"
    fields = {"source": source, "by": PEOPLE, **more}
    return Preference(
        id=name, prompt=prompt, chosen=chosen, rejected=rejected, p_chosen=p, **fields
    )


def name_of(row: Mapping[str, Any]) -> str:
    """Give a row's own id, or one drawn from its content."""
    return str(row["id"]) if "id" in row else f"c-{fingerprint_of(row)[:12]}"
