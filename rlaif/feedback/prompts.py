"""Read prompts as people keep them: our own records, plain rows, chats, or one a line.

A `.txt` file holds one prompt a line. Any other file is JSONL, a row of which is one of
    a `Prompt`, as this toolkit writes it        {"id": …, "messages": […], "tags": […]}
    the prompt as text                           {"prompt": "…"} or {"text": "…"}
    a chat that ends with the user               {"messages": [{"role": …, "content": …}, …]}
with `id` and `tags` optional in each; other columns are left aside.
"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError

from rlaif.errors import InputError
from rlaif.records import Message, Prompt, canonical_json, fingerprint_of
from rlaif.yamlfile import json_value, read_text, refuse_huge

_EXPECTED = "expected `prompt`, `text` or `messages`"


def load_prompts(path: Path) -> list[Prompt]:
    """Read every prompt of a file; one without an id is named by its content.

    Raises:
        InputError: for a row that is no prompt, a prompt or an id that stands twice, each with
            file and line, or a file without prompts.
    """
    prompts: list[Prompt] = []
    names: dict[str, int] = {}
    contents: dict[str, int] = {}
    for number, prompt in _rows(path):
        _refuse_again(names, prompt.id, number, path, f"id {prompt.id!r}")
        content = canonical_json([message.model_dump() for message in prompt.messages])
        _refuse_again(contents, content, number, path, "the same prompt")
        prompts.append(prompt)
    if not prompts:
        raise InputError(f"{path}: the file has no prompts; write one a line")
    return prompts


def _refuse_again(seen: dict[str, int], key: str, number: int, path: Path, what: str) -> None:
    first = seen.setdefault(key, number)
    if first != number:
        raise InputError.at(path, number, f"{what} stands twice, first on line {first}")


def _rows(path: Path) -> Iterator[tuple[int, Prompt]]:
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        if path.suffix == ".txt":
            refuse_huge(len(line), path, number)
            yield number, Prompt.of(line.strip())
            continue
        try:
            yield number, _prompt(json_value(line, path, number))
        except ValidationError as error:
            detail = error.errors()[0]
            where = ".".join(str(step) for step in detail["loc"])
            what = detail["msg"].removeprefix("Value error, ")
            raise InputError.at(path, number, f"{where}: {what}" if where else what) from None
        except (TypeError, ValueError) as error:
            raise InputError.at(path, number, str(error)) from None


def _prompt(row: Any) -> Prompt:
    if isinstance(row, str):
        row = {"text": row}
    if not isinstance(row, dict):
        raise TypeError(f"{_EXPECTED}, not {type(row).__name__}")
    messages = _messages(row)
    content = [message.model_dump() for message in messages]
    name = row.get("id")
    # One turn is named as `Prompt.of` names it, whichever form it was read from.
    key = content[0]["content"] if len(content) == 1 else content
    return Prompt.model_validate(
        {
            "id": f"p-{fingerprint_of(key)[:10]}" if name is None else str(name),
            "messages": messages,
            "tags": row.get("tags") or (),
        }
    )


def _messages(row: dict[str, Any]) -> tuple[Message, ...]:
    for column in ("messages", "prompt", "text"):
        value = row.get(column)
        if isinstance(value, list):
            return tuple(Message.model_validate(message) for message in value)
        if isinstance(value, str):
            if not value.strip():
                raise ValueError(f"`{column}` is empty")
            return (Message(role="user", content=value.strip()),)
        if value is not None:
            raise TypeError(f"`{column}` must be text or messages")
    raise ValueError(f"{_EXPECTED}; found {', '.join(sorted(row)) or 'nothing'}")


def _share(value: Any) -> Any:
    # Said once and in one place; a union of two types would tell of both.
    is_count = isinstance(value, int) and value >= 0
    if is_count or (isinstance(value, dict) and value and all(map(_is_some, value.values()))):
        return value
    raise ValueError("expected so many prompts, or so many with a tag, such as {harmful: 40}")


def _is_some(value: Any) -> bool:
    return isinstance(value, int) and value >= 1


Share = Annotated[int | dict[str, int], BeforeValidator(_share)]
"""So many prompts, 0 for all; or so many with each of some tags, such as `{harmful: 40}`."""


def drawn(prompts: Sequence[Prompt], count: Share, seed: str) -> list[Prompt]:
    """Draw so many prompts, the same ones for the same seed; all where `count` is 0."""
    if isinstance(count, int):
        return _some(prompts, count, seed)
    chosen = {
        prompt.id: prompt
        for tag, wanted in count.items()
        for prompt in _some([p for p in prompts if tag in p.tags], wanted, f"{seed} {tag}")
    }
    return list(chosen.values())


def _some(prompts: Sequence[Prompt], count: int, seed: str) -> list[Prompt]:
    if not 0 < count < len(prompts):
        return list(prompts)
    return random.Random(seed).sample(prompts, count)
