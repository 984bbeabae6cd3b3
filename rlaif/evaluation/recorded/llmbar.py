"""LLMBar's recordings (Zeng et al. 2024): raw replies of judges in both orders, and their winners.

A file `SUBSET/evaluators/JUDGE/STRATEGY/result.json` is a list of rows, each with an instruction,
two outputs, the better one (`label`) and `results`, of which the last holds the final replies.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rlaif.errors import InputError
from rlaif.records import Choice, Comparison, Prompt, Response
from rlaif.yamlfile import read_text

WINNERS: dict[str | None, Choice | None] = {"1": "first", "2": "second", None: None}
_ORDERS = {False: "swap = False", True: "swap = True"}
_FILES = "**/evaluators/*/*/result.json"


class Round(NamedTuple):
    """What a judge said of one pair in one round, and what was read of it then."""

    replies: Mapping[bool, str]
    """By whether the outputs were swapped, a reply on both; none where outputs were scored."""
    scores: tuple[str, str] | None
    """A reply on each output by itself."""
    winners: Mapping[bool, Choice | None]
    """The recorded winner, in the pair's own order; None where none was read."""


class Row(NamedTuple):
    """One pair, the output that is better, and what the judge said of it, round by round."""

    comparison: Comparison
    better: Choice
    rounds: tuple[Round, ...]


class Recording(NamedTuple):
    """One judge under one prompting strategy on one subset."""

    judge: str
    strategy: str
    subset: str
    rows: tuple[Row, ...]


def files_in(folder: Path) -> list[Path]:
    """List the recordings under a folder."""
    return sorted(folder.glob(_FILES))


def read_recording(path: Path) -> Recording:
    """Read one file of recordings.

    Raises:
        InputError: for a file that is none.
    """
    subset, _, judge, strategy = path.parts[-5:-1]
    try:
        rows = tuple(_rows(json.loads(read_text(path)), subset))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise InputError(f"{path}: not a file of LLMBar's recordings ({error!r})") from None
    return Recording(judge, strategy, subset, rows)


def _rows(found: list[dict[str, Any]], subset: str) -> Iterator[Row]:
    for number, row in enumerate(found):
        # Numbered by the row, so that a subset's files speak of the same pairs.
        prompt = Prompt.of(row["input"], id=f"{subset}-{number}")
        first, second = (
            Response(id=f"{prompt.id}/{n}", prompt_id=prompt.id, text=row[f"output_{n}"], author="")
            for n in (1, 2)
        )
        better: Choice = "first" if row["label"] == 1 else "second"
        # What was written before the judgement, such as a reference, is a list.
        rounds = tuple(_round(said) for said in row["results"] if isinstance(said, dict))
        yield Row(
            Comparison(id=prompt.id, prompt=prompt, first=first, second=second), better, rounds
        )


def _round(said: dict[str, Any]) -> Round:
    winners = {order: WINNERS[said[name]["winner"]] for order, name in _ORDERS.items()}
    if "score_1" in said:
        return Round({}, (said["score_1"][0], said["score_2"][0]), winners)
    replies = {order: said[name]["completion"][0] for order, name in _ORDERS.items()}
    return Round(replies, None, winners)
