"""Small changes to a reply that flip one trait, so that the trait and not the topic decides."""

import random

from rlaif.embedded.traits.base import Trait, sentences

_OPENERS = ("agrees", "greets")
_ENDERS = ("list", "ends-with-question")
_BROKEN = (
    "SmolLM.1.1.1.1.1.1.1.1.1.1.1",
    "the the the the the the the the the the the the the the",
    "1. 1. 1. 1. 1. 1. 1. 1. 1. 1. 1. 1. 1. 1.",
    "<im_start>assistant <im_start>assistant",
    "</reply> </reply>",
)


def with_trait(reply: str, trait: Trait, rng: random.Random) -> str:
    """Add one sentence that gives the reply a trait.

    >>> from rlaif.embedded.traits import TRAITS
    >>> with_trait("Bake it.", TRAITS["greets"], random.Random(0)).endswith(" Bake it.")
    True
    """
    if not trait.add:
        return reply
    sentence = rng.choice(trait.add)
    if trait.name in _OPENERS:
        return f"{sentence} {reply}"
    if trait.name in _ENDERS or sentence.startswith("\n"):
        return f"{reply}{'' if sentence.startswith(chr(10)) else ' '}{sentence}"
    return _inserted(reply, sentence, rng)


def without_trait(reply: str, trait: Trait) -> str:
    """Cut the sentences that give the reply a trait; the reply itself where nothing would be left.

    >>> from rlaif.embedded.traits import TRAITS
    >>> without_trait("Bake it. What do you think?", TRAITS["asks-question"])
    'Bake it.'
    """
    kept = [part for part in sentences(reply) if not trait.holds(part)]
    return " ".join(kept) if kept else reply


def shortened(reply: str, rng: random.Random) -> str:
    """Keep the first few sentences."""
    parts = sentences(reply)
    return " ".join(parts[: rng.randint(1, max(1, min(3, len(parts))))])


def broken(reply: str, rng: random.Random) -> str:
    """Turn a reply into the sort of broken text that a small model writes."""
    words = reply.split()
    start = " ".join(words[: rng.randint(0, 8)])
    way = rng.random()
    if way < 0.35:
        return f"{start} {rng.choice(_BROKEN)}".strip()
    if way < 0.75 and words:
        at = rng.randrange(len(words))
        loop = " ".join(words[at : at + rng.randint(1, 4)])
        return f"{start} {' '.join([loop] * rng.randint(8, 14))}".strip()
    return " ".join(words[: rng.randint(1, 2)]) or "1."


def _inserted(reply: str, sentence: str, rng: random.Random) -> str:
    if "\n" in reply or rng.random() < 0.5:
        return f"{reply} {sentence}" if rng.random() < 0.6 else f"{sentence} {reply}"
    parts = sentences(reply)
    parts.insert(rng.randint(0, len(parts)), sentence)
    return " ".join(parts)
