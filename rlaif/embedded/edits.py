"""Small changes to a reply that flip one trait, so that the trait and not the topic decides."""

import random

from rlaif.embedded.reshape import GIVE, TAKE
from rlaif.embedded.traits import TRAITS
from rlaif.embedded.traits.base import Trait, sentences

_BROKEN = (
    "SmolLM.1.1.1.1.1.1.1.1.1.1.1",
    "the the the the the the the the the the the the the the",
    "1. 1. 1. 1. 1. 1. 1. 1. 1. 1. 1. 1. 1. 1.",
    "<im_start>assistant <im_start>assistant",
    "</reply> </reply>",
)


def can_change(trait: Trait) -> bool:
    """Say whether a reply can be given the trait, or it can be taken from one that has it."""
    parts = trait.both or trait.without
    if parts:
        return all(can_change(TRAITS[name]) for name in parts)
    return bool(trait.add) or trait.name in GIVE or trait.name in TAKE


def with_trait(reply: str, trait: Trait, rng: random.Random) -> str:
    """Give a reply a trait: by its form, a sentence, or what the trait is made of.

    >>> with_trait("Bake it.", TRAITS["greets"], random.Random(0)).endswith(" Bake it.")
    True
    """
    if trait.name in GIVE and trait.holds(shaped := GIVE[trait.name](reply, rng)):
        return shaped
    if trait.add:
        return _added(reply, trait, rng)
    for name in trait.without[1:]:
        reply = without_trait(reply, TRAITS[name])
    for name in trait.both or trait.without[:1]:
        if not TRAITS[name].holds(reply):
            reply = with_trait(reply, TRAITS[name], rng)
    return reply


def without_trait(reply: str, trait: Trait) -> str:
    """Take a trait from a reply; the reply itself where that cannot be done or nothing is left.

    >>> without_trait("Bake it. What do you think?", TRAITS["asks-question"])
    'Bake it.'
    """
    if trait.name in TAKE and (less := TAKE[trait.name](reply)) and not trait.holds(less):
        return less
    for name in trait.both or trait.without[:1]:
        less = without_trait(reply, TRAITS[name])
        if less != reply and not trait.holds(less):
            return less
    return _cut(reply, trait) or reply


def _cut(reply: str, trait: Trait) -> str:
    """Leave out the sentences that have the trait, at the start alone where it is a start."""
    parts = sentences(reply)
    if trait.place == "start":
        while parts and trait.holds(" ".join(parts)):
            parts = parts[1:]
        return " ".join(parts)
    return " ".join(part for part in parts if not trait.holds(part))


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


def _added(reply: str, trait: Trait, rng: random.Random) -> str:
    if trait.place == "whole":
        return " ".join(rng.sample(trait.add, rng.randint(1, min(4, len(trait.add)))))
    sentence = rng.choice(trait.add)
    if trait.place == "start":
        return f"{sentence}{'' if sentence.endswith(chr(10)) else ' '}{reply}"
    if sentence.startswith("\n"):
        return reply + sentence
    return f"{reply} {sentence}" if trait.place == "end" else _inserted(reply, sentence, rng)


def _inserted(reply: str, sentence: str, rng: random.Random) -> str:
    if "\n" in reply or rng.random() < 0.5:
        return f"{reply} {sentence}" if rng.random() < 0.6 else f"{sentence} {reply}"
    parts = sentences(reply)
    parts.insert(rng.randint(0, len(parts)), sentence)
    return " ".join(parts)
