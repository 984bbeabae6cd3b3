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


def test_every_question_comes_once_in_its_step_and_the_last_step_has_what_is_left(
    batches: Batches,
) -> None:
    steps = list(batches.after(0, workers=0))
    assert [[len(part.packed.ids) for part in step] for step in steps] == [[2, 2], [2, 2], [2]]
    for number, step in enumerate(steps):
        asked = sorted(question.text for part in step for question in part.asked)
        documents = ASKED[4 * number : 4 * number + 4]
        assert asked == sorted(q.text for document in documents for q in document.questions)
    assert all(len(part.sides) == len(part.asked) for step in steps for part in step)


def test_rows_of_like_length_go_together_and_the_two_of_a_pair_stay_together(
    tiny_model: Path,
) -> None:
    long, short = (
        Document(Exchange(reply, "Why?"), [Question("t", "It is.", answer, name)])
        for reply, answer, name in (("word " * 40, 1.0, "a"), ("word", 0.0, "b"))
    )
    mixed = [short, long, short._replace(ask="score"), short, long, long, short, short]
    batches = Batches(mixed, AutoTokenizer.from_pretrained(tiny_model), size=8, at_once=4)
    pairs = [[q.pair for q in part.asked] for part in batches[0]]
    assert pairs == [["b", "b", "b", "b"], ["b", "a", "a", "a"]]


@pytest.mark.parametrize("workers", [0, 2])
def test_going_on_gives_the_same_rows_whoever_lays_them_out(batches: Batches, workers: int) -> None:
    [last] = list(batches.after(2, workers=workers))
    assert torch.equal(last[0].packed.ids, batches[2][0].packed.ids)
    assert list(batches.after(3, workers=workers)) == []
