"""Read pairs as people publish them: our own records, or the columns other tools write.

A row is one of
    a `Comparison` or a `Preference`, as this toolkit writes them
    {"chosen": transcript, "rejected": transcript}          HH-RLHF's two whole conversations
    {"prompt": …, "chosen": …, "rejected": …}               TRL's columns, text or messages
    {"prompt": …, "first": …, "second": …}                  two replies, not yet judged
    {"prompt": …, "first": …, "second": …, "choice": …}     and judged: first, second or tie
and may say `rater` (or `by`), who judged it. Then it needs an `id`, since several raters' rows of
one pair share it.
"""

import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

from pydantic import ValidationError

from rlaif.errors import InputError
from rlaif.records import Choice, Comparison, Message, Preference, Prompt, Response, fingerprint_of
from rlaif.resources import did_you_mean
from rlaif.yamlfile import json_value, read_text

_TURN = re.compile(r"(?:\A|\n\n)(Human|Assistant): ?")
_EXPECTED = "expected `chosen` and `rejected`, or `prompt`, `first` and `second`"
PEOPLE = "people"
"""Who judged a row that does not say it."""


class PairRow(NamedTuple):
    """One line of a file of pairs."""

    line: int
    pair: Comparison | Preference
    rater: str
    """Who judged it; `people` where the row does not say."""
    choice: Choice | None
    """What a row of `first` and `second` says of the two."""

    @property
    def preference(self) -> Preference | None:
        """Give what the row says as a label; None where it says nothing."""
        if isinstance(self.pair, Preference) or self.choice is None:
            return self.pair if isinstance(self.pair, Preference) else None
        pair = self.pair.swapped() if self.choice == "second" else self.pair
        p = 0.5 if self.choice == "tie" else 1.0
        return _human(pair.id, pair.prompt, pair.first, pair.second, by=self.rater, p=p)


def read_pairs(path: Path, *, seed: int = 0) -> Iterator[Comparison]:
    """Read what is to be judged, whatever people said of it.

    Which reply is shown first is drawn by the pair's own id: never the chosen one by habit.

    Raises:
        InputError: for a row that is no pair, or an id that stands twice, with file and line.
    """
    seen: set[str] = set()
    for row in pair_rows(path):
        # Several raters' rows ask the same question once.
        if row.pair.id not in seen:
            seen.add(row.pair.id)
            yield question_of(row, seed=seed)


def read_pair(path: Path, line: int | None = None, *, seed: int = 0) -> Comparison:
    """Read the pair on one line of a file, or the first one, as `read_pairs` would.

    Raises:
        InputError: for a row that is no pair, or a line that holds none.
    """
    for row in _rows(path):
        if line is None or row.line == line:
            return question_of(row, seed=seed)
    raise InputError.at(path, line, "no row here")


def read_people(path: Path) -> list[Preference]:
    """Read what people said of pairs, a label a row; rows that say nothing are an error.

    Raises:
        InputError: for a row without a label, or an id that stands twice for one rater.
    """
    return [label_of(row, path) for row in pair_rows(path)]


def label_of(row: PairRow, path: Path) -> Preference:
    """Give a row's label.

    Raises:
        InputError: for a row without one.
    """
    label = row.preference
    if label is None:
        what = f"pair {row.pair.id} has no label; expected `chosen`, `rejected`, or a `choice`"
        raise InputError.at(path, row.line, what)
    return label


def question_of(row: PairRow, *, seed: int = 0) -> Comparison:
    """Give a row's pair as a question: in its own order where it has one, else in a drawn one."""
    return row.pair if isinstance(row.pair, Comparison) else as_comparison(row.pair, seed=seed)


def as_comparison(preference: Preference, *, seed: int = 0) -> Comparison:
    """Forget the label: the same pair as a question, in a drawn order."""
    comparison = Comparison(
        id=preference.id,
        prompt=preference.prompt,
        first=preference.chosen,
        second=preference.rejected,
        group=preference.group,
    )
    is_swapped = random.Random(f"{seed}:{comparison.id}").random() < 0.5
    return comparison.swapped() if is_swapped else comparison


def pair_rows(path: Path) -> Iterator[PairRow]:
    """Read a file's rows, each with its line, its rater and its choice.

    Raises:
        InputError: for a row that is no pair, or an id that stands twice for one rater.
    """
    return _distinct(_rows(path), path)


def _rows(path: Path) -> Iterator[PairRow]:
    count = 0
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        count += 1
        try:
            row = json_value(line, path, number)
            if not isinstance(row, dict):
                raise TypeError(_EXPECTED)
            yield _row(number, row)
        except ValidationError as error:
            detail = error.errors()[0]
            where = ".".join(str(step) for step in detail["loc"])
            raise InputError.at(path, number, f"{where}: {detail['msg']}") from None
        except (TypeError, ValueError) as error:
            raise InputError.at(path, number, str(error)) from None
    if not count:
        raise InputError(f"{path}: the file has no rows")


def _distinct(rows: Iterable[PairRow], path: Path) -> Iterator[PairRow]:
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row.pair.id, row.rater)
        if key in seen:
            by = "" if row.rater == PEOPLE else f" for the rater {row.rater!r}"
            what = f"id {row.pair.id!r} stands twice{by}, first on line {seen[key]}"
            raise InputError.at(path, row.line, what)
        seen[key] = row.line
        yield row


