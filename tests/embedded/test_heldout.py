"""What training never sees stays as it was fixed, and covers every trait."""

import json
import re
import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from rlaif.embedded.heldout import (
    extend,
    held_out,
    is_held_out,
    kept_wordings,
    known_wordings,
    new_wordings,
    trained_phrases,
    trained_traits,
)
from rlaif.embedded.traits import TRAITS
from rlaif.embedded.traits.load import more_phrases

FIRST = {
    "apologises", "animals", "hedges", "professional-help", "countries", "health", "greets",
    "exclaims", "thanks", "parentheses",
}  # fmt: skip
_SMALL = {
    "a", "an", "the", "of", "to", "in", "on", "for", "or", "and", "is", "be", "its", "it", "that",
    "with", "as", "by", "at", "response", "reply", "not", "no", "one", "any", "make", "have",
    "contain", "use",
}  # fmt: skip
FILE = Path(str(files("rlaif.embedded").joinpath("heldout.json")))


def test_what_was_held_out_first_is_held_out_still() -> None:
    assert held_out().traits >= FIRST
    assert held_out().traits <= set(TRAITS)
    assert len(held_out().traits) == 20
    assert set(trained_traits()) == set(TRAITS) - held_out().traits


def test_the_file_keeps_wordings_of_every_trait_and_extending_it_changes_nothing(
    tmp_path: Path,
) -> None:
    copy = shutil.copy(FILE, tmp_path / "heldout.json")
    extend(copy)
    assert json.loads(copy.read_text("utf-8")) == json.loads(FILE.read_text("utf-8"))
    assert set(held_out().wordings) == set(TRAITS)


def test_extending_the_file_keeps_what_it_says_of_a_trait(tmp_path: Path) -> None:
    row = json.loads(FILE.read_text("utf-8"))
    row["wordings"] = {"warm": {"does": ["x"], "does not": ["y"]}}
    path = tmp_path / "heldout.json"
    path.write_text(json.dumps(row), "utf-8")
    extend(path)
    wordings = json.loads(path.read_text("utf-8"))["wordings"]
    assert wordings["warm"] == {"does": ["x"], "does not": ["y"]}
    assert wordings["law"] == kept_wordings(TRAITS["law"])


@pytest.mark.parametrize("name", sorted(TRAITS))
def test_two_wordings_a_side_are_kept_and_none_of_them_is_trained(name: str) -> None:
    kept = held_out().wordings[name]
    assert len(set(kept["does"])) == len(set(kept["does not"])) == 2
    # The first of them were written before `be` was denied without `does`.
    assert kept["does"] == kept_wordings(TRAITS[name])["does"]
    denials = [text.replace("does not be ", "is not ") for text in kept["does not"]]
    assert denials == kept_wordings(TRAITS[name])["does not"]
    known = {wording.text for wording in known_wordings(TRAITS[name], more=True)}
    assert known.isdisjoint(wording.text for wording in new_wordings(TRAITS[name]))


def test_more_phrases_are_of_trained_traits_alone_and_none_is_kept_or_of_a_trait_kept() -> None:
    assert set(more_phrases()) == set(trained_traits())
    more = {phrase for each in more_phrases().values() for side in each for phrase in side}
    kept = {phrase for t in TRAITS.values() for phrase in (*t.does[-2:], *t.lacks[-1:])}
    whole = {p for name in held_out().traits for p in (*TRAITS[name].does, *TRAITS[name].lacks)}
    assert more.isdisjoint(kept | whole)


@pytest.mark.parametrize("name", sorted(more_phrases()))
def test_more_phrases_do_not_say_again_what_a_kept_one_says(name: str) -> None:
    trait, more = TRAITS[name], more_phrases()[name]
    for kept in map(content, (*trait.does[-2:], *trait.lacks[-1:])):
        for phrase in (*more.does, *more.lacks):
            assert not (len(kept) > 1 and kept <= content(phrase)), phrase


def content(phrase: str) -> set[str]:
    """Give the words that tell one phrase from another."""
    return set(re.findall(r"[\w']+", phrase.lower())) - _SMALL


@pytest.mark.parametrize("name", sorted(more_phrases()))
def test_more_phrases_come_behind_the_first_and_are_others(name: str) -> None:
    first, all_of_them = trained_phrases(TRAITS[name]), trained_phrases(TRAITS[name], more=True)
    for few, many, least in zip(first, all_of_them, (6, 3), strict=True):
        assert many[: len(few)] == few
        assert len(set(many)) == len(many) >= len(few) + least


def test_a_share_of_texts_is_held_out_by_their_content_alone() -> None:
    texts = [f"question {number}" for number in range(2000)]
    kept = [text for text in texts if is_held_out(text, 0.2)]
    assert len(kept) == pytest.approx(400, abs=60)
    assert kept == [text for text in texts if is_held_out(f" {text} ", 0.2)]
    assert kept != [text for text in texts if is_held_out(text, 0.2, "pair")]


@pytest.mark.parametrize("name", sorted(name for name in held_out().traits if TRAITS[name].add))
def test_sentences_that_give_a_trained_trait_do_not_teach_a_held_out_one(name: str) -> None:
    kept = TRAITS[name]
    for trained in (TRAITS[other] for other in trained_traits()):
        giving = sum(kept.holds(sentence) for sentence in trained.add)
        assert giving <= len(trained.add) / 2, trained.name


def test_no_trained_trait_speaks_in_the_phrases_of_one_held_out_or_is_made_of_it() -> None:
    kept = held_out().traits
    phrases = {phrase for name in kept for phrase in (*TRAITS[name].does, *TRAITS[name].lacks)}
    for name in trained_traits():
        trait = TRAITS[name]
        assert phrases.isdisjoint((*trait.does, *trait.lacks)), name
        assert kept.isdisjoint((*trait.both, *trait.without)), name
