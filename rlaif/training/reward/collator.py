"""Groups of labelled answers to a batch: each answer stands in it once."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from datasets import Dataset

from rlaif.training.packing import pack

Batch = dict[str, torch.Tensor]
PAIRS = ("first", "second", "p", "margin", "weight", "share")
"""What a batch tells of its pairs; see `losses.Pairs`."""
COLUMNS = ("prompt", "answers", "first", "second", "p", "margin", "weight", "ranking", "draws")
"""What a group's row holds: its prompt's number, its answers' rows, its pairs by place, and of
several heads how often each sees it."""


class AnswerCollator:
    """Looks up the tokens of a batch's answers, each once, and pads them or packs them."""

    def __init__(self, answers: Dataset, padding: int) -> None:
        """Take the tokens from `answers`, a dataset with a column `ids`."""
        self._answers = answers
        self._padding = padding
        self.packs = False
        """Whether the answers to one prompt stand in one row."""

    def __call__(self, groups: Sequence[Mapping[str, Any]]) -> Batch:
        """Make a batch of groups."""
        by_prompt: dict[int, dict[int, None]] = {}
        for group in groups:
            by_prompt.setdefault(group["prompt"], {}).update(dict.fromkeys(group["answers"]))
        rows = [row for answers in by_prompt.values() for row in answers]
        ids = dict(zip(rows, self._answers[rows]["ids"], strict=True))
        place = {row: number for number, row in enumerate(rows)}
        if self.packs:
            batch = pack(
                [[ids[row] for row in answers] for answers in by_prompt.values()], self._padding
            )
        else:
            batch = _pad([ids[row] for row in rows], self._padding)
        return {**batch, **labels_of(groups, place)}


def labels_of(groups: Sequence[Mapping[str, Any]], place: Mapping[int, int]) -> Batch:
    """Give the labels of groups; `place` says where the answer of a row stands in the batch."""
    if any(group["ranking"] for group in groups):
        return {"rankings": _rankings(groups, place), **_draws(groups, [1] * len(groups))}
    sizes = [len(group["first"]) for group in groups]
    return {**_pairs(groups, place), **_draws(groups, sizes)}


def _pad(rows: Sequence[Sequence[int]], padding: int) -> Batch:
    size = max(map(len, rows))
    return {
        "input_ids": torch.tensor([[*row, *[padding] * (size - len(row))] for row in rows]),
        "attention_mask": torch.tensor([[1] * len(row) + [0] * (size - len(row)) for row in rows]),
    }


def _pairs(groups: Sequence[Mapping[str, Any]], place: Mapping[int, int]) -> Batch:
    lists: dict[str, list[float]] = {name: [] for name in PAIRS}
    for group in groups:
        for side in ("first", "second"):
            lists[side] += [place[group["answers"][at]] for at in group[side]]
        for name in ("p", "margin", "weight"):
            lists[name] += group[name]
        count = len(group["first"])
        lists["share"] += [1 / (len(groups) * count)] * count
    return {
        name: torch.tensor(values, dtype=torch.long if name in PAIRS[:2] else torch.float32)
        for name, values in lists.items()
    }


def _draws(groups: Sequence[Mapping[str, Any]], sizes: Sequence[int]) -> Batch:
    """Give how often each head sees each pair, or each ranking; nothing for one head."""
    if not groups[0]["draws"]:
        return {}
    drawn = torch.tensor([group["draws"] for group in groups], dtype=torch.float32)
    return {"draws": drawn.repeat_interleave(torch.tensor(sizes), dim=0)}


def _rankings(groups: Sequence[Mapping[str, Any]], place: Mapping[int, int]) -> torch.Tensor:
    widest = max(len(group["ranking"]) for group in groups)
    return torch.tensor(
        [
            [place[group["answers"][at]] for at in group["ranking"]]
            + [-1] * (widest - len(group["ranking"]))
            for group in groups
        ]
    )
