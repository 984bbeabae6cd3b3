"""A file's pairs, each with its line, who judged it, and what they said."""

import random
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, get_args

from pydantic import ValidationError

from rlaif.errors import InputError
from rlaif.feedback.importers.formats import Pair, pairs_of
from rlaif.feedback.importers.make import PEOPLE, human
from rlaif.feedback.importers.rows import Row, read_rows
from rlaif.records import Choice, Comparison, Preference
from rlaif.resources import did_you_mean


class PairRow(NamedTuple):
    """One pair of a file."""

    line: int
    pair: Pair
    rater: str
    """Who judged it; `people` where the row does not say."""
    choice: Choice | None
    """What a row of `first` and `second` says of the two."""
    fields: Mapping[str, Any] = MappingProxyType({})
    """The row as it stands in the file."""

    @property
    def preference(self) -> Preference | None:
        """Give what the row says as a label; None where it says nothing."""
        if isinstance(self.pair, Preference) or self.choice is None:
            return self.pair if isinstance(self.pair, Preference) else None
        pair = self.pair.swapped() if self.choice == "second" else self.pair
        p = 0.5 if self.choice == "tie" else 1.0
        more = {"group": pair.group} if pair.group else {}
        return human(pair.id, pair.prompt, pair.first, pair.second, by=self.rater, p=p, **more)


class Unread(NamedTuple):
    """A row that is no pair."""

    line: int
    what: str


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
    """Read a file's pairs, each with its line, its rater and its choice.

    Raises:
        InputError: for a row that is no pair, or an id that stands twice for one rater.
    """
    return _distinct(_rows(path), path)


def each_row(path: Path) -> Iterator[PairRow | Unread]:
    """Read a file's pairs, and of each row that holds none why.

    Raises:
        InputError: for a file, or a line, that cannot be read at all.
    """
    for row in read_rows(path):
        try:
            yield from _pairs(row)
        except ValidationError as error:
            detail = error.errors()[0]
            where = ".".join(str(step) for step in detail["loc"])
            yield Unread(row.line, f"{where}: {detail['msg']}" if where else detail["msg"])
        except KeyError as error:
            yield Unread(row.line, f"no field {error}")
        except (TypeError, ValueError) as error:
            yield Unread(row.line, str(error))


def _rows(path: Path) -> Iterator[PairRow]:
    for row in each_row(path):
        if isinstance(row, Unread):
            raise InputError.at(path, row.line, row.what)
        yield row


def _distinct(rows: Iterable[PairRow], path: Path) -> Iterator[PairRow]:
    seen: dict[tuple[str, str], tuple[int, tuple[float, str]]] = {}
    for row in rows:
        key, said = (row.pair.id, row.rater), _said(row)
        if key in seen:
            by = "" if row.rater == PEOPLE else f" for the rater {row.rater!r}"
            first, before = seen[key]
            another = ", with another label" if said != before else ""
            what = f"id {row.pair.id!r} stands twice{by}, first on line {first}{another}"
            raise InputError.at(path, row.line, what)
        seen[key] = (row.line, said)
        yield row


def _said(row: PairRow) -> tuple[float, str]:
    """Give what a row says, so that a second row of it can be told from a copy."""
    label = row.preference
    return (0.5, "") if label is None else (label.p_chosen, label.chosen.text)


def _pairs(row: Row) -> Iterator[PairRow]:
    fields = row.fields
    # A choice between two replies is no part of the pair, whose name is drawn from what it holds.
    aside = ("rater", "choice") if "first" in fields else ("rater",)
    told = {key: value for key, value in fields.items() if key not in aside}
    rater = fields.get("rater", fields.get("by"))
    if "rater" in fields and "id" not in fields:
        raise ValueError("a row with a `rater` needs an `id`, so that several raters' rows meet")
    choice = _choice(fields)
    for pair in pairs_of(told):
        named = rater
        if isinstance(pair, Preference):
            if rater is None:
                named = None if pair.source != "human" else pair.by
            else:
                pair = pair.model_copy(update={"by": str(rater)})
        yield PairRow(row.line, pair, PEOPLE if named is None else str(named), choice, fields)


def _choice(fields: dict[str, Any]) -> Choice | None:
    choice: Choice | None = fields.get("choice") if "first" in fields else None
    if choice is not None and choice not in get_args(Choice):
        raise ValueError(f"choice: {choice!r}{did_you_mean(str(choice), list(get_args(Choice)))}")
    return choice
