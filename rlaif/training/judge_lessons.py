"""What a judge is asked in training, in which order: lessons, pairs, ratings and people's words."""

import random
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from rlaif.embedded.heldout import trained_traits
from rlaif.embedded.traits import TRAITS
from rlaif.embedded.traits.base import Exchange
from rlaif.records import Record
from rlaif.training.judge_attacks import talking
from rlaif.training.judge_data import (
    LESSONS,
    Document,
    Lesson,
    documents,
    exchanges,
    merged,
    read_replies,
)
from rlaif.training.judge_fill import filled
from rlaif.training.judge_pairs import both_orders, comparisons, minimal_pairs, ratings
from rlaif.training.judge_people import compared, people_documents


class JudgeTraining(Record):
    """How a judge is trained."""

    labels: int = Field(default=60_000, ge=100)
    """Questions of yes or no asked about replies, whose answers code knows."""
    people: int = Field(default=1_000, ge=0)
    """Of people's judgements, this many questions beside them, each time they are gone through."""
    people_times: int = Field(default=1, ge=1)
    """How often people's judgements are gone through; what is said of ranked pairs is drawn anew
    each time."""
    exchanges: int = Field(default=2_400, ge=10)
    """Replies that the questions are about: the base's own, refusals, and edits of both."""
    fewest: int = Field(default=8, ge=0)
    """Replies that are to have each trait, and that are to lack it, in all lessons together: edits
    of those that were drawn are added where there are fewer. 0 adds none."""
    more_phrases: bool = False
    """Say each trait in more ways (`wordings/more`), as a long training can."""
    minimal_pairs: int = Field(default=400, ge=0)
    """Replies that stand beside an edit of themselves that flips the trait in question."""
    comparisons: int = Field(default=800, ge=0)
    """Pairs of replies about which is asked, in both orders, which fits better, A or B; some were
    people's."""
    talking: float = Field(default=0.15, ge=0, le=1)
    """Of the replies, the share that talks to its judge: a verdict, or what to say."""
    ratings: int = Field(default=200, ge=0)
    """Replies about which some of the questions are asked for a number from 1 to 10."""
    rank: int = Field(default=16, ge=1)
    """LoRA's rank."""
    layers_from: int = Field(default=6, ge=0)
    """The first layer that is adapted; the lower ones read, the upper ones judge."""
    learning_rate: float = Field(default=5e-4, gt=0)
    batch: int = Field(default=4, ge=2, multiple_of=2)
    """Rows in one step, even in number since pairs stay together; a row is a reply with its
    questions."""
    seed: int = 0
    save_every: float = Field(default=180.0, gt=0)
    """Seconds between checkpoints."""


PEOPLE_COMPARED = 0.2
"""Of the comparisons, the share that people ranked."""


def training_documents(
    config: JudgeTraining,
    replies: Path,
    data: Path | None,
    lessons: Sequence[Lesson] = LESSONS,
) -> list[Document]:
    """Make the questions that training asks, the same ones for the same seed."""
    rng = random.Random(config.seed)
    pool = exchanges(read_replies(replies, kept=False), config.exchanges, rng, kept=False)
    if config.fewest:
        traits = [TRAITS[name] for name in trained_traits()]
        pool = filled(list(dict.fromkeys(pool)), traits, config.fewest, rng)
        rng.shuffle(pool)
    people, *again = (
        people_documents(data, config.people, rng, str(number or ""))
        for number in range(config.people_times)
    )
    asked: list[Document] = []
    taken = 0
    used = [lesson._replace(more=config.more_phrases) for lesson in lessons]
    odd: list[Document] = []
    for lesson in used:
        # Each lesson has replies of its own, so that rows are full of questions.
        count = round(len(pool) * lesson.replies)
        part = pool[taken : taken + count]
        taken += count
        labels = round(config.labels * lesson.share)
        if lesson is used[-1]:
            # What is ranked stands at an even place.
            odd = [asked.pop()] if len(asked) % 2 else []
            asked += _last(config, part, people, labels, lesson, rng, again)
        else:
            asked += documents(part, labels, rng, lesson)
    return asked + odd


def _last(  # noqa: PLR0913 (all that the last lesson is made of)
    config: JudgeTraining,
    pool: list[Exchange],
    people: list[Document],
    labels: int,
    lesson: Lesson,
    rng: random.Random,
    again: Sequence[list[Document]] = (),
) -> list[Document]:
    """Make the last lesson: all ways of asking, of all that was said."""
    pool = [talking(each, rng) if rng.random() < config.talking else each for each in pool]
    twins = [
        each for pair in minimal_pairs(pool, config.minimal_pairs, rng, lesson) for each in pair
    ]
    others = [*people, *twins]
    # Code has questions about the replies that people judged and about the edits, too.
    whole = list(dict.fromkeys([*pool, *(document.exchange for document in others)]))
    made = merged(documents(whole, labels, rng, lesson), others, rng)
    # What is gone through again stands alone: code has asked about these replies.
    anew = [document for documents in again for document in documents]
    ranked = compared([*people, *anew], round(config.comparisons * PEOPLE_COMPARED), rng)
    which = comparisons(pool, config.comparisons - len(ranked), rng, lesson)
    orders = both_orders([*ranked, *which])
    return in_twos([*made, *anew, *orders, *ratings(made, config.ratings, rng)], rng)


def in_twos(documents: Sequence[Document], rng: random.Random) -> list[Document]:
    """Shuffle, and keep the two replies that a question ranks side by side, at an even place."""
    pairs: dict[str, list[Document]] = {}
    alone: list[Document] = []
    for document in documents:
        name = next((q.pair for q in document.questions if q.pair), "")
        if name:
            pairs.setdefault(name, []).append(document)
        else:
            alone.append(document)
    rng.shuffle(alone)
    # A row is padded to the one beside it.
    odd = [alone.pop()] if len(alone) % 2 else []
    alone.sort(key=lambda document: document.length)
    twos = [*pairs.values(), *(alone[at : at + 2] for at in range(0, len(alone), 2))]
    rng.shuffle(twos)
    return [document for two in twos for document in two] + odd
