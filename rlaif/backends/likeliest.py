"""What an API's likeliest tokens say of the options: told apart for certain, or not reported."""

import itertools
import math
from collections.abc import Hashable, Mapping, Sequence, Set
from typing import Any

_NEGLIGIBLE = 0.02  # of what the options hold; what is unknown may be as much
_THOUGHT = "</think>"
_SPACES = str.maketrans({"▁": " ", "Ġ": " ", "Ċ": "\n"})  # how some servers write them

Token = Mapping[str, Any]
"""One place of an answer: what was written there, and in `top_logprobs` the likeliest tokens."""


def option_logprobs(options: Sequence[str], tokens: Sequence[Token]) -> dict[str, float] | None:
    """Add up each option's probability, along the tokens that were written.

    An option that is not among the likeliest tokens is left out: it holds next to nothing. Gives
    None where no option is there, and where an option may hold more than can be known: the server
    names too few tokens, or it writes a longer option in several ("10" as "1" and "0") and went
    another way after the first.
    """
    found: dict[str, float] = {}
    unknown, reached, chance = 0.0, "", 1.0
    for place, token in enumerate(tokens):
        here = _texts(token, reached)
        if not here:
            return None
        shorter = reached.rstrip()
        longer = {option for option in options if option.startswith(reached)} - {shorter}
        whole = _shares(here, longer)
        for option, share in whole.items():
            found[option] = found.get(option, 0.0) + chance * share
            if shorter in found:
                found[shorter] -= chance * share
        # An option that is a token of its own is not also spelled by its first letters.
        spelled = longer - whole.keys()
        if not spelled:
            break
        begun = {text for text in here if any(_begins(option, text) for option in spelled)}
        written = _joined(reached, text_of(token))
        follows = written in begun and place + 1 < len(tokens)
        astray = begun - {written} if follows else begun
        unknown += chance * (sum(here[text] for text in astray) + _hidden(spelled, here))
        if not follows:
            break
        reached, chance = written, chance * here[written]
    known = {option: found[option] for option in options if found.get(option, 0.0) > 0}
    if not known or unknown > _NEGLIGIBLE * sum(known.values()):
        return None
    return {option: math.log(share) for option, share in known.items()}


def _shares(here: Mapping[str, float], options: Set[str]) -> dict[str, float]:
    """Add up what the options hold that are there whole, with whatever space after them."""
    found: dict[str, float] = {}
    for text, share in here.items():
        if (option := text.rstrip()) in options:
            found[option] = found.get(option, 0.0) + share
    return found


def _begins(option: str, text: str) -> bool:
    return option.startswith(text) and option != text


def _hidden(options: set[str], here: Mapping[str, float]) -> float:
    """Give the most that options can hold which no likely token begins."""
    unseen = [option for option in options if not any(option.startswith(text) for text in here)]
    return min(len(unseen) * min(here.values()), max(0.0, 1 - sum(here.values())))


def _texts(token: Token, reached: str) -> dict[str, float]:
    """Give the probability of what an answer may read here, after what was reached of it.

    Each token counts once: some servers name the one that was written a second time. Its id says
    which token it is, else its bytes do, else its text.
    """
    found: dict[str, float] = {}
    seen: set[Hashable] = set()
    for likely in token.get("top_logprobs") or ():
        sent = likely.get("bytes")
        raw = bytes(sent) if sent else None
        name = likely.get("id")
        if name is None:
            name = raw or likely["token"]
        if name in seen:
            continue
        seen.add(name)
        logprob = likely["logprob"]
        if logprob is not None and math.isfinite(logprob):
            text = _joined(reached, _text(raw, likely))
            found[text] = found.get(text, 0.0) + math.exp(logprob)
    return found


def _joined(reached: str, text: str) -> str:
    """Go on with a text; space before an answer is no part of it."""
    return (reached + text).lstrip()


def text_of(token: Token) -> str:
    """Give a token's text, from its bytes where the server sends them.

    >>> text_of({"token": "\u2581Yes"}), text_of({"token": "?", "bytes": [32, 78, 111]})
    (' Yes', ' No')
    """
    sent = token.get("bytes")
    return _text(bytes(sent) if sent else None, token)


def _text(raw: bytes | None, token: Token) -> str:
    if raw:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            pass
    text: str = token["token"]
    return text if text.isascii() else text.translate(_SPACES)


def answer_tokens(tokens: Sequence[Token]) -> Sequence[Token]:
    """Leave out the thinking before an answer, and the space.

    >>> answer_tokens([{"token": text} for text in ("<think>", "A", "</think>", " ", "B")])
    [{'token': 'B'}]
    """
    texts = [text_of(token) for token in tokens]
    ends = list(itertools.accumulate(map(len, texts)))
    thought = "".join(texts).rfind(_THOUGHT) + 1
    first = sum(end < thought + len(_THOUGHT) - 1 for end in ends) + 1 if thought else 0
    while first < len(texts) and not texts[first].strip():
        first += 1
    return tokens[first:]
