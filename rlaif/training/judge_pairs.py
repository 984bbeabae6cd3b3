"""Questions about two replies: edits that flip one trait, comparisons A or B, and ratings."""

import random
from collections import Counter
from collections.abc import Sequence

from rlaif.embedded.edits import with_trait, without_trait
from rlaif.embedded.heldout import trained_traits
from rlaif.embedded.traits import TRAITS, answers
from rlaif.embedded.traits.base import Exchange
from rlaif.training.judge_data import (
    LESSONS,
    Document,
    Lesson,
    Question,
    drawn_wording,
    edited,
)
from rlaif.training.judge_tree import shown_reply

ALIKE = 0.15
"""Of a comparison's questions, the share that does not tell the two replies apart: one half."""
_A_COMPARISON = 14
_A_RATING = 10
_TRIES = 30

Twins = tuple[Document, Document]


def minimal_pairs(
    pool: Sequence[Exchange], count: int, rng: random.Random, lesson: Lesson = LESSONS[-1]
) -> list[Twins]:
    """Ask the same of a reply and of an edit of it that flips the trait in question alone.

    The topic, the length and the rest are the same in both, so that the trait has to decide.
    """
    traits = [TRAITS[name] for name in trained_traits() if TRAITS[name].add]
    asked: Counter[str] = Counter()
    used: set[Exchange] = set()
    made: list[Twins] = []
    for _ in range(_TRIES * count):
        if len(made) == count:
            break
        exchange, trait = rng.choice(pool), min(rng.sample(traits, 3), key=lambda t: asked[t.name])
        twin = _flipped(exchange, trait.name, rng)
        if twin is None or exchange in used or twin in used:
            continue
        used |= {exchange, twin}
        asked[trait.name] += 1
        name = f"minimal-{len(made)}"
        wordings = [drawn_wording(trait, rng, lesson) for _ in range(2)]
        first, second = (
            Document(
                each,
                [
                    Question(trait.name, w.text, float(trait.holds(each) == w.claims), name)
                    for w in wordings
                ],
            )
            for each in (exchange, twin)
        )
        made.append((first, second))
    return made


def _flipped(exchange: Exchange, name: str, rng: random.Random) -> Exchange | None:
    """Add a trait, or cut it; None where that does not flip it."""
    trait = TRAITS[name]
    truth = trait.test(exchange)
    if truth is None:
        return None
    reply = (
        without_trait(exchange.reply, trait) if truth else with_trait(exchange.reply, trait, rng)
    )
    twin = exchange._replace(reply=shown_reply(reply))
    return twin if twin.reply and trait.test(twin) is (not truth) else None


def comparisons(
    pool: Sequence[Exchange], count: int, rng: random.Random, lesson: Lesson = LESSONS[-1]
) -> list[Document]:
    """Ask which of two replies to one prompt fits a statement better, in either order.

    Half of the second replies are edits of the first. Of what two replies differ in, the traits
    that were asked about least are taken first; a few statements fit both or neither.
    """
    names = trained_traits()
    asked: Counter[str] = Counter()
    made: list[Document] = []
    for _ in range(_TRIES * count):
        if len(made) == count:
            break
        first = rng.choice(pool)
        second = _another(first, pool, rng)
        if second.reply == first.reply or not second.reply:
            continue
        if rng.random() < 0.5:
            first, second = second, first
        truths = answers([first, second], names)
        known = {name: pair for name, pair in truths.items() if None not in pair}
        differing = [name for name, (one, other) in known.items() if one is not other]
        if not differing:
            continue
        differing.sort(key=lambda name: asked[name] + rng.random())
        differing = differing[:_A_COMPARISON]
        asked.update(differing)
        alike = [name for name, (one, other) in known.items() if one is other]
        few = rng.sample(alike, min(len(alike), round(len(differing) * ALIKE + rng.random() / 2)))
        questions = [_which(name, rng, lesson, is_first=bool(known[name][0])) for name in differing]
        questions += [_which(name, rng, lesson, is_first=None) for name in few]
        rng.shuffle(questions)
        made.append(Document(first, questions, "compare", second.reply))
    return made


def _another(first: Exchange, pool: Sequence[Exchange], rng: random.Random) -> Exchange:
    second = edited(first, rng) if rng.random() < 0.5 else rng.choice(pool)
    return first._replace(reply=shown_reply(second.reply))


def _which(name: str, rng: random.Random, lesson: Lesson, *, is_first: bool | None) -> Question:
    """Ask which reply has a trait: the first, the second, or (None) neither more than the other."""
    wording = drawn_wording(TRAITS[name], rng, lesson)
    answer = 0.5 if is_first is None else float(is_first == wording.claims)
    return Question(name, wording.text, answer)


def turned(document: Document) -> Document:
    """Show a comparison's replies in the other order; what fitted the first fits the second."""
    questions = [each._replace(answer=1 - each.answer) for each in document.questions]
    shown_first = document.exchange._replace(reply=document.other)
    return Document(shown_first, questions, document.ask, document.exchange.reply)


def both_orders(documents: Sequence[Document]) -> list[Document]:
    """Ask each comparison in both orders, one beside the other.

    Ranking the two answers teaches that the replies decide and not their places.
    """
    made = []
    for number, document in enumerate(documents):
        name = f"orders-{number}"
        # What tells nothing apart has nothing to rank.
        questions = [q._replace(pair="" if q.answer == 0.5 else name) for q in document.questions]
        first = document._replace(questions=questions)
        made += [first, turned(first)]
    return made


def ratings(documents: Sequence[Document], count: int, rng: random.Random) -> list[Document]:
    """Ask some of what is asked already for a number from 1 to 10 instead."""
    whole = [document for document in documents if document.ask == "absolute"]
    drawn = rng.sample(whole, min(count, len(whole)))
    return [
        Document(each.exchange, _few([q._replace(pair="") for q in each.questions], rng), "score")
        for each in drawn
    ]


def _few(questions: list[Question], rng: random.Random) -> list[Question]:
    return rng.sample(questions, min(len(questions), _A_RATING))
