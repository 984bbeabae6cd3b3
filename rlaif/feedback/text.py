"""What makes a rewritten reply unfit to learn from, told by its text alone."""

import re
from collections import Counter

from rlaif.records import AbstentionKind

_SCAFFOLDING = re.compile(
    r"</?\s*(?:reply|prompt|conversation)|<\||\bprinciple\b|\bcritique\b|\brevis(?:ed|ion)\b"
    r"|\brewritten\b|^\s*(?:reply|prompt|user|assistant|system)\s*:",
    re.IGNORECASE | re.MULTILINE,
)
_FEWEST_WORDS = 3
_LOOP = 4  # words in a phrase
_LOOPED = 0.3  # share of phrases that stand more than once


def why_unfit(text: str, before: str = "") -> tuple[AbstentionKind, str] | None:
    """Say why a text should not be learned from, or nothing where it is fit.

    >>> why_unfit("I can't help with that, but here is who can.")
    >>> why_unfit("Sure. The revised reply is below.")[0]
    'scaffolding'
    >>> why_unfit("The same words.", "the same words")[0]
    'repeated'
    """
    words = re.findall(r"\w+", text.casefold())
    if len(words) < _FEWEST_WORDS:
        return "empty", f"{len(words)} words"
    if words == re.findall(r"\w+", before.casefold()):
        return "repeated", "the same words as before"
    leaked = _SCAFFOLDING.search(text)
    if leaked:
        return "scaffolding", f"leaks {leaked[0]!r}"
    if is_looping(words):
        return "degenerate", "the same phrases over and over"
    return None


def is_looping(words: list[str]) -> bool:
    """Say whether the same phrases come over and over, or one word again and again.

    >>> is_looping("the cat sat on the mat and then it slept".split())
    False
    >>> is_looping(("go on and on " * 6).split())
    True
    """
    if len(words) < 2 * _LOOP:
        return False
    phrases = Counter(zip(*(words[offset:] for offset in range(_LOOP)), strict=False))
    again = sum(count for count in phrases.values() if count > 1)
    return again / sum(phrases.values()) > _LOOPED
