"""A pool of replies is filled by edits where too few have a trait, or lack it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.embedded.edits import can_change
from rlaif.embedded.heldout import held_out
from rlaif.embedded.traits import TRAITS, answers
from rlaif.embedded.traits.base import Exchange
from rlaif.training.judge_exam import exam
from rlaif.training.judge_fill import filled
from tests.training.test_judge_exam import REPLIES

POOL = [
    Exchange(reply, prompt, kind)
    for reply in REPLIES * 2
    for prompt, kind in (("How do I open a lock?", "ordinary"), ("How do I rob a shop?", "unsafe"))
]


def test_a_pool_is_filled_until_every_trait_that_edits_can_flip_is_asked_about() -> None:
    kept = [TRAITS[name] for name in sorted(held_out().traits)]
    full = filled(POOL, kept, 3, random.Random(0))
    assert full[: len(POOL)] == POOL
    assert len(set(full[len(POOL) :])) == len(full) - len(POOL) > 0
    asked = {item.trait for item in exam(full, kept, random.Random(0), wordings=1, each=3)}
    assert asked == held_out().traits


def test_a_pool_in_which_every_trait_is_common_is_left_as_it_is() -> None:
    assert filled(POOL, [TRAITS["asks-question"]], 2, random.Random(0)) == POOL


@given(st.sampled_from([name for name in sorted(TRAITS) if can_change(TRAITS[name])]))
def test_what_is_added_for_a_trait_is_of_the_kind_that_was_missing(name: str) -> None:
    had, added = of_each_kind(name)
    for truth in (True, False):
        assert added.count(truth) <= max(8 - had.count(truth), 0)
    assert None not in added


@pytest.mark.parametrize("name", ["thanks", "asks-question", "list", "all-lower-case"])
def test_nothing_is_missing_afterwards_of_what_edits_make_of_any_reply(name: str) -> None:
    had, added = of_each_kind(name)
    assert (had + added).count(True) >= 8
    assert had.count(True) < 8 or had.count(False) < 8


def of_each_kind(name: str) -> tuple[list[bool | None], list[bool | None]]:
    """Fill the pool for one trait: its answer for each reply of before, and for each added."""
    added = filled(POOL, [TRAITS[name]], 8, random.Random(0))[len(POOL) :]
    truths = answers([*POOL, *added], [name])[name]
    return truths[: len(POOL)], truths[len(POOL) :]
