"""How a reply is made: its length, its opening, its end, its layout."""

import re

from rlaif.embedded.traits.base import Exchange, Test, plain, words

BRIEF = 30
"""The most words of a brief reply."""
_ITEM = re.compile(r"^\s*(?:[-*•]\s+\S|\d{1,2}[.)]\s)", re.MULTILINE)
_AGREES = re.compile(
    r"^\W*(?:sure|of course|certainly|absolutely|yes|yeah|definitely|no problem|gladly|"
    r"with pleasure|okay|ok)\b"
)
_GREETS = re.compile(
    r"^\W*(?:hello|hi|hey|greetings|good (?:morning|evening|afternoon|day)|welcome|howdy)\b"
)


def brief(exchange: Exchange) -> bool:
    """Say whether the reply has no more words than a brief one may have."""
    return len(words(exchange.reply)) <= BRIEF


def asks_question(exchange: Exchange) -> bool:
    """Say whether there is a question mark."""
    return "?" in exchange.reply


def ends_with_question(exchange: Exchange) -> bool:
    """Say whether the last sentence is a question."""
    return exchange.reply.rstrip(" \n\"'”’)*").endswith("?")


def has_list(exchange: Exchange) -> bool:
    """Say whether at least two lines open with a bullet or a number."""
    return len(_ITEM.findall(exchange.reply)) >= 2


def agrees(exchange: Exchange) -> bool:
    """Say whether the reply opens with a word of agreement."""
    return bool(_AGREES.search(plain(exchange.reply)))


def greets(exchange: Exchange) -> bool:
    """Say whether the reply opens with a greeting."""
    return bool(_GREETS.search(plain(exchange.reply)))


TESTS: dict[str, Test] = {
    "brief": brief,
    "asks-question": asks_question,
    "ends-with-question": ends_with_question,
    "list": has_list,
    "agrees": agrees,
    "greets": greets,
}
