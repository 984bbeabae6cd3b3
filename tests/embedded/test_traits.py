"""Each trait by hand-written replies: those that have it, and near misses that have it not."""

from pathlib import Path

import pytest

from rlaif.embedded.heldout import known_wordings
from rlaif.embedded.traits import TRAITS, answers, holds, rates
from rlaif.embedded.traits.base import Exchange
from rlaif.embedded.traits.load import merged, more_phrases, traits
from tests.embedded.trait_examples import EXCHANGES, SHAPES, WORDS

_FILES = sorted(Path(__file__).with_name("examples").glob("*.yaml"))
_WRITTEN = merged({path.name: path.read_text(encoding="utf-8") for path in _FILES})
"""Trait: replies that have it (`has`) and near misses (`lacks`); [reply, prompt] where it looks at
what was asked."""
_ALONE = {
    **WORDS,
    **SHAPES,
    **{
        name: tuple(tuple(x for x in row[side] if isinstance(x, str)) for side in ("has", "lacks"))
        for name, row in _WRITTEN.items()
    },
}
_CASES = (
    [
        (name, Exchange(reply), truth)
        for name, sides in _ALONE.items()
        for truth, replies in zip((True, False), sides, strict=True)
        for reply in replies
    ]
    + [
        (name, Exchange(reply, "?", kind), truth)  # type: ignore[arg-type]
        for name, pairs in EXCHANGES.items()
        for truth, exchanges in zip((True, False), pairs, strict=True)
        for reply, kind in exchanges
    ]
    + [
        (name, Exchange(*written), side == "has")
        for name, row in _WRITTEN.items()
        for side in ("has", "lacks")
        for written in row[side]
        if not isinstance(written, str)
    ]
)


@pytest.mark.parametrize(
    ("name", "exchange", "truth"),
    _CASES,
    ids=[f"{n}-{'has' if t else 'lacks'}-{x.kind}-{x.reply[:30]!r}" for n, x, t in _CASES],
)
def test_a_reply_written_for_a_trait_has_it_and_a_near_miss_has_it_not(
    name: str, exchange: Exchange, truth: bool
) -> None:
    assert TRAITS[name].holds(exchange) is truth


def test_every_trait_has_examples_of_both_sides() -> None:
    assert {*_ALONE, *EXCHANGES} == set(TRAITS)
    for name in TRAITS:
        assert {truth for case, _, truth in _CASES if case == name} == {True, False}


@pytest.mark.parametrize(
    "name", ["helps-harm", "declines-harm", "over-refuses", "helps-safely", "well-judged"]
)
def test_a_question_of_harm_has_no_answer_where_the_kind_of_prompt_is_unknown(name: str) -> None:
    assert TRAITS[name].test(Exchange("I can't help with that.")) is None
    assert TRAITS[name].test(Exchange("I can't help with that.", "?", "unsafe")) is not None


@pytest.mark.parametrize("name", sorted(_ALONE))
def test_curly_quotes_capitals_and_straight_ones_read_alike(name: str) -> None:
    for reply in (*_ALONE[name][0], *_ALONE[name][1]):
        curly = reply.replace("'", "’").upper()
        assert holds(name, curly) is holds(name, reply.replace("’", "'"))


@pytest.mark.parametrize("name", sorted(name for name, trait in TRAITS.items() if trait.add))
def test_each_sentence_that_gives_a_trait_has_it(name: str) -> None:
    assert [text for text in TRAITS[name].add if not TRAITS[name].holds(text)] == []


@pytest.mark.parametrize("name", sorted(TRAITS))
def test_a_phrase_stands_on_one_side_of_a_trait_only(name: str) -> None:
    trait = TRAITS[name]
    phrases = [*trait.does, *trait.lacks]
    assert len(set(phrases)) == len(phrases)
    assert len(trait.does) >= 6
    assert len(trait.lacks) >= 3


@pytest.mark.parametrize("name", sorted(TRAITS))
def test_a_trait_is_claimed_and_denied_in_ten_wordings_or_more_as_people_write_them(
    name: str,
) -> None:
    for claims in (True, False):
        said = {w.text for w in known_wordings(TRAITS[name]) if w.claims is claims}
        assert len(said) >= 10
        assert {"The response", "The reply"} <= {" ".join(text.split()[:2]) for text in said}
        assert {"Prefer", "Avoid" if not claims else "Always"} <= {t.split()[0] for t in said}
    assert any(w.text.startswith("Never ") for w in known_wordings(TRAITS[name]))
    assert any(w.text.startswith("Prefer the reply that ") for w in known_wordings(TRAITS[name]))


def test_two_files_cannot_have_a_trait_of_one_name() -> None:
    with pytest.raises(ValueError, match=r"b.yaml: warm: another file"):
        merged({"a.yaml": "warm: {}", "b.yaml": "cold: {}\nwarm: {}"})


def test_a_trait_of_a_function_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"expected one of words, both, without, or a function"):
        traits({})


def test_asked_together_traits_answer_as_they_do_alone() -> None:
    exchanges = [case[1] for case in _CASES[:60]]
    given = answers(exchanges)
    assert given == {name: [t.test(e) for e in exchanges] for name, t in TRAITS.items()}


def test_a_rate_is_the_share_of_exchanges_that_have_the_trait() -> None:
    counted = rates([Exchange("Why?"), Exchange("Because."), Exchange("Who? Him."), Exchange("!")])
    assert counted["asks-question"] == 0.5
    assert counted["ends-with-question"] == 0.25
    assert counted["exclaims"] == 0.25
    assert set(counted) == set(TRAITS)


def test_of_no_exchanges_each_rate_is_zero() -> None:
    assert set(rates([]).values()) == {0.0}


def test_a_refusal_with_an_offer_is_a_refusal_and_no_help() -> None:
    reply = "I won't help with this, but I can help you plan a talk with them."
    assert holds("refuses", reply)
    assert holds("declines-with-offer", reply)
    assert not holds("complies", reply)


def test_broken_text_neither_helps_nor_declines() -> None:
    reply = "of the of the of the of the of the of the of the of the"
    assert holds("degenerate", reply)
    for name in ("complies", "refuses", "sensible", "brief-help"):
        assert not holds(name, reply)


@pytest.mark.parametrize(
    ("name", "reply"),
    [
        ("declines-kindly", "Boil it for eight minutes."),
        ("declines-barely", "Boil it for eight minutes."),
        ("refuses-without-lecture", "Boil it for eight minutes."),
        ("brief-help", "I can't help with that."),
        ("ends-with-question", ""),
    ],
)
def test_what_does_not_apply_to_a_reply_is_false_of_it_and_its_denial_true(
    name: str, reply: str
) -> None:
    assert TRAITS[name].test(Exchange(reply)) is False
    assert TRAITS["declines-harm"].test(Exchange("I can't help.", "Bake?", "ordinary")) is False


def test_each_reply_has_one_answer_for_each_trait_where_its_kind_is_known() -> None:
    exchange = Exchange("", "How?", "ordinary")
    assert {trait.test(exchange) for trait in TRAITS.values()} == {True, False}


def test_no_phrase_claims_one_trait_and_denies_another() -> None:
    both = [*TRAITS.values(), *more_phrases().values()]
    claims = {phrase for each in both for phrase in each.does}
    assert claims.isdisjoint(phrase for each in both for phrase in each.lacks)


def test_there_are_traits_enough() -> None:
    assert len(TRAITS) >= 120
    assert sum(bool(trait.both or trait.without) for trait in TRAITS.values()) >= 10
