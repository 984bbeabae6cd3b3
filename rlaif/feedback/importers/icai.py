"""ICAI's annotated pairs, format 2.0: people's label and each principle's, pair by pair.

Findeis et al. 2025 (Inverse Constitutional AI). `rlaif.feedback.export.icai` writes the same.
"""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from rlaif.feedback.importers.make import PEOPLE, human, name_of, prompt_of, reply_of
from rlaif.records import (
    Abstention,
    AbstentionKind,
    Comparison,
    Preference,
    Prompt,
    Response,
    Verdict,
)

_SIDES = ("a", "b")
_TABLE = {"text_a": "a", "text_b": "b", "tie": "tie"}


def fits(row: Mapping[str, Any]) -> bool:
    """Say whether a value is a whole file of annotated pairs."""
    return "comparisons" in row and "annotators" in row


def read(row: Mapping[str, Any]) -> Iterator[Preference | Comparison]:
    """Read every pair; one that nobody labelled is a question.

    Raises:
        ValueError: for a pair whose label names no side, naming the pair.
    """
    metadata = row.get("metadata") or {}
    default = metadata.get("default_annotator")
    annotators = row["annotators"]
    by = _name_of(default, annotators.get(default, {}))
    for pair in row["comparisons"]:
        try:
            yield _pair(pair, default, annotators, PEOPLE if by == "preferred_text" else by)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"comparison {pair.get('id')}: {error}") from None


def is_table(row: Mapping[str, Any]) -> bool:
    """Say whether a row is of ICAI's own input."""
    return {"text_a", "text_b"} <= row.keys()


def table(row: Mapping[str, Any]) -> Iterator[Preference | Comparison]:
    """Read two texts, prompt included, and which of them is preferred, where that is said."""
    prompt, name = prompt_of(row.get("prompt", row.get("input", ""))), name_of(row)
    a, b = (reply_of(row[f"text_{side}"], prompt, f"{name}/{side}") for side in _SIDES)
    said = row.get("preferred_text")
    if said in (None, ""):
        yield Comparison(id=name, prompt=prompt, first=a, second=b)
        return
    if said not in _TABLE:
        raise ValueError(f"preferred_text: {said!r} is none of {', '.join(_TABLE)}")
    chosen, rejected = (b, a) if _TABLE[said] == "b" else (a, b)
    yield human(name, prompt, chosen, rejected, p=0.5 if said == "tie" else 1.0)


def _pair(
    pair: Mapping[str, Any], default: str | None, annotators: Mapping[str, Any], by: str
) -> Preference | Comparison:
    name, prompt = str(pair["id"]), prompt_of(pair.get("prompt") or "")
    told = pair.get("metadata") or {}
    a, b = (_reply(pair, side, prompt, name) for side in _SIDES)
    annotations = dict(pair.get("annotations") or {})
    label = annotations.pop(default, None)
    if label is None or (label.get("pref") is None and label.get("no_pref_reason") != "tie"):
        return Comparison(id=name, prompt=prompt, first=a, second=b)
    side = _side(label, name)
    verdicts, abstained = [], []
    for key, annotation in annotations.items():
        principle = _name_of(key, annotators.get(key, {}))
        if annotation.get("pref") is None and annotation.get("no_pref_reason") != "tie":
            abstained.append(_abstention(name, principle, annotation))
        else:
            verdicts.append(_verdict(_side(annotation, name), side, principle))
    chosen, rejected = (b, a) if side == "b" else (a, b)
    certain = 0.5 if side is None else 1.0
    return human(
        name,
        prompt,
        chosen,
        rejected,
        p=told.get("p_chosen", certain),
        by=told.get("by", by),
        source=told.get("source", "human"),
        weight=told.get("weight", 1.0),
        group=told.get("group"),
        verdicts=tuple(verdicts),
        abstained=tuple(abstained),
    )


def _reply(pair: Mapping[str, Any], side: str, prompt: Prompt, name: str) -> Response:
    given = pair[f"response_{side}"]
    return reply_of(given["text"], prompt, f"{name}/{side}", given.get("model"))


def _side(annotation: Mapping[str, Any], name: str) -> str | None:
    said = annotation.get("pref")
    if said is not None and said not in _SIDES:
        raise ValueError(f"comparison {name}: pref {said!r} is neither 'a' nor 'b'")
    return said


def _verdict(said: str | None, chosen: str | None, principle: str) -> Verdict:
    p = 0.5 if said is None else float(said == (chosen or "a"))
    return Verdict(p_first=p, judge="icai", principle=principle, read="label")


def _abstention(name: str, principle: str, annotation: Mapping[str, Any]) -> Abstention:
    reason = str(annotation.get("no_pref_reason") or "")
    kind = reason if reason in get_args(AbstentionKind) else "no-principle"
    return Abstention.model_validate(
        {"kind": kind, "subject": name, "by": "icai", "principle": principle}
        | ({"detail": reason} if kind != reason else {})
    )


def _name_of(key: str | None, annotator: Mapping[str, Any]) -> str:
    """Name an annotator: by its name, else by the principle's words."""
    return str(annotator.get("name") or annotator.get("description") or key)
