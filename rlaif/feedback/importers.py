"""Read pairs as people publish them: our own records, or the columns other tools write.

A row is one of
    a `Comparison` or a `Preference`, as this toolkit writes them
    {"chosen": transcript, "rejected": transcript}          HH-RLHF's two whole conversations
    {"prompt": …, "chosen": …, "rejected": …}               TRL's columns, text or messages
    {"prompt": …, "first": …, "second": …}                  two replies, not yet judged
"""

import json
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rlaif.errors import InputError
from rlaif.records import Comparison, Message, Preference, Prompt, Response, fingerprint_of
from rlaif.yamlfile import read_text

_TURN = re.compile(r"(?:\A|\n\n)(Human|Assistant): ?")
_EXPECTED = "expected `chosen` and `rejected`, or `prompt`, `first` and `second`"


def read_pairs(path: Path, *, seed: int = 0) -> Iterator[Comparison]:
    """Read what is to be judged, whatever people said of it.

    Which reply is shown first is drawn by the pair's own id: never the chosen one by habit.

    Raises:
        InputError: for a row that is no pair, or an id that stands twice, with file and line.
    """
    for pair in _distinct(_rows(path), path):
        yield pair if isinstance(pair, Comparison) else as_comparison(pair, seed=seed)


def read_pair(path: Path, line: int | None = None, *, seed: int = 0) -> Comparison:
    """Read the pair on one line of a file, or the first one, as `read_pairs` would.

    Raises:
        InputError: for a row that is no pair, or a line that holds none.
    """
    for number, pair in _rows(path):
        if line is None or number == line:
            return pair if isinstance(pair, Comparison) else as_comparison(pair, seed=seed)
    raise InputError.at(path, line, "no row here")


def read_people(path: Path) -> list[Preference]:
    """Read what people said of pairs; rows that say nothing are an error.

    Raises:
        InputError: for a row without a label, or an id that stands twice.
    """
    found: list[Preference] = []
    for number, pair in enumerate(_distinct(_rows(path), path), start=1):
        if not isinstance(pair, Preference):
            raise InputError(f"{path}: pair {number} has no label; expected `chosen`, `rejected`")
        found.append(pair)
    return found


def as_comparison(preference: Preference, *, seed: int = 0) -> Comparison:
    """Forget the label: the same pair as a question, in a drawn order."""
    comparison = Comparison(
        id=preference.id,
        prompt=preference.prompt,
        first=preference.chosen,
        second=preference.rejected,
        group=preference.group,
    )
    is_swapped = random.Random(f"{seed}:{comparison.id}").random() < 0.5
    return comparison.swapped() if is_swapped else comparison


def _rows(path: Path) -> Iterator[tuple[int, Comparison | Preference]]:
    count = 0
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        count += 1
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise TypeError(_EXPECTED)
            yield number, _pair(row)
        except ValidationError as error:
            detail = error.errors()[0]
            where = ".".join(str(step) for step in detail["loc"])
            raise InputError.at(path, number, f"{where}: {detail['msg']}") from None
        except json.JSONDecodeError as error:
            raise InputError.at(path, number, f"not JSON: {error.msg}") from None
        except (TypeError, ValueError) as error:
            raise InputError.at(path, number, str(error)) from None
    if not count:
        raise InputError(f"{path}: the file has no rows")


def _distinct(
    rows: Iterable[tuple[int, Comparison | Preference]], path: Path
) -> Iterator[Comparison | Preference]:
    seen: dict[str, int] = {}
    for number, pair in rows:
        if pair.id in seen:
            raise InputError.at(
                path, number, f"id {pair.id!r} stands twice, first on line {seen[pair.id]}"
            )
        seen[pair.id] = number
        yield pair


def _pair(row: dict[str, Any]) -> Comparison | Preference:
    if "p_chosen" in row:
        return Preference.model_validate(row)
    if isinstance(row.get("first"), dict):
        return Comparison.model_validate(row)
    if "first" in row and "second" in row:
        return _comparison(row)
    if "chosen" in row and "rejected" in row:
        return _preference(row) if "prompt" in row else _transcripts(row)
    raise ValueError(f"{_EXPECTED}; found {', '.join(sorted(row)) or 'nothing'}")


