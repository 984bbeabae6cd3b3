"""Score answers in a file with a trained reward model."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rlaif.errors import InputError
from rlaif.feedback.importers import pair_rows
from rlaif.feedback.importers.make import prompt_of, reply_of
from rlaif.feedback.importers.rows import read_rows
from rlaif.records import Preference, Prompt, Response
from rlaif.storage import read_records, write_lines
from rlaif.training.reward import RewardModel
from rlaif.training.reward.model import means

_REPLIES = ("reply", "response", "completion")
_MANY = 256
"""Answers that are laid out at once."""


class Asked(NamedTuple):
    """An answer to score."""

    id: str
    prompt: Prompt
    text: str


def score_alone(
    model: Path, rows: Path, out: Path | None, principle: str | None = None
) -> tuple[list[str], int]:
    """Score a file's answers; give a line of JSON for each and count those without a score.

    The lines are written to `out`, where it is named. A model that reads principles gives each
    one's score beside, or scores by the one that is named.
    """
    reward = RewardModel(model)
    asked = answers_in(rows)
    lines, unscored = [], 0
    for start in range(0, len(asked), _MANY):
        for row in _scored(reward, asked[start : start + _MANY], principle):
            unscored += row["score"] is None
            lines.append(json.dumps(row, ensure_ascii=False))
    if out:
        write_lines(out, lines)
    return lines, unscored


def _scored(
    reward: RewardModel, asked: Sequence[Asked], principle: str | None
) -> Iterator[dict[str, Any]]:
    prompts, texts = [each.prompt for each in asked], [each.text for each in asked]
    by_each = {} if principle else reward.by_principle(prompts, texts)
    if by_each:
        scores: Sequence[float | None] = means(by_each)
    else:
        scores = (reward.under(principle) if principle else reward)(prompts, texts)
    for place, score in enumerate(scores):
        row: dict[str, Any] = {"id": asked[place].id, "score": score}
        if by_each:
            row["by_principle"] = {name: each[place] for name, each in by_each.items()}
        yield row


def answers_in(rows: Path) -> list[Asked]:
    """Read what is to be scored: a folder of responses, prompts with a reply, or pairs.

    Raises:
        InputError: for a row that holds no answer, with file and line.
    """
    if rows.is_dir():
        prompts = {each.id: each for each in read_records(rows / "prompts.jsonl", Prompt)}
        found = read_records(rows / "responses.jsonl", Response)
        return [Asked(each.id, prompts[each.prompt_id], each.text) for each in found]
    first = next(iter(read_rows(rows))).fields
    if any(name in first for name in _REPLIES):
        return list(_replies(rows))
    return [asked for row in pair_rows(rows) for asked in _sides(row.pair)]


def _replies(rows: Path) -> Iterator[Asked]:
    for line, fields in read_rows(rows):
        name = next((name for name in _REPLIES if name in fields), None)
        if name is None or "prompt" not in fields:
            raise InputError.at(rows, line, 'expected {"prompt": …, "reply": …}')
        try:
            prompt = prompt_of(fields["prompt"])
            reply = reply_of(fields[name], prompt, name)
        except (TypeError, ValueError) as error:
            raise InputError.at(rows, line, str(error).splitlines()[0]) from None
        yield Asked(str(fields.get("id", line)), prompt, reply.text)


def _sides(pair: Any) -> Iterator[Asked]:
    sides = ("chosen", "rejected") if isinstance(pair, Preference) else ("first", "second")
    for side in sides:
        yield Asked(f"{pair.id}/{side}", pair.prompt, getattr(pair, side).text)
