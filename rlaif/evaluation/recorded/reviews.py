"""Win, tie and lose tables from raw reviews of two assistants, as Vicuna's and QLoRA's authors did.

A file is JSONL with a review a row: `question_id`, `text`, and `score` as it was read then: two
scores, or 1, 2 or 3 (a tie), and −1 where it could not be. Its name tells the two assistants.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rlaif.answers.answer import Unread
from rlaif.answers.two import Scores, picked, two_scores
from rlaif.errors import InputError
from rlaif.evaluation.intervals import Draws, Interval, ratio
from rlaif.records import AbstentionKind, Choice, Record
from rlaif.yamlfile import read_text

_NAMES = (
    re.compile(r"(?P<first>.+)-vs-(?P<second>.+?)(?:-gpt-4-reviewer.*)?"),
    re.compile(r"review_(?P<first>[^_]+)_(?P<second>.+)"),
)
_PICKS: dict[int, Choice] = {1: "first", 2: "second", 3: "tie"}
_ORDERS = (False, True)
_POINTS: dict[Choice, float] = {"first": 1.0, "tie": 0.5, "second": 0.0}
_TURNED: dict[Choice, Choice] = {"first": "second", "second": "first", "tie": "tie"}


class Review(NamedTuple):
    """One review, of two assistants in the order in which it was shown them."""

    first: str
    second: str
    question: str
    ours: Choice | None
    kind: AbstentionKind | None
    """Why ours is none."""
    recorded: Choice | None

    def turned(self) -> "Review":
        """Say the same with the assistants in the other order."""
        ours, recorded = (_TURNED[said] if said else None for said in (self.ours, self.recorded))
        return Review(self.second, self.first, self.question, ours, self.kind, recorded)


class Tally(Record):
    """How often the one assistant won."""

    wins: int
    ties: int
    losses: int
    unread: int


class Contest(Record):
    """Two assistants, over all their reviews in either order."""

    first: str
    second: str
    ours: Tally
    recorded: Tally
    share: Interval | None
    """The first one's share of what was read, a tie as half; the interval draws whole questions."""
    same: Interval | None
    """The share of questions with the same winner in both orders, where both named one."""
    slot: Interval | None
    """The share of named winners that were shown first, of questions asked in both orders: half
    where no slot is favoured."""


class Reviews(Record):
    """A folder of reviews."""

    files: int
    replies: int
    differing: int
    """Replies whose outcome is not the recorded one."""
    unread: dict[str, int]
    """Ours, by kind of abstention."""
    contests: tuple[Contest, ...]


def review_files(folder: Path) -> list[Path]:
    """List the files of reviews under a folder, by their names."""
    return sorted(path for path in folder.rglob("*.jsonl") if _names(path))


def reviews(folder: Path, *, rounds: int = 2000) -> Reviews:
    """Read every review under a folder; `rounds` are the bootstrap's.

    Raises:
        InputError: where there is none, or a row is no review.
    """
    paths = review_files(folder)
    if not paths:
        raise InputError(f"{folder}: no reviews (files A-vs-B….jsonl, or review_A_B.jsonl)")
    read = [review for path in paths for review in read_reviews(path)]
    kinds = Counter(review.kind for review in read if review.kind)
    return Reviews(
        files=len(paths),
        replies=len(read),
        differing=sum(review.ours != review.recorded for review in read),
        unread=dict(kinds.most_common()),
        contests=tuple(contests(read, rounds=rounds)),
    )


def read_reviews(path: Path) -> Iterator[Review]:
    """Read a file's reviews.

    Raises:
        InputError: for a row that is none, with file and line.
    """
    names = _names(path)
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            try:
                yield _review(json.loads(line), *names)
            except (ValueError, KeyError, TypeError):
                what = 'expected {"question_id", "text", "score"}, two scores or 1, 2, 3, −1'
                raise InputError.at(path, number, what) from None


def _names(path: Path) -> tuple[str, ...]:
    found = (pattern.fullmatch(path.stem) for pattern in _NAMES)
    return next((match.groups() for match in found if match), ())


def _review(row: dict[str, Any], first: str, second: str) -> Review:
    if isinstance(row["score"], list):
        got: Scores | Choice | Unread = two_scores(row["text"])
        one, other = row["score"]
        recorded = Scores(one, other).choice if min(one, other) >= 0 else None
    else:
        got, recorded = picked(row["text"]), _PICKS.get(row["score"])
    kind = got.kind if isinstance(got, Unread) else None
    ours = None if isinstance(got, Unread) else got.choice if isinstance(got, Scores) else got
    return Review(first, second, str(row["question_id"]), ours, kind, recorded)


def contests(read: Iterable[Review], *, rounds: int = 2000) -> Iterator[Contest]:
    """Put the reviews of the same two assistants together, whichever was shown first."""
    grouped: dict[tuple[str, str], list[tuple[Review, bool]]] = {}
    for review in read:
        is_turned = (review.second, review.first) in grouped
        own = review.turned() if is_turned else review
        grouped.setdefault((own.first, own.second), []).append((own, is_turned))
    for (first, second), found in grouped.items():
        yield _contest(first, second, found, rounds)


def _contest(first: str, second: str, found: list[tuple[Review, bool]], rounds: int) -> Contest:
    questions: dict[str, dict[bool, Choice | None]] = {}
    for review, is_turned in found:
        questions.setdefault(review.question, {})[is_turned] = review.ours
    draws = Draws(list(questions), rounds=rounds)
    orders = list(questions.values())
    return Contest(
        first=first,
        second=second,
        ours=_tally(review.ours for review, _ in found),
        recorded=_tally(review.recorded for review, _ in found),
        share=draws.interval([_share(said) for said in orders], ratio),
        same=draws.interval([_same(said) for said in orders], ratio),
        slot=draws.interval([_slot(said) for said in orders], ratio),
    )


def _tally(said: Iterable[Choice | None]) -> Tally:
    counts = Counter(said)
    return Tally(
        wins=counts["first"], ties=counts["tie"], losses=counts["second"], unread=counts[None]
    )


def _share(said: dict[bool, Choice | None]) -> tuple[float, float]:
    read = [_POINTS[choice] for choice in said.values() if choice]
    return sum(read), len(read)


def _same(said: dict[bool, Choice | None]) -> tuple[float, float]:
    named = [choice for choice in said.values() if choice in ("first", "second")]
    return float(len(named) == 2 and named[0] == named[1]), float(len(named) == 2)


def _slot(said: dict[bool, Choice | None]) -> tuple[float, float]:
    named = [
        (choice == "first") is not is_turned
        for is_turned, choice in said.items()
        if len(said) == len(_ORDERS) and choice in ("first", "second")
    ]
    return float(sum(named)), float(len(named))
