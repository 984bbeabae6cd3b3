"""Argilla-style records: `rlaif.feedback.export.argilla` writes them, people answer them."""

from collections.abc import Iterator, Mapping
from typing import Any

from rlaif.feedback.importers.make import human, name_of, prompt_of, reply_of
from rlaif.records import Comparison, Preference

_SIDES = {"response_a": "a", "a": "a", "response_b": "b", "b": "b", "tie": "tie"}
_KEPT = ("source", "by", "weight", "group", "constitution", "contract")


def fits(row: Mapping[str, Any]) -> bool:
    """Say whether a row is a record with two responses in its fields."""
    fields = row.get("fields")
    return isinstance(fields, dict) and {"prompt", "response_a", "response_b"} <= fields.keys()


def read(row: Mapping[str, Any]) -> Iterator[Preference | Comparison]:
    """Read a record: each person's answer is a label, else the suggestion is; else it is asked."""
    name, fields, told = name_of(row), row["fields"], dict(row.get("metadata") or {})
    prompt = prompt_of(fields["prompt"])
    prompt = prompt.model_copy(update={"tags": tuple(told.get("tags") or ())})
    a, b = (
        reply_of(fields[f"response_{side}"], prompt, f"{name}/{side}", told.get(f"author_{side}"))
        for side in "ab"
    )
    found = list(_answers(row))
    if not found:
        yield Comparison(id=name, prompt=prompt, first=a, second=b, group=told.get("group"))
    for value, who in found:
        side = _SIDES.get(str(value))
        if side is None:
            raise ValueError(f"{value!r} is none of {', '.join(_SIDES)}")
        chosen, rejected = (b, a) if side == "b" else (a, b)
        kept = {key: told[key] for key in _KEPT if key in told}
        p = 0.5 if side == "tie" else 1.0
        if who is not None and (len(found) > 1 or who != told.get("by")):
            # Answered by others than the label that was exported: what it said is not theirs.
            kept |= {"by": who, "source": "human"}
        elif side != "tie":
            p = told.get("p_chosen", p)
        yield human(name, prompt, chosen, rejected, p=p, **kept)


def _answers(row: Mapping[str, Any]) -> Iterator[tuple[Any, str | None]]:
    """Give each answer with who gave it; a suggestion counts where nobody has answered."""
    answered = False
    for responses in (row.get("responses") or {}).values():
        for response in responses:
            if response.get("status", "submitted") == "submitted":
                answered = True
                yield response["value"], str(response.get("user_id") or "people")
    if answered:
        return
    for suggestion in (row.get("suggestions") or {}).values():
        yield suggestion["value"], None
        return
