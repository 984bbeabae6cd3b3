"""A person's own examples for a judge: read, parted by prompt, trained on, and asked about."""

import hashlib
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from rlaif.embedded.traits.base import Exchange
from rlaif.errors import InputError
from rlaif.records import Record
from rlaif.storage import read_records
from rlaif.training.judge_data import Document, Question
from rlaif.training.judge_exam import ExaminedJudge, Item
from rlaif.training.judge_lessons import in_twos
from rlaif.yamlfile import load

KEPT = 0.2
"""The share of prompts that is kept aside, to measure on."""
FEWEST_PROMPTS = 5
MOST_QUESTIONS = 32
"""After one reply; the rest is asked in another row."""


class OwnExample(Record):
    """A reply, a principle, and whether the principle holds of it."""

    principle: str = Field(min_length=1)
    """The sentence, stated of the reply: "The response …"."""
    prompt: str = Field(min_length=1)
    reply: str = Field(min_length=1)
    answer: bool


class OwnFile(Record):
    """A YAML file of examples."""

    examples: tuple[OwnExample, ...]


def read_own(path: Path) -> list[OwnExample]:
    """Read a person's examples: JSONL, one a line, or YAML with a list named `examples`.

    Raises:
        InputError: with file and line for a mistake; for no example; where all answers are the
            same; and for fewer than five prompts, of which none could be kept aside.
    """
    is_yaml = path.suffix in (".yaml", ".yml")
    read = load(path, OwnFile).examples if is_yaml else read_records(path, OwnExample)
    examples = list(dict.fromkeys(read))
    if not examples:
        raise InputError.at(path, None, "no example in it")
    answers = {example.answer for example in examples}
    if len(answers) == 1:
        said = "yes" if True in answers else "no"
        what = f"every answer is {said}; a judge learns from examples of both"
        raise InputError.at(path, None, what)
    prompts = len({example.prompt for example in examples})
    if prompts < FEWEST_PROMPTS:
        what = f"{prompts} prompts; {FEWEST_PROMPTS} are needed, so that one can be kept aside"
        raise InputError.at(path, None, what)
    return examples


def parted(examples: Sequence[OwnExample]) -> tuple[list[OwnExample], list[OwnExample]]:
    """Part examples into those to learn from and those kept aside: a fifth of the prompts.

    The prompts' text alone decides which, so that more examples of a prompt never change sides
    within one file.
    """
    prompts = sorted({example.prompt for example in examples}, key=_digest)
    aside = set(prompts[: max(1, round(KEPT * len(prompts)))])
    kept = [example for example in examples if example.prompt in aside]
    return [example for example in examples if example.prompt not in aside], kept


def _digest(prompt: str) -> bytes:
    return hashlib.sha256(f"own:{prompt.strip()}".encode()).digest()


def own_documents(examples: Sequence[OwnExample], epochs: int, seed: int) -> list[Document]:
    """Ask every example once an epoch; what is asked about one reply is asked together."""
    rng = random.Random(seed)
    together: dict[Exchange, list[Question]] = {}
    for one in examples:
        question = Question("own", one.principle, float(one.answer))
        together.setdefault(Exchange(one.reply, one.prompt), []).append(question)
    rows = [row for exchange, asked in together.items() for row in _rows(exchange, asked)]
    return [document for _ in range(epochs) for document in in_twos(rows, rng)]


def _rows(exchange: Exchange, asked: list[Question]) -> Iterator[Document]:
    for start in range(0, len(asked), MOST_QUESTIONS):
        yield Document(exchange, asked[start : start + MOST_QUESTIONS])


def own_odds(base: Path, adapter: Path | None, examples: Sequence[OwnExample]) -> np.ndarray:
    """Ask a judge about examples: the log-odds of yes, of shape (examples,)."""
    pool = list(dict.fromkeys(Exchange(one.reply, one.prompt) for one in examples))
    places = {exchange: number for number, exchange in enumerate(pool)}
    items = [
        Item(
            part="known wording",
            trait="own",
            polarity="does",
            text=one.principle,
            exchange=places[Exchange(one.reply, one.prompt)],
            truth=one.answer,
        )
        for one in examples
    ]
    return ExaminedJudge(base, adapter).answers(pool, items)
