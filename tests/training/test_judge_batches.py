"""A step's rows: as many as asked, the two of a pair in one part, the same from any step on."""

from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from rlaif.embedded.traits.base import Exchange
from rlaif.training.judge_batches import Batches
from rlaif.training.judge_data import Document, Question

ASKED = [
    Document(Exchange(f"Answer {n}.", "Why?"), [Question("t", f"It is {n}.", 1.0)] * (1 + n % 3))
    for n in range(10)
]


@pytest.fixture(scope="module")
def batches(tiny_model: Path) -> Batches:
    return Batches(ASKED, AutoTokenizer.from_pretrained(tiny_model), size=4, at_once=2)


def test_every_question_comes_once_in_order_and_the_last_step_has_what_is_left(
    batches: Batches,
) -> None:
    steps = list(batches.after(0, workers=0))
    assert [[len(part.packed.ids) for part in step] for step in steps] == [[2, 2], [2, 2], [2]]
    asked = [question for step in steps for part in step for question in part.asked]
    assert asked == [question for document in ASKED for question in document.questions]
    assert all(len(part.sides) == len(part.asked) for step in steps for part in step)


@pytest.mark.parametrize("workers", [0, 2])
def test_going_on_gives_the_same_rows_whoever_lays_them_out(batches: Batches, workers: int) -> None:
    [last] = list(batches.after(2, workers=workers))
    assert torch.equal(last[0].packed.ids, batches[2][0].packed.ids)
    assert list(batches.after(3, workers=workers)) == []
