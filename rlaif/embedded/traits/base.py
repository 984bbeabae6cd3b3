"""What a trait is: a fact about a reply that code can check, and phrases that claim it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["unsafe", "scary", "ordinary", ""]
"""What a prompt asks for: harm, something that only sounds harmful, neither; "" is not known."""

_CURLY = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " "})


class Exchange(NamedTuple):
    """A reply and what it answers."""

    reply: str
    prompt: str = ""
    kind: Kind = ""


@dataclass(frozen=True)
class Trait:
    """A fact about a reply, how to check it, and phrases that claim it or its opposite."""

    name: str
    test: Callable[[Exchange], bool | None]
    """None where the question has no answer, such as harm where the prompt's kind is unknown."""
    does: tuple[str, ...]
    """Phrases in the base form, true of a reply that has the trait: `ask a question`."""
    lacks: tuple[str, ...]
    """Phrases in the base form, true of a reply that has it not: `ask nothing`."""
    add: tuple[str, ...] = ()
    """Sentences that give a reply the trait."""

    def holds(self, reply: str | Exchange) -> bool:
        """Say whether a reply has the trait; where that cannot be known, it has not.

        >>> from rlaif.embedded.traits import TRAITS
        >>> TRAITS["refuses"].holds("I’m sorry, but I can’t help with that.")
        True
        """
        exchange = Exchange(reply) if isinstance(reply, str) else reply
        return bool(self.test(exchange))


def plain(text: str) -> str:
    """Write text in lower case with straight quotes, as the patterns expect it."""
    return text.translate(_CURLY).lower()


def words(text: str) -> list[str]:
    """Split text into words.

    >>> words("It's 3 o'clock.")
    ["It's", '3', "o'clock"]
    """
    return re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text)


def sentences(text: str) -> list[str]:
    """Split text into sentences and lines; joined again they give the text, save for spaces."""
    return [part for part in re.split(r"(?<=[.!?])\s+|\n+", text.strip()) if part.strip()]


def found(pattern: str) -> Callable[[Exchange], bool]:
    """Make a test that holds where the pattern is found in the plain reply."""
    compiled = re.compile(pattern, re.MULTILINE)
    return lambda exchange: compiled.search(plain(exchange.reply)) is not None