def _row(number: int, row: dict[str, Any]) -> PairRow:
    told = {key: value for key, value in row.items() if key not in ("rater", "choice")}
    rater = row.get("rater", row.get("by"))
    if "rater" in row and "id" not in row:
        raise ValueError("a row with a `rater` needs an `id`, so that several raters' rows meet")
    choice = row.get("choice") if "first" in row else None
    if choice is not None and choice not in get_args(Choice):
        raise ValueError(f"choice: {choice!r}{did_you_mean(str(choice), list(get_args(Choice)))}")
    pair = _pair(told)
    if isinstance(pair, Preference) and rater is not None:
        pair = pair.model_copy(update={"by": str(rater)})
    return PairRow(number, pair, PEOPLE if rater is None else str(rater), choice)


def _pair(row: dict[str, Any]) -> Comparison | Preference:
    if "p_chosen" in row:
        return Preference.model_validate(row)
    if isinstance(row.get("first"), dict):
        return Comparison.model_validate({key: row[key] for key in row if key != "by"})
    if "first" in row and "second" in row:
        return _comparison(row)
    if "chosen" in row and "rejected" in row:
        return _preference(row) if "prompt" in row else _transcripts(row)
    raise ValueError(f"{_EXPECTED}; found {', '.join(sorted(row)) or 'nothing'}")


def _comparison(row: dict[str, Any]) -> Comparison:
    prompt, name = _prompt(row["prompt"]), _name(row)
    return Comparison(
        id=name,
        prompt=prompt,
        first=_reply(row["first"], prompt, f"{name}/first"),
        second=_reply(row["second"], prompt, f"{name}/second"),
    )


def _preference(row: dict[str, Any]) -> Preference:
    prompt, name = _prompt(row["prompt"]), _name(row)
    return _human(
        name,
        prompt,
        _reply(row["chosen"], prompt, f"{name}/chosen"),
        _reply(row["rejected"], prompt, f"{name}/rejected"),
    )


def _transcripts(row: dict[str, Any]) -> Preference:
    """Split two whole conversations into what they share and the two last turns."""
    chosen, rejected = _turns(row["chosen"]), _turns(row["rejected"])
    shared = 0
    while shared < min(len(chosen), len(rejected)) and chosen[shared] == rejected[shared]:
        shared += 1
    # Two equal transcripts, and ones that part in a user's turn, still differ from that turn on.
    shared = min(shared, len(chosen) - 1, len(rejected) - 1)
    while shared and chosen[shared - 1].role != "user":
        shared -= 1
    if not shared:
        raise ValueError("`chosen` and `rejected` are not answers to the same conversation")
    name = _name(row)
    messages = tuple(chosen[:shared])
    key = [message.model_dump() for message in messages]
    prompt = Prompt(id=f"p-{fingerprint_of(key)[:10]}", messages=messages)
    return _human(
        name,
        prompt,
        _reply(_rest(chosen[shared:]), prompt, f"{name}/chosen"),
        _reply(_rest(rejected[shared:]), prompt, f"{name}/rejected"),
    )


def _rest(turns: list[Message]) -> str:
    """Give what follows the shared turns as text: one reply, or more where a dialogue went on."""
    first, *later = turns
    speakers = {"user": "Human", "assistant": "Assistant"}
    return "\n\n".join(
        [first.content, *(f"{speakers[turn.role]}: {turn.content}" for turn in later)]
    )


def _turns(transcript: Any) -> list[Message]:
    if not isinstance(transcript, str):
        raise TypeError("`chosen` and `rejected` without `prompt` must be transcripts")
    parts = _TURN.split(transcript)
    turns = [
        Message(role="user" if who == "Human" else "assistant", content=text.strip())
        for who, text in zip(parts[1::2], parts[2::2], strict=True)
    ]
    if len(turns) < 2 or turns[-1].role != "assistant":
        raise ValueError("a transcript needs a `Human:` turn and a last `Assistant:` turn")
    return turns


def _prompt(value: Any) -> Prompt:
    if isinstance(value, str):
        return Prompt.of(value)
    if isinstance(value, dict):
        return Prompt.model_validate(value)
    messages = tuple(Message.model_validate(message) for message in value)
    return Prompt(id=f"p-{fingerprint_of(value)[:10]}", messages=messages)


def _reply(value: Any, prompt: Prompt, name: str) -> Response:
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        value = value[0].get("content")
    if not isinstance(value, str):
        raise TypeError(f"{name.rsplit('/', 1)[-1]!r} must be a text, or one assistant message")
    return Response(id=name, prompt_id=prompt.id, text=value, author="unknown")


def _human(
    name: str,
    prompt: Prompt,
    chosen: Response,
    rejected: Response,
    *,
    by: str = PEOPLE,
    p: float = 1.0,
) -> Preference:
    return Preference(
        id=name,
        prompt=prompt,
        chosen=chosen,
        rejected=rejected,
        p_chosen=p,
        source="human",
        by=by,
    )


def _name(row: dict[str, Any]) -> str:
    return str(row["id"]) if "id" in row else f"c-{fingerprint_of(row)[:12]}"
