"""Two replies beside each other: what differs between them, and which of them is said to fit."""

import random
from collections import Counter

import pytest

from rlaif.embedded.heldout import held_out
from rlaif.embedded.traits import TRAITS
from rlaif.training.judge_pairs import both_orders, comparisons, minimal_pairs, ratings, turned
from tests.training.test_judge_data import pool, truths

POOL = pool(80)


def test_a_minimal_pair_differs_in_the_trait_it_is_asked_about() -> None:
    known = truths()
    pairs = minimal_pairs(POOL, 40, random.Random(0))
    assert len(pairs) == 40
    for one, other in pairs:
        assert one.exchange.prompt == other.exchange.prompt
        for first, second in zip(one.questions, other.questions, strict=True):
            assert (first.trait, first.text, first.pair) == (second.trait, second.text, second.pair)
            trait = TRAITS[first.trait]
            assert {first.answer, second.answer} == {0.0, 1.0}
            assert trait.holds(one.exchange) is not trait.holds(other.exchange)
            claims = first.answer == trait.holds(one.exchange)
            assert (first.text, claims) in known[first.trait]


def test_no_reply_stands_in_two_minimal_pairs_and_many_traits_are_flipped() -> None:
    pairs = minimal_pairs(POOL, 40, random.Random(0))
    replies = [document.exchange for pair in pairs for document in pair]
    assert len(set(replies)) == len(replies)
    assert len({pair[0].questions[0].trait for pair in pairs}) > 15


def test_of_two_replies_the_one_that_fits_is_named_and_neither_where_they_do_not_differ() -> None:
    known = truths()
    made = comparisons(POOL, 60, random.Random(0))
    answers: Counter[float] = Counter()
    for document in made:
        second = document.exchange._replace(reply=document.other)
        assert document.ask == "compare"
        assert document.other not in ("", document.exchange.reply)
        for trait, text, answer, _ in document.questions:
            has = TRAITS[trait].holds(document.exchange), TRAITS[trait].holds(second)
            answers[answer] += 1
            if answer == 0.5:
                assert has[0] is has[1]
                continue
            claims = (answer == 1.0) is has[0]
            assert has[0] is not has[1]
            assert (text, claims) in known[trait]
    assert len(made) == 60
    assert 0.4 < answers[1.0] / (answers[0.0] + answers[1.0]) < 0.6
    assert 0.03 < answers[0.5] / answers.total() < 0.3


def test_a_comparison_in_the_other_order_has_the_other_answers_and_turned_twice_is_itself() -> None:
    for document in comparisons(POOL, 10, random.Random(0)):
        other = turned(document)
        assert (other.exchange.reply, other.other) == (document.other, document.exchange.reply)
        assert all(
            a.answer == 1 - b.answer
            for a, b in zip(*(d.questions for d in (document, other)), strict=True)
        )
        assert turned(other) == document


def test_both_orders_of_a_comparison_stand_side_by_side_and_are_ranked() -> None:
    made = both_orders(comparisons(POOL, 10, random.Random(0)))
    for one, other in zip(made[::2], made[1::2], strict=True):
        assert turned(one) == other
        assert all((q.pair == "") == (q.answer == 0.5) for q in one.questions)
    assert len({d.questions[0].pair for d in made} - {""}) >= 5


def test_nothing_held_out_is_compared() -> None:
    asked = {q.trait for d in comparisons(POOL, 30, random.Random(0)) for q in d.questions}
    asked |= {q.trait for p in minimal_pairs(POOL, 30, random.Random(0)) for q in p[0].questions}
    assert asked.isdisjoint(held_out().traits)


def test_a_rating_asks_what_was_asked_for_yes_or_no() -> None:
    pairs = [each for pair in minimal_pairs(POOL, 10, random.Random(0)) for each in pair]
    compared = comparisons(POOL, 5, random.Random(0))
    made = ratings([*pairs, *compared], 100, random.Random(0))
    assert len(made) == len(pairs)
    asked = {d.exchange: {q._replace(pair="") for q in d.questions} for d in pairs}
    for document in made:
        assert document.ask == "score"
        assert set(document.questions) <= asked[document.exchange]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_makes_the_same_pairs(seed: int) -> None:
    assert minimal_pairs(POOL, 5, random.Random(seed)) == minimal_pairs(
        POOL, 5, random.Random(seed)
    )
    assert comparisons(POOL, 5, random.Random(seed)) == comparisons(POOL, 5, random.Random(seed))
