"""The order of what is asked: pairs stay together; the last lesson asks in all ways."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from rlaif.embedded.edits import can_change
from rlaif.embedded.heldout import known_wordings, trained_traits
from rlaif.embedded.traits import TRAITS
from rlaif.embedded.traits.base import Exchange
from rlaif.training.judge_data import ALL_OF_IT, LESSONS, Document, Question
from rlaif.training.judge_lessons import JudgeTraining, in_twos, training_documents
from tests.training.test_judge_data import REPLIES

SMALL = JudgeTraining(
    labels=2_000, people=0, exchanges=60, minimal_pairs=10, comparisons=6, ratings=4
)


def replies(tmp_path: Path) -> Path:
    path = tmp_path / "replies.jsonl"
    rows = [
        {"kind": e.kind, "prompt": f"{e.prompt} {n}", "reply": e.reply}
        for n in range(6)
        for e in REPLIES
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_two_of_a_pair_stand_in_one_batch_of_any_even_size() -> None:
    alone = [Document(Exchange(f"alone {n}"), [Question("t", "x", 1.0)]) for n in range(7)]
    pairs = [
        Document(Exchange(f"{side} {n}"), [Question("t", "x", float(side), f"p{n}")])
        for n in range(5)
        for side in (0, 1)
    ]
    made = in_twos([*alone, *pairs], random.Random(0))
    assert sorted(made) == sorted([*alone, *pairs])
    places: dict[str, list[int]] = {}
    for place, document in enumerate(made):
        if document.questions[0].pair:
            places.setdefault(document.questions[0].pair, []).append(place)
    assert all(first % 2 == 0 and second == first + 1 for first, second in places.values())


def test_all_ways_of_asking_are_in_the_last_lesson(tmp_path: Path) -> None:
    made = training_documents(SMALL, replies(tmp_path), None, (ALL_OF_IT,))
    ways = Counter(document.ask for document in made)
    assert (ways["compare"], ways["score"]) == (12, 4)
    paired = [d for d in made if any(q.pair for q in d.questions)]
    assert Counter(d.ask for d in paired) == {"absolute": 20, "compare": 12}
    assert sum(len(d.questions) for d in made if d.ask == "absolute") >= 0.5 * SMALL.labels


def test_replies_that_lie_beside_each_other_are_about_as_long() -> None:
    rng = random.Random(0)
    alone = [Document(Exchange("x" * rng.randint(1, 500)), []) for _ in range(40)]
    made = in_twos(alone, rng)
    lengths = sorted(document.length for document in alone)
    twos = [sorted(d.length for d in made[at : at + 2]) for at in range(0, 40, 2)]
    assert sorted(twos) == [lengths[at : at + 2] for at in range(0, 40, 2)]
    assert twos != sorted(twos)


def test_rare_traits_are_asked_about_where_edits_can_make_them(tmp_path: Path) -> None:
    def asked(fewest: int) -> set[str]:
        config = SMALL.model_copy(update={"fewest": fewest})
        made = training_documents(config, replies(tmp_path), None, (ALL_OF_IT,))
        return {q.trait for d in made for q in d.questions}

    can_be_made = {name for name in trained_traits() if can_change(TRAITS[name])}
    # No edit makes a reply of more than eighty words of a short one.
    assert (
        can_be_made - asked(4) <= {"over-eighty-words", "long-and-plain"} < can_be_made - asked(0)
    )


@pytest.mark.parametrize("more", [False, True])
def test_every_way_of_asking_uses_more_phrases_where_it_is_told_to(
    tmp_path: Path, *, more: bool
) -> None:
    first = {w.text for n in trained_traits() for w in known_wordings(TRAITS[n])}
    many = {w.text for n in trained_traits() for w in known_wordings(TRAITS[n], more=True)}
    config = SMALL.model_copy(update={"more_phrases": more})
    made = training_documents(config, replies(tmp_path), None, (ALL_OF_IT,))
    asked = [(d.ask, q.pair.partition("-")[0], q.text) for d in made for q in d.questions]
    ways = {(ask, pair) for ask, pair, _ in asked}
    assert ways >= {("absolute", ""), ("absolute", "minimal"), ("compare", "orders"), ("score", "")}
    for way in ways:
        texts = {text for ask, pair, text in asked if (ask, pair) == way}
        assert bool(texts & (many - first)) is more, way


def test_what_is_ranked_stands_at_an_even_place_behind_other_lessons(tmp_path: Path) -> None:
    for seed in range(6):
        config = SMALL.model_copy(update={"seed": seed})
        made = training_documents(config, replies(tmp_path), None, LESSONS)
        places: dict[str, list[int]] = {}
        for place, document in enumerate(made):
            for name in {question.pair for question in document.questions} - {""}:
                places.setdefault(name, []).append(place)
        assert len(places) > 10
        assert all(first % 2 == 0 and second == first + 1 for first, second in places.values())


def test_code_has_more_questions_about_the_replies_of_minimal_pairs(tmp_path: Path) -> None:
    made = training_documents(SMALL, replies(tmp_path), None, (ALL_OF_IT,))
    paired = [d for d in made if d.ask == "absolute" and any(q.pair for q in d.questions)]
    assert sum(not q.pair for d in paired for q in d.questions) > len(paired)


def test_people_are_asked_as_often_as_it_says_and_each_pair_stays_together(tmp_path: Path) -> None:
    (tmp_path / "hh-rlhf").mkdir()
    rows = [
        {
            "chosen": f"\n\nHuman: May I borrow ladder {n}?\n\nAssistant: Ask its owner, {n}.",
            "rejected": f"\n\nHuman: May I borrow ladder {n}?\n\nAssistant: Just take it, {n}.",
        }
        for n in range(20)
    ]
    path = tmp_path / "hh-rlhf" / "harmless_base_test_part.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    counts = []
    for times in (1, 3):
        config = SMALL.model_copy(update={"people": 400, "people_times": times})
        made = training_documents(config, replies(tmp_path), tmp_path, (ALL_OF_IT,))
        asked = [
            d for d in made if d.ask == "absolute" and any(q.trait == "hh" for q in d.questions)
        ]
        names = Counter(q.pair for d in asked for q in d.questions if q.trait == "hh")
        # Both replies of a pair, in three sentences.
        assert set(names.values()) == {6}
        counts.append(len(names))
        places: dict[str, set[int]] = {}
        for place, document in enumerate(made):
            for question in document.questions:
                if question.trait == "hh" and question.pair in names:
                    places.setdefault(question.pair, set()).add(place)
        for first, second in map(sorted, places.values()):
            assert (first % 2, second) == (0, first + 1)
    assert counts[1] == 3 * counts[0] > 0
