"""Arenas: two models' conversations and a column that names the winner, ties among them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rlaif.feedback.importers.make import (
    PEOPLE,
    human,
    messages_of,
    name_of,
    prompt_of,
    reply_of,
    split,
)
from rlaif.records import Message, Preference, Prompt

_COLUMNS = {"winner_model_a": "a", "winner_model_b": "b", "winner_tie": "tie"}
_WINNERS = {
    "model_a": "a",
    "model_b": "b",
    "a": "a",
    "b": "b",
    "tie": "tie",
    "tie (bothbad)": "tie",
    "tie (both bad)": "tie",
    "both_bad": "tie",
}


def fits(row: Mapping[str, Any]) -> bool:
    """Say whether a row has two replies, or conversations, and a winner."""
    replies = {"response_a", "response_b"} <= row.keys()
    conversations = {"conversation_a", "conversation_b"} <= row.keys()
    return (replies or conversations) and ("winner" in row or _COLUMNS.keys() <= row.keys())


def read(row: Mapping[str, Any]) -> Iterator[Preference]:
    """Read a battle: the winner is chosen, and `tie`, or both bad, is a tie."""
    winner, name = _winner(row), _name(row)
    prompt, a, b = _parts(row)
    replies = {
        "a": reply_of(a, prompt, f"{name}/a", row.get("model_a")),
        "b": reply_of(b, prompt, f"{name}/b", row.get("model_b")),
    }
    chosen = "b" if winner == "b" else "a"
    rejected = "a" if winner == "b" else "b"
    p = 0.5 if winner == "tie" else 1.0
    by = str(row.get("judge_hash") or row.get("judge") or PEOPLE)
    yield human(name, prompt, replies[chosen], replies[rejected], p=p, by=by)


def _winner(row: Mapping[str, Any]) -> str:
    if "winner" in row:
        found = _WINNERS.get(str(row["winner"]).strip().lower())
        if found is None:
            raise ValueError(f"winner: {row['winner']!r} is none of {', '.join(_WINNERS)}")
        return found
    told = [name for column, name in _COLUMNS.items() if str(row[column]) in ("1", "1.0", "True")]
    if len(told) != 1:
        raise ValueError(f"{', '.join(_COLUMNS)}: one must be 1; found {len(told)}")
    return told[0]


def _parts(row: Mapping[str, Any]) -> tuple[Prompt, Any, Any]:
    if "conversation_a" in row:
        return split(messages_of(row["conversation_a"]), messages_of(row["conversation_b"]))
    prompts, a, b = (_list(row[name]) for name in ("prompt", "response_a", "response_b"))
    if isinstance(prompts, list) and isinstance(a, list) and isinstance(b, list):
        return split(_turns(prompts, a), _turns(prompts, b))
    return prompt_of(row["prompt"]), row["response_a"], row["response_b"]


def _list(value: Any) -> Any:
    """Read a list that a table holds as text, such as `["Hi", "And then?"]`."""
    if isinstance(value, str) and value.startswith("["):
        try:
            found = json.loads(value)
        except ValueError:
            return value
        return found if all(isinstance(turn, (str, type(None))) for turn in found) else value
    return value


def _turns(prompts: list[Any], replies: list[Any]) -> list[Message]:
    if len(prompts) != len(replies):
        raise ValueError(f"{len(prompts)} turns of the user and {len(replies)} replies")
    turns = []
    for prompt, reply in zip(prompts, replies, strict=True):
        turns.append(Message(role="user", content=prompt or ""))
        turns.append(Message(role="assistant", content=reply or ""))
    return turns


def _name(row: Mapping[str, Any]) -> str:
    """Name a battle so that another judge's row of it, its sides turned, has the same name."""
    if "id" in row or "question_id" not in row:
        return name_of(row)
    models = sorted(str(row.get(f"model_{side}")) for side in "ab")
    turn = f":{row['turn']}" if "turn" in row else ""
    return ":".join([str(row["question_id"]), *models]) + turn
