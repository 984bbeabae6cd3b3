"""What the judge learns from: exchanges, and questions about them that code has answered."""

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from rlaif.embedded.edits import broken, can_change, shortened, with_trait, without_trait
from rlaif.embedded.heldout import (
    Wording,
    held_out,
    is_held_out,
    known_wordings,
    trained_phrases,
    trained_traits,
)
from rlaif.embedded.refusals import refusal
from rlaif.embedded.traits import TRAITS, answers
from rlaif.embedded.traits.base import Exchange, Kind, Trait
from rlaif.embedded.traits.frames import DOES, DOES_NOT, framed
from rlaif.errors import InputError, StageError
from rlaif.training.judge_tree import Ask, Shown, shown_reply

KINDS: tuple[Kind, ...] = ("unsafe", "scary", "ordinary")
MOST_QUESTIONS = 32
"""After one reply, or a few more; the rest is asked in another row."""
_MOST_TIMES = 8
"""A reply is asked about one trait this often at most."""
DOUBLE_DENIALS = 0.03
"""Of all statements, the share that denies a phrase which denies already: people write few."""
TIMES_THE_USUAL = {
    "refuses": 4.0, "complies": 3.0, "offers-alternative": 3.0, "helps-harm": 3.0,
    "declines-harm": 3.0, "over-refuses": 2.0, "helps-safely": 2.0, "declines-kindly": 2.0,
    "well-judged": 2.0, "degenerate": 2.0, "sensible": 1.5, "lectures": 2.0, "flatters": 1.5,
    "warm": 2.0, "brief": 2.0, "declines-with-offer": 1.5,
}  # fmt: skip
"""How many questions a trait gets, where it is not the usual number."""


class Question(NamedTuple):
    """A statement about a reply and how likely it is true."""

    trait: str
    text: str
    answer: float
    """1 where it is true, 0 where it is not; between them where people did not agree. In a
    comparison, of the first reply rather than of the second."""
    pair: str = ""
    """Names the two replies that it is asked about, one beside the other, where it ranks them."""


class Document(NamedTuple):
    """An exchange and questions about it, all asked in one way."""

    exchange: Exchange
    questions: list[Question]
    ask: Ask = "absolute"
    other: str = ""
    """The second reply of a comparison."""

    @property
    def shown(self) -> Shown:
        """What the judge is shown before it is asked."""
        return Shown(self.exchange.prompt, self.exchange.reply, self.other)

    @property
    def length(self) -> int:
        """About how long its row is, in characters."""
        return sum(map(len, self.shown)) + sum(len(each.text) + 4 for each in self.questions)


def prompts(kind: Kind, *, kept: bool) -> list[str]:
    """Read the prompts of one kind: those for training, or those kept for tests."""
    text = files("rlaif.embedded").joinpath("prompts", f"{kind}.txt").read_text(encoding="utf-8")
    share = held_out().prompts
    return [line for line in text.splitlines() if is_held_out(line, share) == kept]


def read_replies(path: Path, *, kept: bool) -> list[Exchange]:
    """Read the base model's replies: those for training, or those kept for tests.

    Raises:
        InputError: when the file is not there, or a line of it is no reply.
    """
    rows = list(_rows(path))
    share = held_out().prompts
    return [
        Exchange(shown_reply(row["reply"]), row["prompt"], row["kind"])
        for row in rows
        if row["reply"].strip() and is_held_out(row["prompt"], share) == kept
    ]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); expected JSONL of replies") from None
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            yield {name: row[name] for name in ("reply", "prompt", "kind")}
        except (ValueError, TypeError, KeyError):
            raise InputError(
                f"{path}:{number}: expected an object with kind, prompt and reply"
            ) from None


def exchanges(
    replies: Sequence[Exchange], count: int, rng: random.Random, *, kept: bool
) -> list[Exchange]:
    """Make exchanges from the base's replies, refusals, broken text, and edits of them all.

    Raises:
        StageError: when there is no reply.
    """
    if not replies:
        raise StageError("no reply to learn from, or to be examined on; draw more of them")
    by_kind = {kind: prompts(kind, kept=kept) for kind in KINDS}
    made: list[Exchange] = []
    while len(made) < count:
        draw = rng.random()
        if draw < 0.26:
            kind: Kind = rng.choice(("unsafe", "unsafe", "unsafe", "scary", "ordinary"))
            start = Exchange(refusal(rng, kept=kept), rng.choice(by_kind[kind]), kind)
        else:
            start = rng.choice(replies)
            if draw < 0.31:
                start = start._replace(reply=broken(start.reply, rng))
            elif draw < 0.50:
                start = start._replace(reply=shortened(start.reply, rng))
        made.append(start)
        if (draw >= 0.31 and rng.random() < 0.55) or (draw < 0.26 and rng.random() < 0.4):
            made.append(edited(start, rng))
    return [e._replace(reply=shown_reply(e.reply)) for e in made[:count] if e.reply.strip()]


def edited(exchange: Exchange, rng: random.Random) -> Exchange:
    """Change one to three traits of a reply."""
    reply = exchange.reply
    for trait in rng.sample(_changeable(), rng.choice((1, 1, 2, 3))):
        had = trait.holds(reply)
        reply = without_trait(reply, trait) if had else with_trait(reply, trait, rng)
    return exchange._replace(reply=reply)


@cache
def _changeable() -> list[Trait]:
    return [trait for trait in TRAITS.values() if can_change(trait)]


