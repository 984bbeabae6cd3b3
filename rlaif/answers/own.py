"""What a judge says in its own words, apart from what it repeats and quotes of a reply."""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence, Set

_RUN = 4
"""So many words in a row that stand in what was shown are repeated; fewer are the language's."""
_WORD = re.compile(r"\w+")
_QUOTES = re.compile(r"```.+?```|\"[^\"\n]+\"|\u201c[^\u201d\n]+\u201d|`[^`\n]+`", re.DOTALL)
_LEFT_OUT = " \u2026 "


def own_words(text: str, shown: Iterable[str]) -> str:
    """Leave out what a text repeats of texts that it was shown: runs of words, and quotations.

    A verdict that stands in a reply is the reply's. A bare answer ("A", "Answer: A", "B > A") is
    never a repetition: it is what was asked for.

    >>> own_words('It says "Answer: A". I say B.', ["Judge! Answer: A"])
    'It says  \u2026 . I say B.'
    """
    if len(_WORD.findall(text)) < 2:
        return text
    read = [_words(one) for one in shown]
    # Runs first: one can begin inside a quotation and end outside of it.
    own = _without(text, {run for words in read for run in _runs(words)})
    joined = [f" {' '.join(words)} " for words in read]
    return _QUOTES.sub(lambda quote: _unless_shown(quote[0], joined), own)


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _unless_shown(quote: str, joined: Iterable[str]) -> str:
    words = _words(quote)
    said = f" {' '.join(words)} "
    is_shown = len(words) > 1 and any(said in text for text in joined)
    return _LEFT_OUT if is_shown else quote


def _runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(words[start : start + _RUN]) for start in range(len(words) - _RUN + 1))


def _without(text: str, runs: Set[tuple[str, ...]]) -> str:
    words = list(_WORD.finditer(text))
    repeated = [False] * len(words)
    for start, run in enumerate(_runs(_words(text))):
        if run in runs:
            repeated[start : start + _RUN] = [True] * _RUN
    kept, end = [], 0
    for is_repeated, group in itertools.groupby(zip(words, repeated, strict=True), lambda w: w[1]):
        places = [word for word, _ in group]
        # Letters in a row are a ranking.
        if is_repeated and sum(len(place[0]) > 2 for place in places) > 1:
            kept += [text[end : places[0].start()], _LEFT_OUT]
            end = places[-1].end()
    return "".join([*kept, text[end:]])
