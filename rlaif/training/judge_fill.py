"""Replies that have a trait and replies that lack it, made by edits where too few were drawn."""

import random
from collections.abc import Sequence

from rlaif.embedded.edits import can_change, with_trait, without_trait
from rlaif.embedded.traits import answers
from rlaif.embedded.traits.base import Exchange, Trait
from rlaif.training.judge_tree import shown_reply

_TRIES = 4
"""Replies that are edited for one that is missing: not every edit succeeds."""


def filled(
    pool: Sequence[Exchange], traits: Sequence[Trait], each: int, rng: random.Random
) -> list[Exchange]:
    """Add edited replies to a pool until `each` have a trait and as many lack it, where edits can.

    Few replies are Spanish or thank anybody: with none of them a trait would not be asked about.
    """
    added: dict[Exchange, None] = {}
    drawn = set(pool)
    given = answers(pool, [trait.name for trait in traits])
    for trait in traits:
        if not can_change(trait):
            continue
        for wanted in (True, False):
            missing = each - given[trait.name].count(wanted)
            others = [e for e, truth in zip(pool, given[trait.name], strict=True)
                      if truth is not wanted]  # fmt: skip
            for exchange in rng.sample(others, min(_TRIES * max(missing, 0), len(others))):
                if missing == 0:
                    break
                edit = _flipped(exchange, trait, rng, wanted=wanted)
                if edit and edit not in added and edit not in drawn:
                    added[edit] = None
                    missing -= 1
    return [*pool, *added]


def _flipped(
    exchange: Exchange, trait: Trait, rng: random.Random, *, wanted: bool
) -> Exchange | None:
    """Give a reply a trait or take it away; None where that did not succeed."""
    reply = exchange.reply
    changed = with_trait(reply, trait, rng) if wanted else without_trait(reply, trait)
    edit = exchange._replace(reply=shown_reply(changed))
    return edit if edit.reply.strip() and trait.test(edit) is wanted else None
