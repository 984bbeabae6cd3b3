"""Rewards that are counted from the text, and a person's own by name."""

import importlib
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from rlaif.embedded.traits.base import Exchange, words
from rlaif.embedded.traits.stance import refuses
from rlaif.errors import InputError
from rlaif.records import Prompt
from rlaif.training.reward import Reward
from rlaif.training.rewards import RewardPart


def variety(text: str) -> float:
    """Give the share of a text's word pairs that are distinct: 1 where nothing comes again.

    >>> variety("no no no no no"), variety("as you like it"), variety("")
    (0.25, 1.0, 1.0)
    """
    said = words(text)
    pairs = list(itertools.pairwise(said))
    return len(set(pairs)) / len(pairs) if pairs else 1.0


def overlength(text: str, most: int) -> float:
    """Count what a text has too much, in times of `most` words, below 0.

    >>> overlength("one two three", 2), overlength("one", 2)
    (-0.5, 0.0)
    """
    return min(0.0, 1 - len(words(text)) / most)


_OF_TEXT: dict[str, Callable[[str, RewardPart], float]] = {
    "length": lambda text, part: overlength(text, part.most or 1),
    "refusal": lambda text, _: float(refuses(Exchange(text))),
    "variety": lambda text, _: variety(text),
}


def function_of(part: RewardPart) -> Reward:
    """Find the function that a part names.

    Raises:
        InputError: for a name that leads to none.
    """
    name = part.function or ""
    if ":" in name:
        return _own(name)
    count = _OF_TEXT[name]

    def counted(_: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
        return [count(text, part) for text in texts]

    return counted


def _own(name: str) -> Reward:
    module, _, attribute = name.partition(":")
    try:
        found: Any = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise InputError(f"rewards: {name} cannot be loaded: {error}") from None
    if not callable(found):
        raise InputError(f"rewards: {name} is no function of prompts and texts")
    reward: Reward = found
    return reward
