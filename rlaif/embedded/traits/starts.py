r"""Where in a text a pattern can begin: most have to begin with one of a few words.

Python tries a pattern such as `\b(?:we|our)\b` at every letter. Here the beginnings of a text's
words are written down once, and each pattern is tried at those alone that begin as it has to.
"""

import re
from collections.abc import Iterable
from functools import cache, cached_property, lru_cache
from itertools import product
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, ClassVar
from weakref import WeakSet

_LETTERS = 4
"""Of a word and what follows it, the letters that are looked at."""
_WIDEST = 16
"""A set of more letters than this is not spelled out."""
_WORD_START = re.compile(rf"\b(?=(\w.{{0,{_LETTERS - 1}}}))", re.DOTALL)
_Items = Iterable[tuple[Any, Any]]
_NOTHING: tuple[Any, Any] = (None, None)
_WITHOUT_WIDTH = {code.AT, code.ASSERT, code.ASSERT_NOT}
_REPEATS = {code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT}


class Finder:
    r"""Says whether a pattern is found in a text, just as `re.search` would.

    >>> Finder(r"\b(?:we|our)\b")("Were we?"), Finder(r"\d+ ?%")("Some.")
    (True, False)
    """

    last: ClassVar[tuple[str, dict["Finder", list[int]]]] = ("", {})
    """The text that was read, and where in it each finder has to be tried."""

    def __init__(self, pattern: str) -> None:
        """Keep the pattern, in which `^` and `$` are a line's; it is read when first asked for."""
        self._pattern = pattern
        _FINDERS.add(self)
        Finder.last = ("", {})
        _that_begin.cache_clear()
        _table.cache_clear()

    def __call__(self, text: str) -> bool:
        """Say whether the pattern is found in the text."""
        read, places = Finder.last
        if text is not read or not self.begins:
            return self._compiled.search(text) is not None
        match = self._compiled.match
        return any(match(text, place) for place in places.get(self, ()))

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._pattern, re.MULTILINE)

    @cached_property
    def begins(self) -> tuple[str, ...]:
        """What a match may begin with; nothing where it may begin anywhere."""
        return tuple(sorted(beginnings(self._pattern)))


_FINDERS: WeakSet[Finder] = WeakSet()


def read(text: str) -> None:
    """Note where the words of a text begin, since many finders are about to be asked of it.

    For one or two of them that would cost more than it saves.
    """
    places: dict[Finder, list[int]] = {}
    for word in _WORD_START.finditer(text):
        for finder in _that_begin(word[1]):
            places.setdefault(finder, []).append(word.start())
    Finder.last = (text, places)


@lru_cache(2**14)
def _that_begin(letters: str) -> set[Finder]:
    """Name the finders that may begin with a word's first letters; texts share most of them."""
    table = _table()
    parts = (letters[:length] for length in range(1, len(letters) + 1))
    return set().union(*(table[part] for part in parts if part in table))


@cache
def _table() -> dict[str, set[Finder]]:
    table: dict[str, set[Finder]] = {}
    for finder in _FINDERS:
        for begin in finder.begins:
            table.setdefault(begin, set()).add(finder)
    return table


def beginnings(pattern: str) -> frozenset[str]:
    r"""List the letters that a match may begin with; none where it may begin within a word.

    >>> sorted(beginnings(r"\b(?:we(?:'re)?|our)\b")), beginnings(r"our\b")
    (['our', 'we', "we'r"], frozenset())
    """
    items = parser.parse(pattern, re.MULTILINE)
    if items.state.flags & re.IGNORECASE or not _opens_a_word(items):
        return frozenset()
    begun, whole = _begun(items, {""})
    every = begun | whole
    return frozenset(every) if all(b[:1].isalnum() for b in every) else frozenset()


def _opens_a_word(items: _Items) -> bool:
    """Say whether every way to match begins at the edge of a word."""
    kind, value = next(iter(items), _NOTHING)
    if kind is code.BRANCH:
        return all(map(_opens_a_word, value[1]))
    return kind is code.AT and value is code.AT_BOUNDARY


def _begun(items: _Items, whole: set[str]) -> tuple[set[str], set[str]]:
    """Go on from texts read so far: to those after which any letter may come, and those read whole.

    What has no width may forbid a text and never adds one, so it can be passed over: a beginning
    too many costs a try.
    """
    begun: set[str] = set()
    for kind, value in items:
        cut, whole = _step(kind, value, whole)
        long = {text for text in whole if len(text) >= _LETTERS}
        begun |= cut | {text[:_LETTERS] for text in long}
        whole = whole - long
        if not whole:
            break
    return begun, whole


def _step(kind: Any, value: Any, whole: set[str]) -> tuple[set[str], set[str]]:
    if kind in _WITHOUT_WIDTH:
        return set(), whole
    if kind is code.LITERAL:
        return set(), {text + chr(value) for text in whole}
    if kind is code.IN and (letters := _letters(value)):
        return set(), {text + letter for text, letter in product(whole, letters)}
    if kind is code.SUBPATTERN and not value[1]:
        return _begun(value[-1], whole)
    if kind is code.BRANCH:
        ways = [_begun(way, whole) for way in value[1]]
        return set().union(*(way[0] for way in ways)), set().union(*(way[1] for way in ways))
    if kind in _REPEATS:
        fewest, most, repeated = value
        begun, once = _begun(repeated, whole)
        none = whole if fewest == 0 else set()
        # After the first time, another may come.
        return (begun, once | none) if most == 1 else (begun | once, none)
    return whole, set()


def _letters(members: list[tuple[Any, Any]]) -> str:
    """Spell out a set of letters; "" where it is a class, or has too many."""
    spelled = ""
    for kind, value in members:
        if kind is code.LITERAL:
            spelled += chr(value)
        elif kind is code.RANGE and value[1] - value[0] < _WIDEST:
            spelled += "".join(map(chr, range(value[0], value[1] + 1)))
        else:
            return ""
    return spelled if len(spelled) <= _WIDEST else ""