def _comparison(row: dict[str, Any]) -> Comparison:
    prompt, name = _prompt(row["prompt"]), _name(row)
    return Comparison(
        id=name,
        prompt=prompt,
        first=_reply(row["first"], prompt, f"{name}/first"),
        second=_reply(row["second"], prompt, f"{name}/second"),
    )


def _preference(row: dict[str, Any]) -> Preference:
    prompt, name = _prompt(row["prompt"]), _name(row)
    return _human(
        name,
        prompt,
        _reply(row["chosen"], prompt, f"{name}/chosen"),
        _reply(row["rejected"], prompt, f"{name}/rejected"),
    )


def _transcripts(row: dict[str, Any]) -> Preference:
    """Split two whole conversations into what they share and the two last turns."""
    chosen, rejected = _turns(row["chosen"]), _turns(row["rejected"])
    shared = 0
    while shared < min(len(chosen), len(rejected)) and chosen[shared] == rejected[shared]:
        shared += 1
    # Two equal transcripts, and ones that part in a user's turn, still differ from that turn on.
    shared = min(shared, len(chosen) - 1, len(rejected) - 1)
    while shared and chosen[shared - 1].role != "user":
        shared -= 1
    if not shared:
        raise ValueError("`chosen` and `rejected` are not answers to the same conversation")
    name = _name(row)
    messages = tuple(chosen[:shared])
    key = [message.model_dump() for message in messages]
    prompt = Prompt(id=f"p-{fingerprint_of(key)[:10]}", messages=messages)
    return _human(
        name,
        prompt,
        _reply(_rest(chosen[shared:]), prompt, f"{name}/chosen"),
        _reply(_rest(rejected[shared:]), prompt, f"{name}/rejected"),
    )


def _rest(turns: list[Message]) -> str:
    """Give what follows the shared turns as text: one reply, or more where a dialogue went on."""
    first, *later = turns
    speakers = {"user": "Human", "assistant": "Assistant"}
    return "\n\n".join(
        [first.content, *(f"{speakers[turn.role]}: {turn.content}" for turn in later)]
    )


def _turns(transcript: Any) -> list[Message]:
    if not isinstance(transcript, str):
        raise TypeError("`chosen` and `rejected` without `prompt` must be transcripts")
    parts = _TURN.split(transcript)
    turns = [
        Message(role="user" if who == "Human" else "assistant", content=text.strip())
        for who, text in zip(parts[1::2], parts[2::2], strict=True)
    ]
    if len(turns) < 2 or turns[-1].role != "assistant":
        raise ValueError("a transcript needs a `Human:` turn and a last `Assistant:` turn")
    return turns


def _prompt(value: Any) -> Prompt:
    if isinstance(value, str):
        return Prompt.of(value)
    if isinstance(value, dict):
        return Prompt.model_validate(value)
    messages = tuple(Message.model_validate(message) for message in value)
    return Prompt(id=f"p-{fingerprint_of(value)[:10]}", messages=messages)


def _reply(value: Any, prompt: Prompt, name: str) -> Response:
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        value = value[0].get("content")
    if not isinstance(value, str):
        raise TypeError(f"{name.rsplit('/', 1)[-1]!r} must be a text, or one assistant message")
    return Response(id=name, prompt_id=prompt.id, text=value, author="unknown")


def _human(name: str, prompt: Prompt, chosen: Response, rejected: Response) -> Preference:
    return Preference(
        id=name,
        prompt=prompt,
        chosen=chosen,
        rejected=rejected,
        p_chosen=1.0,
        source="human",
        by="people",
    )


def _name(row: dict[str, Any]) -> str:
    return str(row["id"]) if "id" in row else f"c-{fingerprint_of(row)[:12]}"
