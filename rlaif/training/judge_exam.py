"""Examine a judge: statements it may know and statements it cannot, about replies it never saw."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from rlaif.embedded.heldout import Wording, held_out, known_wordings, new_wordings
from rlaif.embedded.traits import TRAITS, answers
from rlaif.embedded.traits.base import Exchange, Trait
from rlaif.training.common import half_where_fast
from rlaif.training.judge_base import tokenizer_of
from rlaif.training.judge_tree import (
    SIDES,
    Ask,
    Shown,
    answer_ids,
    answer_logits,
    pack,
    row,
)

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


def drawn_traits(count: int | None, rng: random.Random) -> list[Trait]:
    """Draw so many trained traits, and a fifth as many never trained; all where none is said."""
    if count is None:
        return list(TRAITS.values())
    kept = sorted(held_out().traits)
    trained = [name for name in TRAITS if name not in held_out().traits]
    names = rng.sample(trained, min(count, len(trained)))
    return [TRAITS[n] for n in [*names, *rng.sample(kept, min(-(-count // 5), len(kept)))]]


def exam(
    pool: Sequence[Exchange],
    traits: Sequence[Trait],
    rng: random.Random,
    *,
    wordings: int,
    each: int,
    more: bool = False,
) -> list[Item]:
    """Ask about traits: `wordings` of a kind, each true of `each` replies and false of `each`.

    A wording for which the pool has too few replies of one kind is left out. Where the judge
    learned `more` phrases, known wordings are drawn from these as well.
    """
    items: list[Item] = []
    given = answers(pool, [trait.name for trait in traits])
    for trait in traits:
        truths = given[trait.name]
        having = [number for number, truth in enumerate(truths) if truth is True]
        lacking = [number for number, truth in enumerate(truths) if truth is False]
        count = min(each, len(having), len(lacking))
        if count < _FEWEST:
            continue
        for part, wording in _drawn(trait, rng, wordings, more=more):
            polarity: Polarity = "does" if wording.claims else "does not"
            items += [
                Item(part, trait.name, polarity, wording.text, number, truth is wording.claims)
                for truth, numbers in ((True, having), (False, lacking))
                for number in rng.sample(numbers, count)
            ]
    return items


def _drawn(
    trait: Trait, rng: random.Random, wordings: int, *, more: bool
) -> Iterator[tuple[Part, Wording]]:
    known, new = known_wordings(trait), new_wordings(trait)
    if trait.name in held_out().traits:
        # Of a trait never trained, no wording is known.
        pools: list[tuple[Part, tuple[Wording, ...]]] = [("trait never trained", known + new)]
    else:
        pools = [("known wording", known), ("new wording", new)]
    for part, pool in pools:
        for claims in (True, False):
            fitting = [wording for wording in pool if wording.claims is claims]
            drawn = rng.sample(fitting, min(wordings, len(fitting)))
            if more and part == "known wording":
                drawn = _of_all(trait, len(drawn), claims=claims)
            for wording in drawn:
                yield part, wording


def _of_all(trait: Trait, count: int, *, claims: bool) -> list[Wording]:
    """Draw among more phrases, by the trait alone: the rest of the paper is as it is without."""
    pool = [w for w in known_wordings(trait, more=True) if w.claims is claims]
    return random.Random(f"{trait.name} {claims}").sample(pool, count)


class Asked(NamedTuple):
    """Statements that are asked about after one thing that is shown."""

    shown: Shown
    statements: Sequence[str]
    ask: Ask = "absolute"


class ExaminedJudge:
    """A judge under examination: a base, and the adapter that makes it a judge."""

    def __init__(self, base: Path, adapter: Path | None) -> None:
        """Load the base, with the adapter merged into it."""
        self.tokenizer = tokenizer_of(base)
        model = AutoModelForCausalLM.from_pretrained(base, dtype=half_where_fast())
        if adapter is not None:
            model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
        self.model = model.eval().to("cuda" if torch.cuda.is_available() else "cpu")
        self._sides = {ask: answer_ids(self.tokenizer, ask) for ask in SIDES}

    def answers(
        self,
        pool: Sequence[Exchange],
        items: Sequence[Item],
        advance: Callable[[int], None] = lambda _: None,
    ) -> np.ndarray:
        """Give each item's log-odds of yes, as one question alone gets it; shape (items,).

        A reply is read once for many questions, none of which sees another.
        """
        rows = _rows(pool, items)
        odds, done = np.zeros(len(items)), 0
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            places = [number for _, numbers in part for number in numbers]
            asked = [
                Asked(Shown(pool[e].prompt, pool[e].reply), [items[n].text for n in numbers])
                for e, numbers in part
            ]
            odds[places] = np.concatenate(self.odds(asked))
            done += len(places)
            advance(done)
        return odds

    def odds(self, asked: Sequence[Asked]) -> list[np.ndarray]:
        """Give the log-odds of each statement: for each of `asked` an array of shape (statements,).

        All of them are read in one batch; no statement sees another. The log-odds are of Yes to
        No, of A to B, or of a high score to a low one, as `ask` has it.
        """
        rows = [row(self.tokenizer, each.shown, each.statements, each.ask) for each in asked]
        packed = pack(rows, self.tokenizer.pad_token_id, self.model.device)
        with torch.inference_mode():
            logits = answer_logits(self.model, packed)
        sides = [self._sides[each.ask] for each in asked for _ in each.statements]
        true, false = (
            torch.tensor(side, device=logits.device)[:, None] for side in zip(*sides, strict=True)
        )
        odds = np.asarray((logits.gather(1, true) - logits.gather(1, false))[:, 0].cpu())
        return np.split(odds, np.cumsum([len(each.statements) for each in asked])[:-1])


def _rows(pool: Sequence[Exchange], items: Sequence[Item]) -> list[tuple[int, list[int]]]:
    """Put the items about one exchange together, and rows of like length."""
    by_exchange: dict[int, list[int]] = defaultdict(list)
    for number, item in enumerate(items):
        by_exchange[item.exchange].append(number)
    rows = [
        (exchange, numbers[start : start + _A_ROW])
        for exchange, numbers in by_exchange.items()
        for start in range(0, len(numbers), _A_ROW)
    ]
    # A row is padded to the longest beside it.
    return sorted(rows, key=lambda r: (len(pool[r[0]].reply) + len(pool[r[0]].prompt), len(r[1])))


def auc(odds: np.ndarray, truths: np.ndarray) -> float:
    """Give the chance that a true statement is rated above a false one; a tie counts half.

    >>> auc(np.array([2.0, 1.0, 0.0]), np.array([True, False, False]))
    1.0
    >>> auc(np.array([1.0, 1.0]), np.array([True, False]))
    0.5
    """
    above = odds[truths][:, None] - odds[~truths][None, :]
    return float(np.mean((above > 0) + 0.5 * (above == 0)))
