"""What a written answer gives two assistants: a line of two scores, a tuple, or each by name.

As the reviewers of Vicuna's and QLoRA's comparisons were asked to write them (Chiang et al. 2023).
"""

import re
from typing import NamedTuple

from rlaif.answers.answer import Answer, Read, Unread
from rlaif.answers.text import refuses, spoken
from rlaif.records import AbstentionKind, Choice, Completion

_NUMBER = r"(\d+(?:\.\d+)?)"
_LINE = re.compile(rf"^[ \t(]*{_NUMBER}[ \t]*[ ,/][ \t]*{_NUMBER}[ \t).]*$", re.MULTILINE)
_TUPLE = re.compile(
    rf"(?i:tuple|scores?|output)\b[^()\n]{{0,60}}\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\)"
)
_NAMED = r"\bAssistant {}(?:'s score)?(?:\s*[:=]| is|,? (?:gets )?a score of)\s*{}"
_EACH = tuple(re.compile(_NAMED.format(n, _NUMBER)) for n in (1, 2))
_PICKED = Answer(kind="options", options=("1", "2", "3"), pick="last")
_PICKS: tuple[Choice, ...] = ("first", "second", "tie")


class Scores(NamedTuple):
    """What the two assistants were given."""

    first: float
    second: float

    @property
    def choice(self) -> Choice:
        """Name the one with more."""
        if self.first == self.second:
            return "tie"
        return "first" if self.first > self.second else "second"


def two_scores(text: str, low: float = 1, high: float = 10) -> Scores | Unread:
    r"""Read two scores, or say why they cannot be read; never raises.

    >>> two_scores("8 7.5\nThe first is more detailed.")
    Scores(first=8.0, second=7.5)
    >>> two_scores("The ends are (2, 2) and (10, 4).").kind
    'unreadable'
    """
    said = spoken(text)
    if not said:
        return Unread("empty", "nothing was said", text)
    found = _stated(said)
    if found is None:
        kind: AbstentionKind = "refused" if refuses(said) else "unreadable"
        return Unread(kind, "expected two scores", text)
    if not all(low <= score <= high for score in found):
        return Unread(
            "outside", f"{found.first:g} and {found.second:g}: not from {low} to {high}", text
        )
    return found


def _stated(said: str) -> Scores | None:
    # A line of two scores opens the answer; reasons may be full of other numbers.
    if opening := _LINE.match(said):
        return Scores(float(opening[1]), float(opening[2]))
    if tuples := _TUPLE.findall(said):
        return Scores(float(tuples[-1][0]), float(tuples[-1][1]))
    each = [pattern.findall(said) for pattern in _EACH]
    return Scores(float(each[0][-1]), float(each[1][-1])) if all(each) else None


def picked(text: str) -> Choice | Unread:
    r"""Read which of two assistants is picked: 1, 2, or 3 for neither.

    >>> picked("Both are good.\n\n3")
    'tie'
    """
    got = _PICKED.read(Completion(text=text, model=""))
    if not isinstance(got, Read):
        return got
    return _PICKS[_PICKED.options.index(max(got.probabilities, key=got.probabilities.__getitem__))]
