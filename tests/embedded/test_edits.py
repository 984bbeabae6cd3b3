"""An edit gives a reply a trait or takes it, and changes as little as it can."""

import random

import pytest

from rlaif.embedded.edits import can_change, with_trait, without_trait
from rlaif.embedded.reshape import GIVE, TAKE
from rlaif.embedded.traits import TRAITS

REPLIES = [
    "Boil it for eight minutes. Then cool it in water. Peel it under the tap.",
    "It depends on the weather, but mostly it rains in the evening because of the wind.",
    "What a great question! Dogs do not bite. They are loyal. For example, a collie herds sheep. "
    "Would you like to know more? Or is that enough?",
    "**Note**\n\n- Take `a` pan.\n- WAIT for it; then go!\n\nAll done. Let me know.",
]
_ONLY_TAKEN = {
    "over-eighty-words", "three-sentences-or-more", "five-sentences-or-more", "short-sentences",
    "long-and-plain",
}  # fmt: skip
_CHANGED = sorted(name for name, trait in TRAITS.items() if can_change(trait))


def given(name: str) -> list[bool]:
    trait, rng = TRAITS[name], random.Random(0)
    return [
        trait.holds(with_trait(reply, trait, rng)) for reply in REPLIES if not trait.holds(reply)
    ]


@pytest.mark.parametrize("name", [name for name in _CHANGED if name not in _ONLY_TAKEN])
def test_most_replies_can_be_given_a_trait(name: str) -> None:
    had = given(name)
    # These ask for a reply of some sentences.
    share = 0.2 if name in {"long-sentences", "two-sentences"} else 0.5
    assert not had or sum(had) > len(had) * share


@pytest.mark.parametrize("name", sorted(TAKE))
def test_a_trait_of_form_is_taken_from_what_was_given_it(name: str) -> None:
    trait, rng = TRAITS[name], random.Random(0)
    having = [with_trait(reply, trait, rng) for reply in (*REPLIES, " ".join(REPLIES * 3))]
    less = [without_trait(reply, trait) for reply in having if trait.holds(reply)]
    assert less
    assert sum(trait.holds(reply) for reply in less) < len(less) / 2


def test_a_change_of_form_keeps_the_words() -> None:
    reply, rng = REPLIES[0], random.Random(0)
    for name in ("bullets", "several-paragraphs", "one-line", "capitals", "all-lower-case"):
        shaped = GIVE[name](reply, rng)
        assert [w.strip("-.").lower() for w in shaped.split() if w != "-"] == [
            w.strip(".").lower() for w in reply.split()
        ]
    assert GIVE["bullets"](reply, rng).splitlines()[1] == "- Then cool it in water."
    assert GIVE["capitals"](reply, rng) != reply


def test_an_opening_is_taken_from_the_start_alone() -> None:
    trait = TRAITS["begins-with-the"]
    assert without_trait("The tea is hot. Wait. The end.", trait) == "Wait. The end."


def test_a_trait_of_a_whole_reply_takes_its_place() -> None:
    reply = with_trait(REPLIES[0], TRAITS["french"], random.Random(0))
    assert not set(reply.split()) & set(REPLIES[0].split())
    assert TRAITS["french"].holds(reply)


def test_two_traits_at_once_are_given_one_after_the_other() -> None:
    trait = TRAITS["compliment-and-question"]
    reply = with_trait(REPLIES[0], trait, random.Random(0))
    assert TRAITS["flatters"].holds(reply)
    assert TRAITS["asks-question"].holds(reply)
    assert not trait.holds(without_trait(reply, trait))
    assert REPLIES[0].split()[-1] in reply


def test_a_reply_that_cannot_be_changed_stays() -> None:
    rng = random.Random(0)
    assert with_trait("Go.", TRAITS["repeats-question"], rng) == "Go."
    assert without_trait("The end.", TRAITS["begins-with-the"]) == "The end."
    assert not can_change(TRAITS["helps-harm"])
