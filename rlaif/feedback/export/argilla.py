"""Argilla-style records: fields to be shown, and what people answered or a judge suggests."""

import random
from typing import Any

from rlaif.records import Preference, Response

QUESTION = "preference"
_METADATA = ("source", "by", "weight", "group", "constitution", "contract")


def record(label: Preference, *, seed: int = 0) -> dict[str, Any]:
    """Give one record: a person's label is a response to the question, anybody else's a suggestion.

    The question `preference` is answered by `response_a`, `response_b` or `tie`; which reply is
    `a` is drawn by the pair's id.
    """
    is_a = random.Random(f"{seed}:{label.id}").random() < 0.5
    a, b = (label.chosen, label.rejected) if is_a else (label.rejected, label.chosen)
    value = "tie" if label.p_chosen == 0.5 else f"response_{'a' if is_a else 'b'}"
    told = {name: getattr(label, name) for name in _METADATA}
    metadata = {name: value for name, value in told.items() if value is not None}
    answered: dict[str, Any] = {"responses": {}, "suggestions": {}, "status": "pending"}
    if label.source == "human":
        response = {"value": value, "user_id": label.by, "status": "submitted"}
        answered |= {"responses": {QUESTION: [response]}, "status": "completed"}
    else:
        suggestion = {"value": value, "score": label.p_chosen, "agent": label.by}
        answered["suggestions"] = {QUESTION: suggestion}
    return {
        "id": label.id,
        "fields": {
            "prompt": [turn.model_dump() for turn in label.prompt.messages],
            "response_a": a.text,
            "response_b": b.text,
        },
        "metadata": {
            **metadata,
            "p_chosen": label.p_chosen,
            "tags": list(label.prompt.tags),
            **_authors(a, b),
        },
        **answered,
    }


def _authors(a: Response, b: Response) -> dict[str, str]:
    return {"author_a": a.author, "author_b": b.author}
