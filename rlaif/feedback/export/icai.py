"""ICAI's annotated pairs, format 2.0, as `rlaif.feedback.importers.icai` reads them."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from rlaif.records import Preference, fingerprint_of

DEFAULT = "preferred_text"
_KEYS = ("p_chosen", "by", "source", "weight", "group")


def annotated_pairs(
    labels: Sequence[Preference], words: Mapping[str, str] | None = None, *, seed: int = 0
) -> dict[str, Any]:
    """Give one value: each label, and each principle's verdict on it, as an annotator's.

    A verdict is a side there, not a probability. Which reply is `a` is drawn by the pair's id.

    Args:
        labels: the preferences.
        words: each principle's own sentence, by its id; the id stands for what is not there.
        seed: of the draw.
    """
    principles = list(dict.fromkeys(name for label in labels for name in _asked(label)))
    default = _key(DEFAULT)
    annotators: dict[str, Any] = {
        default: {"name": DEFAULT, "description": "The label of each pair", "type": "unknown"}
    }
    for name in principles:
        text = (words or {}).get(name, name)
        annotators[_key(name)] = {"name": name, "description": text, "type": "principle"}
    return {
        "metadata": {
            "version": "2.0",
            "description": "Preferences with each principle's verdict",
            "default_annotator": default,
            "available_metadata_keys_per_comparison": list(_KEYS),
        },
        "annotators": annotators,
        "comparisons": [_comparison(label, default, seed) for label in labels],
    }


def _comparison(label: Preference, default: str, seed: int) -> dict[str, Any]:
    is_a = random.Random(f"{seed}:{label.id}").random() < 0.5
    a, b = (label.chosen, label.rejected) if is_a else (label.rejected, label.chosen)
    annotations = {default: _annotation(label.p_chosen, is_a=is_a)}
    for verdict in label.verdicts:
        if verdict.principle:
            annotations[_key(verdict.principle)] = _annotation(verdict.p_first, is_a=is_a)
    for silent in label.abstained:
        if silent.principle:
            annotations[_key(silent.principle)] = {"pref": None, "no_pref_reason": silent.kind}
    told = {name: getattr(label, name) for name in _KEYS}
    return {
        "id": label.id,
        "prompt": label.prompt.text,
        "response_a": {"text": a.text, "model": a.author},
        "response_b": {"text": b.text, "model": b.author},
        "annotations": annotations,
        "metadata": {name: value for name, value in told.items() if value is not None},
    }


def _annotation(p_chosen: float, *, is_a: bool) -> dict[str, Any]:
    if p_chosen == 0.5:
        return {"pref": None, "no_pref_reason": "tie"}
    return {"pref": "a" if (p_chosen > 0.5) == is_a else "b"}


def _asked(label: Preference) -> list[str]:
    said = [verdict.principle for verdict in label.verdicts]
    silent = [abstention.principle for abstention in label.abstained]
    return [name for name in (*said, *silent) if name]


def _key(name: str) -> str:
    return fingerprint_of(name)[:8]
