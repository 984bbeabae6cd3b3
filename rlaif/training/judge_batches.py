"""A judge's training rows as tensors, step by step, laid out ahead of a model that is fast."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch.utils.data import DataLoader, Dataset, Subset
from transformers import PreTrainedTokenizerBase

from rlaif.training.judge_data import Document, Question
from rlaif.training.judge_tree import SIDES, Packed, answer_ids, pack, row


class Part(NamedTuple):
    """Rows that go through the model together, and what is asked in them."""

    packed: Packed
    sides: torch.Tensor
    """Of each question, the tokens of its two answers; shape (questions, 2)."""
    asked: list[Question]

    def on(self, device: str) -> "Part":
        """Move the tensors to a device."""
        return Part(self.packed.on(device), self.sides.to(device), self.asked)


Batch = list[Part]
"""The rows of one step."""


class Batches(Dataset):  # type: ignore[misc]
    """The batches of a training, by step."""

    def __init__(
        self,
        documents: Sequence[Document],
        tokenizer: PreTrainedTokenizerBase,
        size: int,
        at_once: int,
    ) -> None:
        """Take `size` documents a step, of which `at_once` make a part; both are even."""
        self.documents, self.tokenizer, self.size, self.at_once = (
            documents,
            tokenizer,
            size,
            at_once,
        )
        self.sides = {ask: answer_ids(tokenizer, ask) for ask in SIDES}

    def __len__(self) -> int:
        """Count the steps."""
        return -(-len(self.documents) // self.size)

    def __getitem__(self, step: int) -> Batch:
        """Lay out the rows of a step; the two of a pair, at an even place, stay in one part."""
        first, last = step * self.size, min((step + 1) * self.size, len(self.documents))
        twos = [self.documents[at : min(at + 2, last)] for at in range(first, last, 2)]
        # A row is padded to the longest beside it.
        twos.sort(key=_length)
        count = self.at_once // 2
        parts = (twos[at : at + count] for at in range(0, len(twos), count))
        return [self._part([each for two in part for each in two]) for part in parts]

    def _part(self, documents: Sequence[Document]) -> Part:
        rows = [
            row(self.tokenizer, each.shown, [q.text for q in each.questions], each.ask)
            for each in documents
        ]
        asked = [question for document in documents for question in document.questions]
        sides = [self.sides[document.ask] for document in documents for _ in document.questions]
        return Part(pack(rows, self.tokenizer.pad_token_id), torch.tensor(sides), asked)

    def after(self, first: int, workers: int) -> Iterator[Batch]:
        """Give the batches from a step on, in order, laid out ahead by so many processes."""
        rest = Subset(self, range(first, len(self)))
        yield from DataLoader(rest, batch_size=None, num_workers=workers)


def _length(two: Sequence[Document]) -> int:
    """Count the characters of the longer of two rows."""
    return max(document.length for document in two)
