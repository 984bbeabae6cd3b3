"""Read a crowd's answers: pairs with raters, one answer a row, or DICES."""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from rlaif.errors import InputError
from rlaif.feedback.crowd import dices
from rlaif.feedback.crowd.answer import Answer, Crowd
from rlaif.feedback.importers.rows import Row, read_rows
from rlaif.feedback.people import rated_rows

_ITEM = ("item", "item_id", "task", "id")
_RATER = ("rater", "rater_id", "worker", "by", "user")
_LABEL = ("label", "answer")


class _Said(NamedTuple):
    line: int
    answer: Answer
    gold: str | None
    prompt: str


def read_crowd(path: Path, *, group: str | None = None, gold: Path | None = None) -> Crowd:
    """Read everybody's answers about the same items.

    Args:
        path: pairs with a `rater` and a `choice`, rows with `item`, `rater` and `label`, DICES'
            own table, or JUDGE-BENCH's file of it. Rows may have `seconds` and `gold` too.
        group: the column that says what a rater belongs to.
        gold: a file of the same kinds with the right answers, one for each item.

    Raises:
        InputError: for a row that is none of these, a rater who answers an item twice, or two
            right answers to one item, with file and line.
    """
    answers: dict[tuple[str, str], tuple[int, Answer]] = {}
    right: dict[str, str] = {}
    prompts: dict[str, str] = {}
    for line, answer, truth, prompt in _said(path, group):
        key = (answer.item, answer.rater)
        if key in answers:
            first = answers[key][0]
            what = f"rater {answer.rater!r} answers item {answer.item!r} again, first on line"
            raise InputError.at(path, line, f"{what} {first}")
        answers[key] = (line, answer)
        prompts[answer.item] = prompt
        if truth is not None and right.setdefault(answer.item, truth) != truth:
            what = f"item {answer.item!r} has two right answers, {right[answer.item]!r} and"
            raise InputError.at(path, line, f"{what} {truth!r}")
    if gold:
        right |= _gold(gold, prompts)
    return Crowd(tuple(answer for _, answer in answers.values()), right, prompts)


def _gold(path: Path, prompts: Mapping[str, str]) -> dict[str, str]:
    crowd = read_crowd(path)
    right: dict[str, str] = dict(crowd.gold)
    for answer in crowd.answers:
        if right.setdefault(answer.item, answer.label) != answer.label:
            raise InputError(f"{path}: item {answer.item!r} has two right answers")
    shared = {item: label for item, label in right.items() if item in prompts}
    if not shared:
        raise InputError(f"{path}: none of its {len(right):,} items is among the answers'")
    return shared


def _said(path: Path, group: str | None) -> Iterator[_Said]:
    rows = read_rows(path)
    first = next(rows)
    if dices.is_judge_bench(first.fields):
        yield from _judge_bench(path, first)
    elif dices.is_own(first.fields) or _value(first.fields, _LABEL) is not None:
        for row in chain([first], rows):
            yield _long(row, path, group)
    else:
        yield from _pairs(path, group)


def _judge_bench(path: Path, row: Row) -> Iterator[_Said]:
    try:
        for answer in dices.judge_bench(row.fields):
            yield _Said(row.line, answer, None, answer.item)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError.at(path, row.line, f"not JUDGE-BENCH's DICES: {error}") from None


def _long(row: Row, path: Path, group: str | None) -> _Said:
    try:
        fields = dices.own(row.fields) if dices.is_own(row.fields) else row.fields
        item, rater = (str(_needed(fields, names)) for names in (_ITEM, _RATER))
        label, seconds, kind = str(_needed(fields, _LABEL)), _seconds(fields), _kind(fields, group)
    except ValueError as error:
        raise InputError.at(path, row.line, str(error)) from None
    gold = fields.get("gold")
    prompt = str(fields.get("prompt", item))
    answer = Answer(item, rater, label, seconds, kind)
    return _Said(row.line, answer, None if gold in (None, "") else str(gold), prompt)


def _pairs(path: Path, group: str | None) -> Iterator[_Said]:
    for row, choice, comparison in rated_rows(path):
        try:
            seconds, kind = _seconds(row.fields), _kind(row.fields, group)
        except ValueError as error:
            raise InputError.at(path, row.line, str(error)) from None
        answer = Answer(comparison.id, row.rater, choice, seconds, kind)
        gold = row.fields.get("gold")
        yield _Said(row.line, answer, None if gold is None else str(gold), comparison.prompt.id)


def _value(fields: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((fields[name] for name in names if fields.get(name) not in (None, "")), None)


def _needed(fields: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    value = _value(fields, names)
    if value is None:
        raise ValueError(f"no `{names[0]}`; found {', '.join(sorted(fields)) or 'nothing'}")
    return value


def _seconds(fields: Mapping[str, Any]) -> float | None:
    value = fields.get("seconds")
    if value in (None, ""):
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"seconds: {value!r} is no number") from None
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"seconds: {value!r} is no length of time")
    return seconds


def _kind(fields: Mapping[str, Any], group: str | None) -> str | None:
    if group is None:
        return None
    if group not in fields:
        raise ValueError(f"no column {group!r}; found {', '.join(sorted(fields))}")
    return str(fields[group])
