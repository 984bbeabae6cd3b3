"""What a trait is: a fact about a reply that code can check, and phrases that claim it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from rlaif.embedded.traits.starts import Finder

Kind = Literal["unsafe", "scary", "ordinary", ""]
"""What a prompt asks for: harm, something that only sounds harmful, neither; "" is not known."""

_CURLY = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " "})
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_RECENT = 2048
"""Replies whose words and sentences are remembered; traits are asked of one reply in a row."""


class Exchange(NamedTuple):
    """A reply and what it answers."""

    reply: str
    prompt: str = ""
    kind: Kind = ""


Test = Callable[[Exchange], bool | None]
"""None where the question has no answer, such as harm where the prompt's kind is unknown."""


@dataclass(frozen=True)
class Trait:
    """A fact about a reply, how to check it, and phrases that claim it or its opposite."""

    name: str
    test: Test
    does: tuple[str, ...]
    """Phrases in the base form, true of a reply that has the trait: `ask a question`."""
    lacks: tuple[str, ...]
    """Phrases in the base form, true of a reply that has it not: `ask nothing`."""
    add: tuple[str, ...] = ()
    """Sentences that give a reply the trait."""
    place: Literal["start", "end", "whole", ""] = ""
    """Where such a sentence has to stand; "" is anywhere, and "whole" is in place of the reply."""
    both: tuple[str, ...] = ()
    """The traits it is made of, where it is having both."""
    without: tuple[str, ...] = ()
    """The traits it is made of, where it is having the first and not the second."""

    def holds(self, reply: str | Exchange) -> bool:
        """Say whether a reply has the trait; where that cannot be known, it has not.

        >>> from rlaif.embedded.traits import TRAITS
        >>> TRAITS["refuses"].holds("I’m sorry, but I can’t help with that.")
        True
        """
        exchange = Exchange(reply) if isinstance(reply, str) else reply
        return bool(self.test(exchange))


@lru_cache(_RECENT)
def plain(text: str) -> str:
    """Write text in lower case with straight quotes, as the patterns expect it."""
    return text.translate(_CURLY).lower()


def words(text: str) -> list[str]:
    """Split text into words.

    >>> words("It's 3 o'clock.")
    ["It's", '3', "o'clock"]
    """
    return list(_words(text))


def sentences(text: str) -> list[str]:
    """Split text into sentences and lines; joined again they give the text, save for spaces."""
    return list(_sentences(text))


@lru_cache(_RECENT)
def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text))


@lru_cache(_RECENT)
def _sentences(text: str) -> tuple[str, ...]:
    return tuple(part for part in _SENTENCE_END.split(text.strip()) if part.strip())


def found(pattern: str) -> Test:
    """Make a test that holds where the pattern is found in the plain reply."""
    is_found = Finder(pattern)
    return lambda exchange: is_found(plain(exchange.reply))


def both(first: Test, second: Test) -> Test:
    """Make a test that holds where both do; no answer where either has none."""

    def test(exchange: Exchange) -> bool | None:
        one, other = first(exchange), second(exchange)
        return None if one is None or other is None else one and other

    return test


def without(first: Test, second: Test) -> Test:
    """Make a test that holds where the first does and the second does not."""

    def test(exchange: Exchange) -> bool | None:
        one, other = first(exchange), second(exchange)
        return None if one is None or other is None else one and not other

    return test
