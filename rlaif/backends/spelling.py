"""Options as the tokens that spell them, and each option's probability from its tokens'."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rlaif.errors import InputError

Spelling = tuple[int, ...]
"""Token ids, one after the other."""
_BEFORE = "\n"  # what stands before most answers; some tokenizers put a space before a bare text


def spellings(tokenizer: Any, options: Sequence[str]) -> dict[str, tuple[Spelling, ...]]:
    """Give each option's tokens, with and without a leading space.

    Raises:
        InputError: when two options are spelled with the same tokens.
    """
    spelled = {
        option: tuple(dict.fromkeys(_tokens(tokenizer, lead + option) for lead in ("", " ")))
        for option in options
    }
    for one, other in itertools.combinations(options, 2):
        if set(spelled[one]) & set(spelled[other]):
            raise InputError(
                f"the options {one!r} and {other!r} are the same tokens to this model; "
                "choose options that differ, such as A and B"
            )
    return spelled


def _tokens(tokenizer: Any, text: str) -> Spelling:
    before, whole, bare = (
        tuple(tokenizer(written, add_special_tokens=False)["input_ids"])
        for written in (_BEFORE, _BEFORE + text, text)
    )
    return whole[len(before) :] if whole[: len(before)] == before else bare


def steps(spelled: Mapping[str, Iterable[Spelling]]) -> dict[Spelling, list[int]]:
    """Give the beginnings after which a next token must be known, and which tokens those are."""
    asked: dict[Spelling, set[int]] = {}
    for spelling in itertools.chain.from_iterable(spelled.values()):
        for place, token in enumerate(spelling):
            asked.setdefault(spelling[:place], set()).add(token)
    return {beginning: sorted(tokens) for beginning, tokens in asked.items()}


def likelihoods(
    spelled: Mapping[str, Iterable[Spelling]], next_token: Mapping[Spelling, Mapping[int, float]]
) -> dict[str, float]:
    """Give each option's log-probability from its tokens', by the beginning that they follow.

    P(option) is the product along its tokens, summed over its spellings. Where a longer spelling
    begins with a shorter one ("10" with "1"), the shorter has what the longer leaves of it.
    """
    own: dict[Spelling, float] = {}
    every = set(itertools.chain.from_iterable(spelled.values()))
    for spelling in sorted(every, key=len, reverse=True):
        whole = sum(next_token[spelling[:place]][token] for place, token in enumerate(spelling))
        longer = [own[other] for other in own if other[: len(spelling)] == spelling]
        taken = sum(math.exp(other - whole) for other in longer)
        # Rounding may take it all; what is left is then next to nothing, and still a number.
        own[spelling] = whole + math.log1p(-min(taken, 1 - 1e-9))
    return {
        option: logsumexp([own[spelling] for spelling in several])
        for option, several in spelled.items()
    }


def logsumexp(values: Sequence[float]) -> float:
    """Add probabilities that are given as logarithms.

    >>> round(math.exp(logsumexp([math.log(0.25), math.log(0.5)])), 6)
    0.75
    """
    highest = max(values)
    return highest + math.log(sum(math.exp(value - highest) for value in values))