class Lesson(NamedTuple):
    """A part of the training: which statements are drawn in it."""

    share: float
    """Of all questions."""
    replies: float
    """Of all replies; each lesson has its own."""
    traits: tuple[str, ...] = ()
    """Only these; every trained one where none is named."""
    phrases: int | None = None
    """Of each trait, the first so many, where the others come later."""
    frames: int | None = None
    """Of the sentences that phrases stand in, the first so many."""
    more: bool = False
    """Use the phrases of `wordings/more` as well."""
    has_denials: bool = False
    twins: float = 0.0
    """Of all questions, the share that is asked with its denial, the same phrase, beside it."""


PLAIN = (
    "asks-question", "list", "brief", "refuses", "first-person", "flatters", "warm", "lectures",
    "offers-alternative", "degenerate", "complies", "agrees",
)  # fmt: skip
"""What is easily seen in a reply."""

LESSONS = (
    Lesson(0.12, 0.34, traits=PLAIN, phrases=4, frames=4),
    Lesson(0.12, 0.10, phrases=4, frames=4),
    Lesson(0.16, 0.12),
    Lesson(0.60, 0.44, has_denials=True),
)
"""Few plain claims first, then many, then denials. From nothing, a mix in which half of the
statements are denials stays on a plateau: finding in a reply what a statement speaks of says
nothing about the answer there."""
ALL_OF_IT = Lesson(1.0, 1.0, has_denials=True, twins=0.5)
"""What a judge that has had the lessons goes on with."""


def drawn_wording(trait: Trait, rng: random.Random, lesson: Lesson = LESSONS[-1]) -> Wording:
    """Draw a sentence about a trait that training may use, half of them denials."""
    does, lacks = trained_phrases(trait, more=lesson.more)
    does = does[: lesson.phrases]
    frames = DOES[:-1][: lesson.frames]
    way = rng.random() if lesson.has_denials else 0.0
    if way < 0.46:
        return Wording(framed(rng.choice(frames), rng.choice(does)), claims=True)
    if way < 0.74:
        return Wording(framed(rng.choice(DOES_NOT[:-1]), rng.choice(does)), claims=False)
    if way < 1 - DOUBLE_DENIALS:
        return Wording(framed(rng.choice(frames), rng.choice(lacks)), claims=False)
    return Wording(framed(rng.choice(DOES_NOT[:-1]), rng.choice(lacks)), claims=True)


def _twins(trait: Trait, rng: random.Random, lesson: Lesson) -> list[Wording]:
    """Claim and deny one trait: the two answers differ in one row about one reply."""
    does, lacks = trained_phrases(trait, more=lesson.more)
    phrase = rng.choice(does)
    claim = framed(rng.choice(DOES[:-1]), phrase)
    if rng.random() < 0.6:
        # The same phrase: nothing but the denial can tell the answers apart.
        denial = framed(rng.choice(DOES_NOT[:-1]), phrase)
    else:
        denial = framed(rng.choice(DOES[:-1]), rng.choice(lacks))
    return [Wording(claim, claims=True), Wording(denial, claims=False)]


def documents(
    pool: Sequence[Exchange], labels: int, rng: random.Random, lesson: Lesson = LESSONS[-1]
) -> list[Document]:
    """Ask about each trait as often where it holds as where it does not."""
    asked: dict[int, list[Question]] = defaultdict(list)
    names = [name for name in trained_traits() if not lesson.traits or name in lesson.traits]
    unit = labels / sum(TIMES_THE_USUAL.get(name, 1.0) for name in names)
    given = answers(pool, names)
    for name in names:
        trait, wanted = TRAITS[name], round(unit * TIMES_THE_USUAL.get(name, 1.0) / 2)
        sides = {
            truth: [index for index, value in enumerate(given[name]) if value is truth]
            for truth in (True, False)
        }
        twins = round(wanted * lesson.twins / 2)
        count = min(wanted - twins, _MOST_TIMES * min(map(len, sides.values())))
        # Each sentence is asked where it is true as often as where it is not.
        asking = [
            _twins(trait, rng, lesson) if number < twins else [drawn_wording(trait, rng, lesson)]
            for number in range(count)
        ]
        for truth, having in sides.items():
            for index, wordings in zip(_spread(having, count, rng), asking, strict=True):
                asked[index] += [Question(name, w.text, float(truth == w.claims)) for w in wordings]
    rows = [
        Document(pool[index], chunk)
        for index, questions in asked.items()
        for chunk in _chunks(questions, rng)
    ]
    rng.shuffle(rows)
    return rows


def merged(
    documents: Sequence[Document], others: Sequence[Document], rng: random.Random
) -> list[Document]:
    """Put what others ask into the rows about the same replies; shuffled."""
    further = {document.exchange: document for document in others}
    rows = []
    for document in documents:
        more = further.pop(document.exchange, None)
        questions = document.questions + more.questions if more else document.questions
        rows.append(Document(document.exchange, questions))
    rows += further.values()
    rng.shuffle(rows)
    return rows


def _spread(having: list[int], wanted: int, rng: random.Random) -> list[int]:
    """Draw as many as wanted, each about as often as the others, none more than eight times."""
    drawn: list[int] = []
    for _ in range(_MOST_TIMES):
        drawn += rng.sample(having, min(wanted - len(drawn), len(having)))
    return drawn


def _chunks(questions: list[Question], rng: random.Random) -> list[list[Question]]:
    rng.shuffle(questions)
    parts = max(1, round(len(questions) / MOST_QUESTIONS))
    return [questions[part::parts] for part in range(parts)]


__all__ = ["Document", "Question", "documents", "exchanges", "known_wordings", "read_replies"]
