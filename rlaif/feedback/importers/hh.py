"""HH-RLHF: two whole conversations as text, which part in the last turn (Bai 2022)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rlaif.feedback.importers.make import human, name_of, reply_of, split
from rlaif.records import Message, Preference

_TURN = re.compile(r"(?:\A|\n\n)(Human|Assistant): ?")


def fits(row: Mapping[str, Any]) -> bool:
    """Say whether a row has two transcripts and no prompt beside them."""
    return {"chosen", "rejected"} <= row.keys() and "prompt" not in row


def read(row: Mapping[str, Any]) -> Iterator[Preference]:
    """Split two transcripts into what they share and the two last turns."""
    prompt, chosen, rejected = split(_turns(row["chosen"]), _turns(row["rejected"]))
    name = name_of(row)
    yield human(
        name,
        prompt,
        reply_of(chosen, prompt, f"{name}/chosen"),
        reply_of(rejected, prompt, f"{name}/rejected"),
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
