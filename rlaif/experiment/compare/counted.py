"""Rewards that anybody can check: one for a random policy of single characters, one for a chat."""

from collections.abc import Sequence

from rlaif.embedded.traits.base import plain, words
from rlaif.records import Prompt

_YOU = frozenset(("you", "your", "yours", "yourself", "you're", "you'll", "you've", "you'd"))


def count_of_e(_: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
    """Count the letter e in each text.

    >>> count_of_e([], ["eel", "oyster", "fish"])
    [2.0, 1.0, 0.0]
    """
    return [float(text.count("e")) for text in texts]


def count_of_you(_: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
    """Count the words in each text that speak to the user.

    >>> count_of_you([], ["You’re right, and so is your friend.", "He is young."])
    [2.0, 0.0]
    """
    return [float(sum(word in _YOU for word in words(plain(text)))) for text in texts]
