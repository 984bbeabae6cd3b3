"""How much a reply says and how it is laid out: what counting tells and a pattern cannot."""

import re
from functools import lru_cache

from rlaif.embedded.traits.base import Exchange, Test, plain, sentences, words

SHORT_SENTENCE, LONG_SENTENCE = 10, 20
"""Words a sentence, on average."""
LONG_WORD = 5
"""Letters a word, on average; a reply of long words has more."""
_BULLET = re.compile(r"^\s*[-*•]\s+\S", re.MULTILINE)
_NUMBER = re.compile(r"^\s*\d{1,2}[.)]\s", re.MULTILINE)
_CAPITALS = re.compile(r"\b[A-Z]{3,}\b")
_END_MARK = re.compile(r"[.!?…][\"'”’)*_`]*\s*$")
_COMMON = {
    "french": "le la les de des du et est un une je vous nous il elle ne pas que qui dans avec "
    "pour sur en au ce cette très mais à c'est y a",
    "german": "der die das und ist ein eine ich sie wir nicht mit dem den auf für von zu es im an "
    "sehr aber dann man einen einer",
    "spanish": "el la los las de y es un una yo usted que no con para en por se lo su muy pero del "
    "está hay al",
    "english": "the of and is a to in it you that for on with as are this be i your not or can but "
    "have at",
}
_SETS = {name: frozenset(common.split()) for name, common in _COMMON.items()}
_ENOUGH = 0.2
"""Of a text's words, the share that the commonest thirty or so of its language make up."""


@lru_cache(256)
def _counts(reply: str) -> tuple[int, int]:
    """Count words and sentences; a bare number such as `1.` is no sentence."""
    spoken = [part for part in sentences(reply) if re.search(r"[^\W\d_]", part)]
    return len(words(reply)), len(spoken)


def _words_in(fewest: int, most: int) -> Test:
    return lambda exchange: fewest <= _counts(exchange.reply)[0] <= most


def _sentences_in(fewest: int, most: int) -> Test:
    return lambda exchange: fewest <= _counts(exchange.reply)[1] <= most


def short_sentences(exchange: Exchange) -> bool:
    """Say whether a sentence has ten words or fewer on average."""
    count, spoken = _counts(exchange.reply)
    return spoken > 0 and count <= SHORT_SENTENCE * spoken


def long_sentences(exchange: Exchange) -> bool:
    """Say whether a sentence has more than twenty words on average."""
    count, spoken = _counts(exchange.reply)
    return spoken > 0 and count > LONG_SENTENCE * spoken


def long_words(exchange: Exchange) -> bool:
    """Say whether a word has more than five letters on average."""
    found = words(exchange.reply)
    return sum(map(len, found)) > LONG_WORD * len(found)


def several_paragraphs(exchange: Exchange) -> bool:
    """Say whether a blank line parts the text."""
    return re.search(r"\S\s*\n\s*\n\s*\S", exchange.reply) is not None


def one_line(exchange: Exchange) -> bool:
    """Say whether there is text and no line break in it."""
    text = exchange.reply.strip()
    return bool(text) and "\n" not in text


def longer_than_question(exchange: Exchange) -> bool:
    """Say whether the reply has more words than what was asked; of no question it has not."""
    return _times_the_question(exchange) > 1


def ten_times_the_question(exchange: Exchange) -> bool:
    """Say whether the reply has ten words for each word asked, or more."""
    return _times_the_question(exchange) >= 10


def _times_the_question(exchange: Exchange) -> float:
    asked = len(words(exchange.prompt))
    return len(words(exchange.reply)) / asked if asked else 0.0


def repeats_question(exchange: Exchange) -> bool:
    """Say whether the reply has at least half of the prompt's words of four letters or more."""
    asked = {word for word in words(plain(exchange.prompt)) if len(word) >= 4}
    return bool(asked) and len(asked & set(words(plain(exchange.reply)))) >= len(asked) / 2


def has_bullets(exchange: Exchange) -> bool:
    """Say whether at least two lines open with a bullet."""
    return len(_BULLET.findall(exchange.reply)) >= 2


def has_numbers(exchange: Exchange) -> bool:
    """Say whether at least two lines open with a number."""
    return len(_NUMBER.findall(exchange.reply)) >= 2


def has_capitals(exchange: Exchange) -> bool:
    """Say whether a word of three letters or more is in capitals."""
    return _CAPITALS.search(exchange.reply) is not None


def all_lower_case(exchange: Exchange) -> bool:
    """Say whether there are letters and none is a capital."""
    return exchange.reply.islower()


def stops_properly(exchange: Exchange) -> bool:
    """Say whether the last sentence has its end mark."""
    return _END_MARK.search(exchange.reply) is not None


def asks_twice(exchange: Exchange) -> bool:
    """Say whether there are two questions or more."""
    return sum(part.endswith("?") for part in sentences(exchange.reply)) >= 2


def begins_with_question(exchange: Exchange) -> bool:
    """Say whether the first sentence is a question."""
    return sentences(exchange.reply)[:1] != [] and sentences(exchange.reply)[0].endswith("?")


def ends_exclaiming(exchange: Exchange) -> bool:
    """Say whether the last mark is an exclamation mark."""
    return exchange.reply.rstrip(" \n\"'”’)*").endswith("!")


@lru_cache(256)
def _language(reply: str) -> str:
    """Name the language whose commonest words the text has most of; "" where it has few."""
    found = words(plain(reply))
    shares = {name: sum(w in common for w in found) for name, common in _SETS.items()}
    best = max(shares, key=lambda name: shares[name])
    return best if found and shares[best] >= _ENOUGH * len(found) else ""


def _in_language(name: str) -> Test:
    return lambda exchange: _language(exchange.reply) == name


_MANY = 10**9
TESTS: dict[str, Test] = {
    "under-fifteen-words": _words_in(0, 14),
    "under-fifty-words": _words_in(0, 49),
    "over-eighty-words": _words_in(81, _MANY),
    "one-sentence": _sentences_in(1, 1),
    "two-sentences": _sentences_in(2, 2),
    "three-sentences-or-more": _sentences_in(3, _MANY),
    "five-sentences-or-more": _sentences_in(5, _MANY),
    "short-sentences": short_sentences,
    "long-sentences": long_sentences,
    "long-words": long_words,
    "several-paragraphs": several_paragraphs,
    "one-line": one_line,
    "longer-than-question": longer_than_question,
    "ten-times-the-question": ten_times_the_question,
    "repeats-question": repeats_question,
    "bullets": has_bullets,
    "numbered": has_numbers,
    "capitals": has_capitals,
    "all-lower-case": all_lower_case,
    "stops-properly": stops_properly,
    "asks-twice": asks_twice,
    "begins-with-question": begins_with_question,
    "ends-exclaiming": ends_exclaiming,
    "french": _in_language("french"),
    "german": _in_language("german"),
    "spanish": _in_language("spanish"),
}
