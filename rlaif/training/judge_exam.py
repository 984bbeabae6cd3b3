"""Examine a judge: statements it may know and statements it cannot, about replies it never saw."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from rlaif.embedded.heldout import Wording, held_out, known_wordings, new_wordings
from rlaif.embedded.traits import TRAITS
from rlaif.embedded.traits.base import Exchange, Trait
from rlaif.training.judge_tree import answer_ids, answer_logits, pack, row

Part = Literal["known wording", "new wording", "trait never trained"]
Polarity = Literal["does", "does not"]
PARTS: tuple[Part, ...] = ("known wording", "new wording", "trait never trained")
POLARITIES: tuple[Polarity, ...] = ("does", "does not")
_FEWEST = 3
"""Replies that a wording needs of each kind, or it is left out."""
_A_ROW = 24
_ROWS = 8


class Item(NamedTuple):
    """One statement about one reply, and whether it is true."""

    part: Part
    trait: str
    polarity: Polarity
    text: str
    exchange: int
    truth: bool


def exam(pool: Sequence[Exchange], rng: random.Random, *, wordings: int, each: int) -> list[Item]:
    """Ask about every trait: `wordings` of a kind, each true of `each` replies and false of `each`.

    A wording for which the pool has too few replies of one kind is left out.
    """
    items: list[Item] = []
    for trait in TRAITS.values():
        truths = [trait.test(exchange) for exchange in pool]
        having = [number for number, truth in enumerate(truths) if truth is True]
        lacking = [number for number, truth in enumerate(truths) if truth is False]
        count = min(each, len(having), len(lacking))
        if count < _FEWEST:
            continue
        for part, wording in _drawn(trait, rng, wordings):
            polarity: Polarity = "does" if wording.claims else "does not"
            items += [
                Item(part, trait.name, polarity, wording.text, number, truth is wording.claims)
                for truth, numbers in ((True, having), (False, lacking))
                for number in rng.sample(numbers, count)
            ]
    return items


def _drawn(trait: Trait, rng: random.Random, wordings: int) -> Iterator[tuple[Part, Wording]]:
    known, new = known_wordings(trait), new_wordings(trait)
    if trait.name in held_out().traits:
        # Of a trait never trained, no wording is known.
        pools: list[tuple[Part, list[Wording]]] = [("trait never trained", known + new)]
    else:
        pools = [("known wording", known), ("new wording", new)]
    for part, pool in pools:
        for claims in (True, False):
            fitting = [wording for wording in pool if wording.claims is claims]
            for wording in rng.sample(fitting, min(wordings, len(fitting))):
                yield part, wording


def answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pool: Sequence[Exchange],
    items: Sequence[Item],
    advance: Callable[[int], None] = lambda _: None,
) -> np.ndarray:
    """Give each item's log-odds of yes, as one question alone gets it; shape (items,).

    A reply is read once for many questions, none of which sees another.
    """
    yes, no = answer_ids(tokenizer)
    by_exchange: dict[int, list[int]] = defaultdict(list)
    for number, item in enumerate(items):
        by_exchange[item.exchange].append(number)
    rows = [
        (exchange, numbers[start : start + _A_ROW])
        for exchange, numbers in by_exchange.items()
        for start in range(0, len(numbers), _A_ROW)
    ]
    # Rows of like length together: a row is padded to the longest beside it.
    rows.sort(key=lambda r: (len(pool[r[0]].reply) + len(pool[r[0]].prompt), len(r[1])))
    odds, done = np.zeros(len(items)), 0
    for start in range(0, len(rows), _ROWS):
        part = rows[start : start + _ROWS]
        packed = pack(
            [
                row(tokenizer, pool[e].prompt, pool[e].reply, [items[n].text for n in numbers])
                for e, numbers in part
            ],
            tokenizer.pad_token_id,
            model.device,
        )
        with torch.inference_mode():
            logits = answer_logits(model, packed)
        places = [n for _, numbers in part for n in numbers]
        odds[places] = (logits[:, yes] - logits[:, no]).cpu().numpy()
        done += len(places)
        advance(done)
    return odds


def auc(odds: np.ndarray, truths: np.ndarray) -> float:
    """Give the chance that a true statement is rated above a false one; a tie counts half.

    >>> auc(np.array([2.0, 1.0, 0.0]), np.array([True, False, False]))
    1.0
    >>> auc(np.array([1.0, 1.0]), np.array([True, False]))
    0.5
    """
    above = odds[truths][:, None] - odds[~truths][None, :]
    return float(np.mean((above > 0) + 0.5 * (above == 0)))
