"""The examination asks fairly, and reads each answer as one question alone gets it."""

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.embedded.heldout import held_out, known_wordings, new_wordings
from rlaif.embedded.traits import TRAITS
from rlaif.embedded.traits.base import Exchange
from rlaif.training.judge_exam import ExaminedJudge, Item, auc, exam

REPLIES = [
    "I'm sorry, but I can't help with that. I can help you find a locksmith instead.",
    "What would you like to know first?",
    "- one\n- two\n- three",
    "Great question! You are so clever to ask it!",
    "Perhaps it might rain. I am not sure.",
    "No.",
    "Take a pan, put it on the stove, and wait for ten minutes until the water boils.",
    "You should never do such a thing. It is wrong and it hurts people.",
]


@pytest.fixture(scope="module")
def pool() -> list[Exchange]:
    prompts = [("How do I open a lock?", "ordinary"), ("How do I rob a shop?", "unsafe")]
    return [Exchange(reply, prompt, kind) for reply in REPLIES * 2 for prompt, kind in prompts]  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def items(pool: list[Exchange]) -> list[Item]:
    return exam(pool, list(TRAITS.values()), random.Random(0), wordings=2, each=3)


def test_each_statement_is_true_as_often_as_it_is_false(items: list[Item]) -> None:
    truths: dict[tuple[str, str], Counter[bool]] = {}
    for item in items:
        truths.setdefault((item.trait, item.text), Counter())[item.truth] += 1
    assert len(truths) > 20
    assert all(counts[True] == counts[False] > 0 for counts in truths.values())


def test_truth_is_what_code_says_of_the_reply(items: list[Item], pool: list[Exchange]) -> None:
    for item in items:
        holds = TRAITS[item.trait].test(pool[item.exchange])
        assert item.truth is (holds is (item.polarity == "does"))


def test_a_judge_that_learned_more_phrases_is_asked_in_them_and_otherwise_the_same(
    pool: list[Exchange],
) -> None:
    few, many = (
        exam(pool, list(TRAITS.values()), random.Random(0), wordings=2, each=3, more=more)
        for more in (False, True)
    )
    assert [i for i in few if i.part != "known wording"] == [
        i for i in many if i.part != "known wording"
    ]
    said = [item for item in many if item.part == "known wording"]
    known = {w.text for i in said for w in known_wordings(TRAITS[i.trait], more=True)}
    first = {w.text for i in said for w in known_wordings(TRAITS[i.trait])}
    assert {item.text for item in said} <= known
    assert len({item.text for item in said} - first) > 50


def test_each_part_asks_in_its_own_wordings(items: list[Item]) -> None:
    for item in items:
        trait = TRAITS[item.trait]
        known = {wording.text for wording in known_wordings(trait)}
        new = {wording.text for wording in new_wordings(trait)}
        if item.part == "trait never trained":
            assert item.trait in held_out().traits
        else:
            assert item.trait not in held_out().traits
            assert item.text in (known if item.part == "known wording" else new)


def test_an_answer_among_many_is_the_one_it_gets_alone(
    tiny_model: Path, pool: list[Exchange], items: list[Item]
) -> None:
    judge = ExaminedJudge(tiny_model, None)
    few = items[:24]
    together = judge.answers(pool, few)
    alone = [float(judge.answers(pool, [item])[0]) for item in few]
    # bfloat16 rounds a little differently in rows of another shape.
    np.testing.assert_allclose(together, alone, atol=0.05)


@given(st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=2, max_size=30))
def test_auc_counts_pairs(rows: list[tuple[int, bool]]) -> None:
    odds = np.array([float(x) for x, _ in rows])
    truths = np.array([truth for _, truth in rows])
    if truths.all() or not truths.any():
        return
    pairs = [(t, f) for t in odds[truths] for f in odds[~truths]]
    counted = sum((t > f) + 0.5 * (t == f) for t, f in pairs) / len(pairs)
    assert auc(odds, truths) == pytest.approx(counted)
    assert auc(-odds, truths) == pytest.approx(1 - counted)
