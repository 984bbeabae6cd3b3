"""Recordings of our own making, in the form that LLMBar's and Vicuna's authors published."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Winners = tuple[str | None, str | None]


def compared(own: str, swapped: str, winners: Winners) -> dict[str, Any]:
    """Write one round: a reply in each order, and the winners that were read."""
    return {
        "swap = False": {"completion": [own, "stop"], "winner": winners[0]},
        "swap = True": {"completion": [swapped, "stop"], "winner": winners[1]},
    }


def scored(first: str, second: str, winners: Winners) -> dict[str, Any]:
    """Write one round of scores."""
    return {
        "score_1": [first, "stop"],
        "score_2": [second, "stop"],
        "swap = False": {"winner": winners[0]},
        "swap = True": {"winner": winners[1]},
    }


def write_llmbar(
    folder: Path, results: Sequence[Sequence[Any]], *, judge: str = "J", strategy: str = "Vanilla"
) -> Path:
    """Write a file of recordings, the first output the better one of each row."""
    rows = [
        {
            "input": f"Name {number} fruits.",
            "output_1": "Pear.",
            "output_2": f"Stone {number}.",
            "label": 1,
            "results": list(result),
        }
        for number, result in enumerate(results)
    ]
    path = folder / "Natural" / "evaluators" / judge / strategy / "result.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def write_reviews(path: Path, said: Mapping[int, tuple[str, Any]]) -> Path:
    """Write a file of reviews: by question, the text and the score that was read."""
    rows = [{"question_id": n, "text": text, "score": score} for n, (text, score) in said.items()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
