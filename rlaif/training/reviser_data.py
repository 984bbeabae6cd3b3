"""What a reviser learns from: critiques and rewritings of replies, whose targets code has checked.

A rewriting is a small edit after which the principle is true by code and nearly all of the reply is
still there. Both are asked in the words of the prompt files, with up to three examples before them.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rlaif.constitution.principle import Example
from rlaif.embedded.edits import can_change, with_trait, without_trait
from rlaif.embedded.heldout import trained_phrases, trained_traits
from rlaif.embedded.traits import TRAITS
from rlaif.embedded.traits.base import Exchange, Trait
from rlaif.embedded.traits.frames import framed
from rlaif.records import Prompt
from rlaif.templates import Template
from rlaif.training.judge_data import drawn_wording
from rlaif.training.judge_tree import shown_reply

LONGEST = 560
"""Characters of a reply, before and after: about as many as fit a revision's tokens."""
MOST_EXAMPLES = 3
_TRIES = 40
_SAYS = ("The reply {third}.", "The response {third}.", "It {third}.")


class Rewriting(NamedTuple):
    """A reply of which a principle is not true, and an edit of it of which it is."""

    prompt: str
    principle: str
    before: str
    after: str
    critique: str
    kind: tuple[str, bool]
    """The trait, and whether the principle asks for it."""

    @property
    def example(self) -> Example:
        """The same, as an example of the principle."""
        return Example(prompt=self.prompt, better=self.after, worse=self.before, why=self.critique)


def rewritings(pool: Sequence[Exchange], count: int, rng: random.Random) -> list[Rewriting]:
    """Edit replies so that a principle holds that did not; traits that may be trained, in turn.

    Half of the principles ask for a trait and half deny one. A reply that code cannot mend, and
    one that the edit makes too long, is passed over; fewer than asked may be found.
    """
    traits = [TRAITS[name] for name in trained_traits() if can_change(TRAITS[name])]
    made: list[Rewriting] = []
    for number in range(_TRIES * count):
        if len(made) == count:
            break
        found = _rewriting(rng.choice(pool), traits[number % len(traits)], rng)
        if found is not None:
            made.append(found)
    rng.shuffle(made)
    return made


def _rewriting(exchange: Exchange, trait: Trait, rng: random.Random) -> Rewriting | None:
    had = trait.test(exchange)
    wording = drawn_wording(trait, rng)
    if had is None or wording.claims is had:
        return None
    edit = (
        without_trait(exchange.reply, trait) if had else with_trait(exchange.reply, trait, rng)
    ).strip()
    after = exchange._replace(reply=shown_reply(edit))
    too_long = max(len(exchange.reply), len(edit)) > LONGEST
    if too_long or not edit or trait.test(after) is not wording.claims:
        return None
    return Rewriting(
        exchange.prompt,
        wording.text,
        exchange.reply,
        edit,
        critique_of(trait, rng, wants=wording.claims),
        (trait.name, wording.claims),
    )


def critique_of(trait: Trait, rng: random.Random, *, wants: bool) -> str:
    """Say what is so of a reply that a principle, which wants a trait or denies it, is against."""
    does, lacks = trained_phrases(trait)
    return framed(rng.choice(_SAYS), rng.choice(lacks if wants else does))


def lessons(made: Sequence[Rewriting], rng: random.Random) -> Iterator[tuple[Prompt, str]]:
    """Ask for each critique and each rewriting, with examples of the same trait before some."""
    alike: dict[tuple[str, bool], list[Rewriting]] = defaultdict(list)
    for each in made:
        alike[each.kind].append(each)
    for number, each in enumerate(made):
        others = [other for other in alike[each.kind] if other is not each]
        wanted = rng.choice((0, 0, 1, MOST_EXAMPLES, MOST_EXAMPLES))
        examples = tuple(one.example for one in rng.sample(others, min(wanted, len(others))))
        values: dict[str, object] = {
            "prompt": each.prompt,
            "reply": each.before,
            "principle": each.principle,
            "critique": each.critique,
            "examples": examples,
        }
        for name, answer in (("critique", each.critique), ("revise", each.after)):
            template = Template.load(name)
            request = template.render("", {k: v for k, v in values.items() if k in template.inputs})
            yield Prompt(id=f"{name}-{number}", messages=request.messages), answer
