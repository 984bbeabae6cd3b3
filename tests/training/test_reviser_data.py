"""A reviser's lessons: what code says of each rewriting, and how it is asked for."""

import random
from importlib.resources import files
from pathlib import Path

import pytest

from rlaif.embedded.heldout import held_out, trained_traits
from rlaif.embedded.traits import TRAITS
from rlaif.embedded.traits.base import Exchange
from rlaif.training.judge_data import exchanges, read_replies
from rlaif.training.reviser_data import LONGEST, Rewriting, lessons, rewritings


@pytest.fixture(scope="module")
def pool() -> list[Exchange]:
    replies = read_replies(Path(str(files("rlaif.embedded") / "replies.jsonl")), kept=False)
    return exchanges(replies, 120, random.Random(1), kept=False)


@pytest.fixture(scope="module")
def made(pool: list[Exchange]) -> list[Rewriting]:
    return rewritings(pool, 80, random.Random(2))


def test_code_finds_the_principle_true_after_the_edit_and_not_before(
    made: list[Rewriting], pool: list[Exchange]
) -> None:
    kinds = {exchange.prompt: exchange.kind for exchange in pool}
    assert len(made) == 80
    for each in made:
        name, wants = each.kind
        before, after = (
            TRAITS[name].test(Exchange(text, each.prompt, kinds[each.prompt]))
            for text in (each.before, each.after)
        )
        assert (before, after) == (not wants, wants)
        assert max(len(each.before), len(each.after)) <= LONGEST


def test_traits_that_are_kept_for_tests_teach_no_reviser(made: list[Rewriting]) -> None:
    names = {each.kind[0] for each in made}
    assert names <= set(trained_traits())
    assert not names & set(held_out().traits)
    assert {wants for _, wants in (each.kind for each in made)} == {True, False}


def test_each_rewriting_asks_for_its_critique_and_then_for_itself(made: list[Rewriting]) -> None:
    rows = list(lessons(made, random.Random(3)))
    assert len(rows) == 2 * len(made)
    for each, (critique, said), (revise, after) in zip(made, rows[0::2], rows[1::2], strict=True):
        assert (said, after) == (each.critique, each.after)
        assert all(each.principle in asked.messages[0].content for asked in (critique, revise))
        assert f"What is wrong: {each.critique}" in revise.messages[-1].content
        assert each.before in critique.messages[-1].content
    # Examples stand before some, whole rounds of them.
    assert {len(asked.messages) for asked, _ in rows} > {2}
    assert all(len(asked.messages) % 2 == 0 for asked, _ in rows)
