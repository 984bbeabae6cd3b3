"""TRL's preference columns: text or messages, the prompt beside the replies or within them."""

from collections.abc import Iterator, Mapping
from typing import Any

from rlaif.feedback.importers.make import (
    human,
    messages_of,
    name_of,
    prompt_of,
    reply_of,
    split,
)
from rlaif.records import Preference, Prompt

_KEPT = ("source", "by", "weight", "group")
"""Columns beside TRL's own that `rlaif feedback export` writes and this reads again."""


def fits(row: Mapping[str, Any]) -> bool:
    """Say whether a row has `prompt`, `chosen` and `rejected`, or two lists of messages."""
    if not {"chosen", "rejected"} <= row.keys():
        return False
    return "prompt" in row or isinstance(row["chosen"], list)


def read(row: Mapping[str, Any]) -> Iterator[Preference]:
    """Read a pair; a label without `p_chosen` is taken as certain."""
    name = name_of(row)
    prompt, chosen, rejected = _parts(row)
    kept = {key: row[key] for key in _KEPT if row.get(key) is not None}
    if "tags" in row:
        prompt = prompt.model_copy(update={"tags": tuple(row["tags"] or ())})
    p = row.get("p_chosen")
    yield human(
        name,
        prompt,
        reply_of(chosen, prompt, f"{name}/chosen", row.get("chosen_author")),
        reply_of(rejected, prompt, f"{name}/rejected", row.get("rejected_author")),
        p=1.0 if p is None else p,
        **kept,
    )


def _parts(row: Mapping[str, Any]) -> tuple[Prompt, Any, Any]:
    chosen, rejected = row["chosen"], row["rejected"]
    # UltraFeedback's binarised rows hold the prompt twice: beside the replies and in them.
    if isinstance(chosen, list) and isinstance(rejected, list) and len(chosen) > 1:
        return split(messages_of(chosen), messages_of(rejected))
    return prompt_of(row["prompt"]), chosen, rejected
