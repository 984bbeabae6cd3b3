"""What people said of pairs, rater by rater: the yardstick that a judge is held against."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from rlaif.errors import InputError
from rlaif.feedback.importers import PairRow, label_of, pair_rows, question_of
from rlaif.records import Choice, Comparison, Preference


class Rating(NamedTuple):
    """One person's answer."""

    rater: str
    choice: Choice


class Rated(NamedTuple):
    """One pair, as the question it was, and every rater's answer to it."""

    comparison: Comparison
    ratings: tuple[Rating, ...]

    @property
    def choice(self) -> Choice:
        """Give what most raters say; where no answer has most, people left it open: a tie."""
        (choice, most), *rest = Counter(r.choice for r in self.ratings).most_common(2)
        return "tie" if rest and rest[0][1] == most else choice


def read_ratings(path: Path, *, seed: int = 0) -> list[Rated]:
    """Read people's labels of pairs; several rows of one id are several raters.

    Raises:
        InputError: for a row without a label, a rater who answers twice, or two different pairs
            under one id, with file and line.
    """
    return ratings_of(pair_rows(path), path, seed=seed)


def ratings_of(rows: Iterable[PairRow], path: Path, *, seed: int = 0) -> list[Rated]:
    """Put a file's labelled rows together by what was rated.

    Raises:
        InputError: as `read_ratings` does.
    """
    questions: dict[str, Comparison] = {}
    ratings: dict[str, list[Rating]] = {}
    for row, choice, comparison in _rated(rows, path, seed):
        questions[comparison.id] = comparison
        ratings.setdefault(comparison.id, []).append(Rating(row.rater, choice))
    return [Rated(comparison, tuple(ratings[name])) for name, comparison in questions.items()]


def rated_rows(path: Path, *, seed: int = 0) -> Iterator[tuple[PairRow, Choice, Comparison]]:
    """Read each row with what it says of the pair, as its first row shows it.

    Raises:
        InputError: as `read_ratings` does.
    """
    return _rated(pair_rows(path), path, seed)


def _rated(
    rows: Iterable[PairRow], path: Path, seed: int
) -> Iterator[tuple[PairRow, Choice, Comparison]]:
    questions: dict[str, tuple[Comparison, int]] = {}
    for row in rows:
        label = label_of(row, path)
        comparison, line = questions.setdefault(
            row.pair.id, (question_of(row, seed=seed), row.line)
        )
        if {label.chosen.text, label.rejected.text} != texts_of(comparison):
            what = f"id {label.id!r} has other replies here than on line {line}"
            raise InputError.at(path, row.line, what)
        yield row, choice_in(label, comparison), comparison


def choice_in(label: Preference, comparison: Comparison) -> Choice:
    """Say which of the two replies, as the comparison shows them, a label prefers."""
    if label.p_chosen == 0.5:
        return "tie"
    return "first" if label.chosen.text == comparison.first.text else "second"


def texts_of(comparison: Comparison) -> set[str]:
    """Give the texts of the two replies."""
    return {comparison.first.text, comparison.second.text}
