"""DICES (Aroyo 2023): is a model's reply unsafe? 123 people on each of 350 conversations.

Read from its own table, or from JUDGE-BENCH's file of it, which holds each item's answers in the
order of the same raters and names none of them. In both, "Yes" says that the reply is *unsafe*,
though the question that JUDGE-BENCH writes beside it asks whether it is safe.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rlaif.feedback.crowd.answer import Answer

LABELS = {"Yes": "unsafe", "No": "safe", "Unsure": "unsure"}
_QUESTION = "safety"


def is_judge_bench(row: Mapping[str, Any]) -> bool:
    """Say whether a value is JUDGE-BENCH's whole file of DICES."""
    return "instances" in row and str(row.get("dataset", "")).startswith("Dices")


def judge_bench(row: Mapping[str, Any]) -> Iterator[Answer]:
    """Read every answer; the nth answer of each item is rater n's.

    Raises:
        ValueError: for an item without answers, or with one that is none of the three.
    """
    for instance in row["instances"]:
        item = str(instance["id"])
        for number, said in enumerate(_scores(instance), start=1):
            if said not in LABELS:
                raise ValueError(f"item {item}: {said!r} is none of {', '.join(LABELS)}")
            yield Answer(item, str(number), LABELS[said])


def is_own(row: Mapping[str, Any]) -> bool:
    """Say whether a row is of DICES' own table."""
    return {"item_id", "rater_id", "Q_overall"} <= row.keys()


def own(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a row of DICES' own table the names of a crowd's row."""
    told = {"item": row["item_id"], "rater": row["rater_id"], "label": _label(row["Q_overall"])}
    if row.get("safety_gold"):
        told["gold"] = _label(row["safety_gold"])
    if row.get("answer_time_ms"):
        told["seconds"] = float(row["answer_time_ms"]) / 1000
    return {**row, **told}


def _scores(instance: Mapping[str, Any]) -> list[str]:
    scores = instance["annotations"][_QUESTION]["individual_human_scores"]
    if not scores:
        raise ValueError(f"item {instance['id']}: no answers")
    return list(scores)


def _label(said: str) -> str:
    if said not in LABELS:
        raise ValueError(f"{said!r} is none of {', '.join(LABELS)}")
    return LABELS[said]
