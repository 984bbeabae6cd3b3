"""Labels to rows of training: pairs by themselves, or all labelled answers to a prompt together."""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from datasets import Dataset

from rlaif.training.config import RewardConfig
from rlaif.training.reward.collator import COLUMNS
from rlaif.training.reward.heads import draws_of
from rlaif.training.reward.rows import Pair

Group = dict[str, Any]


class Groups(NamedTuple):
    """What is trained on."""

    rows: Dataset
    """With the columns of `collator.COLUMNS`."""
    pairs: int
    """The pairs in them."""
    left_out: dict[str, int]
    """Pairs left out, by reason."""


def make_groups(
    pairs: Sequence[Pair], config: RewardConfig, seed: int, prompts: Sequence[str]
) -> Groups:
    """Put pairs together as the config says; weights are scaled to a mean of 1."""
    left_out = {}
    sets = [[pair] for pair in pairs]
    if config.kwise:
        sets = _by_prompt(pairs)
    if config.pairs_per_prompt:
        sets = [
            drawn(several, config.pairs_per_prompt, _chance(several[0], seed, prompts))
            for several in sets
        ]
        left_out["not drawn"] = len(pairs) - sum(map(len, sets))
    weights = [pair.weight for several in sets for pair in several]
    mean = sum(weights) / max(1, len(weights))
    made = []
    for several in sets:
        draws = draws_of(f"{seed}:{prompts[several[0].prompt]}", config.heads)
        made.append({**_group(several, config, mean), "draws": draws})
    if config.loss == "luce":
        ranked = [group for group in made if group["ranking"]]
        left_out["no full ranking"] = sum(len(row["first"]) for row in made if not row["ranking"])
        made = ranked
    columns = {name: [group[name] for group in made] for name in COLUMNS}
    count = sum(len(group["first"]) for group in made)
    return Groups(Dataset.from_dict(columns), count, left_out)


def _chance(pair: Pair, seed: int, prompts: Sequence[str]) -> str:
    return f"{seed}:{prompts[pair.prompt]}:{pair.principle or ''}"


def drawn(pairs: Sequence[Pair], most: int, chance: str) -> list[Pair]:
    """Draw some of a prompt's pairs, in their own order."""
    if len(pairs) <= most:
        return list(pairs)
    places = random.Random(chance).sample(range(len(pairs)), most)
    return [pairs[place] for place in sorted(places)]


def ranking(answers: int, pairs: Iterable[tuple[int, int, float]]) -> list[int]:
    """Order the answers 0, 1, … from the best to the worst; empty where pairs make no ranking.

    Each two must have been compared, without a tie, and nobody beats who beats him.

    >>> ranking(3, [(2, 0, 0.9), (0, 1, 0.6), (2, 1, 0.7)])
    [2, 0, 1]
    >>> ranking(3, [(2, 0, 0.9), (0, 1, 0.6), (1, 2, 0.7)])
    []
    """
    said: defaultdict[tuple[int, int], float] = defaultdict(float)
    for one, other, p in pairs:
        said[one, other] += p - 0.5
        said[other, one] += 0.5 - p
    wins = [sum(said[one, other] > 0 for other in range(answers)) for one in range(answers)]
    # Where all wins differ, from all down to none, the order is whole.
    if sorted(wins) != list(range(answers)):
        return []
    return sorted(range(answers), key=lambda one: -wins[one])


def _by_prompt(pairs: Sequence[Pair]) -> list[list[Pair]]:
    sets: dict[tuple[int, str | None], list[Pair]] = {}
    for pair in pairs:
        sets.setdefault((pair.prompt, pair.principle), []).append(pair)
    return list(sets.values())


def _group(pairs: Sequence[Pair], config: RewardConfig, mean: float) -> Group:
    answers = list(dict.fromkeys(row for pair in pairs for row in (pair.first, pair.second)))
    place = {row: number for number, row in enumerate(answers)}
    first = [place[pair.first] for pair in pairs]
    second = [place[pair.second] for pair in pairs]
    p = [_target(pair.p, config) for pair in pairs]
    order = []
    if config.loss == "luce":
        order = ranking(len(answers), zip(first, second, p, strict=True))
    return {
        "prompt": pairs[0].prompt,
        "answers": answers,
        "first": first,
        "second": second,
        "p": p,
        "margin": [pair.margin for pair in pairs],
        "weight": [pair.weight / mean for pair in pairs],
        "ranking": order,
    }


def _target(p: float, config: RewardConfig) -> float:
    return 0.5 + 0.5 * ((p > 0.5) - (p < 0.5)) if config.loss == "hard" else p
