"""What a judge learns from: true answers, balanced, and nothing of what is kept aside."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from rlaif.embedded.heldout import (
    held_out,
    is_held_out,
    known_wordings,
    new_wordings,
    trained_phrases,
)
from rlaif.embedded.traits import TRAITS
from rlaif.embedded.traits.base import Exchange
from rlaif.embedded.traits.frames import DOES, DOES_NOT, framed
from rlaif.embedded.traits.load import more_phrases
from rlaif.training.judge_data import (
    ALL_OF_IT,
    KINDS,
    LESSONS,
    MOST_QUESTIONS,
    PLAIN,
    Document,
    documents,
    drawn_wording,
    edited,
    exchanges,
    prompts,
    read_replies,
)
from rlaif.training.judge_tree import REPLY_CHARACTERS

REPLIES = [
    Exchange(text, f"question {number}", KINDS[number % 3])
    for number, text in enumerate(
        [
            "Boil it for eight minutes. Then cool it in water.",
            "Sure! What would you like to cook for dinner today?",
            "1. Take a map.\n2. Walk to the river.\n3. Rest.",
            "It depends on the weather, but mostly it rains in the evening because of the wind.",
            "Great question! I love music, for example the guitar.",
            "You must see a doctor if the pain gets worse.",
            "The train leaves at 9 and costs $4.",
            "I don't know, sorry.",
        ]
    )
]


def pool(count: int = 400, seed: int = 0) -> list[Exchange]:
    return exchanges(REPLIES, count, random.Random(seed), kept=False)


def made(labels: int = 4_000, lesson: int = -1) -> list[Document]:
    return documents(pool(), labels, random.Random(0), LESSONS[lesson])


def truths() -> dict[str, set[tuple[str, bool]]]:
    """Give, for each trait, every sentence that training may say of it and what it claims."""
    found: dict[str, set[tuple[str, bool]]] = {}
    for name in TRAITS:
        rows = {(w.text, w.claims) for w in known_wordings(TRAITS[name])}
        rows |= {
            (framed(frame, phrase), True)
            for frame in DOES_NOT[:-1]
            for phrase in TRAITS[name].lacks[:-1]
        }
        found[name] = rows
    return found


def test_each_answer_is_what_code_says_of_the_reply_turned_round_by_a_denial() -> None:
    known = truths()
    for exchange, questions, *_ in made():
        for trait, text, answer, _ in questions:
            claims = answer == TRAITS[trait].holds(exchange)
            assert (text, claims) in known[trait]


@pytest.mark.parametrize("trait", ["asks-question", "brief", "refuses", "helps-harm"])
def test_a_claim_and_its_denial_of_one_reply_have_opposite_answers(trait: str) -> None:
    answers: dict[tuple[Exchange, bool], set[bool]] = {}
    claims = dict(truths()[trait])
    for exchange, questions, *_ in made():
        for name, text, answer, _ in questions:
            if name == trait:
                answers.setdefault((exchange, claims[text]), set()).add(answer)
    assert {claim for _, claim in answers} == {True, False}
    for (exchange, claim), given in answers.items():
        assert len(given) == 1
        assert answers.get((exchange, not claim), {not next(iter(given))}).isdisjoint(given)


def test_a_trait_is_asked_about_as_often_where_it_holds_as_where_it_does_not() -> None:
    sides = Counter(
        (trait, TRAITS[trait].holds(exchange))
        for exchange, questions, *_ in made(2_000)
        for trait, *_ in questions
    )
    for trait in PLAIN:
        # A rare side is asked about eight times each at most, which this pool reaches for none.
        assert sides[trait, True] == sides[trait, False] > 0


def test_each_sentence_is_true_as_often_as_it_is_false_and_so_is_every_word() -> None:
    sentences: dict[str, Counter[float]] = {}
    words: dict[str, set[float]] = {}
    for question in (q for document in made(6_000) for q in document.questions):
        sentences.setdefault(question.text, Counter())[question.answer] += 1
        for word in question.text.lower().split():
            words.setdefault(word, set()).add(question.answer)
    assert len(sentences) > 1_000
    assert all(counts[1.0] == counts[0.0] for counts in sentences.values())
    assert all(answers == {0.0, 1.0} for answers in words.values())


def test_yes_and_no_are_about_as_often_right_where_denials_are_asked() -> None:
    answers = [q.answer for document in made(6_000) for q in document.questions]
    assert sum(answers) / len(answers) == pytest.approx(0.5, abs=0.04)


def test_a_question_of_harm_is_never_asked_where_the_kind_of_prompt_is_unknown() -> None:
    unknown = [exchange._replace(kind="") for exchange in pool()]
    asked = {q.trait for d in documents(unknown, 2_000, random.Random(0)) for q in d.questions}
    assert asked.isdisjoint({"helps-harm", "declines-harm", "over-refuses", "well-judged"})
    assert "refuses" in asked


def test_no_held_out_trait_is_asked_about_and_no_held_out_wording_is_used() -> None:
    kept = {w.text for trait in TRAITS.values() for w in new_wordings(trait)}
    questions = [q for lesson in range(4) for d in made(lesson=lesson) for q in d.questions]
    assert {q.trait for q in questions}.isdisjoint(held_out().traits)
    assert {q.text for q in questions}.isdisjoint(kept)


def test_the_first_lessons_claim_and_only_the_last_denies() -> None:
    denied = [framed(f, p) for t in TRAITS.values() for f in DOES_NOT for p in t.does]
    for lesson in range(4):
        texts = {q.text for d in made(lesson=lesson) for q in d.questions}
        assert bool(texts & set(denied)) is LESSONS[lesson].has_denials
    assert [lesson.has_denials for lesson in LESSONS] == [False, False, False, True]


def test_the_first_lesson_asks_of_plain_traits_in_a_few_phrases() -> None:
    for document in made(lesson=0):
        for trait, text, *_ in document.questions:
            few = {framed(f, p) for f in DOES[:4] for p in TRAITS[trait].does[:4]}
            assert trait in PLAIN
            assert text in few


def test_the_lessons_share_out_all_questions_and_all_replies() -> None:
    assert sum(lesson.share for lesson in LESSONS) == pytest.approx(1)
    assert sum(lesson.replies for lesson in LESSONS) == pytest.approx(1)


def test_a_row_has_half_as_many_questions_again_as_the_most_at_most() -> None:
    assert max(len(d.questions) for d in made(8_000)) <= 1.5 * MOST_QUESTIONS
    assert min(len(d.questions) for d in made(8_000)) >= 1


def test_a_drawn_wording_is_one_that_training_may_use() -> None:
    known, rng = truths(), random.Random(0)
    for trait in TRAITS.values():
        for _ in range(20):
            assert tuple(drawn_wording(trait, rng)) in known[trait.name]


def test_more_phrases_are_drawn_where_a_lesson_says_so_and_nowhere_else() -> None:
    trait, rng = TRAITS["brief"], random.Random(0)

    def drawn(*, more: bool) -> set[str]:
        lesson = ALL_OF_IT._replace(more=more)
        return {drawn_wording(trait, rng, lesson).text for _ in range(300)}

    def said(*, more: bool) -> set[str]:
        # What denies may be denied: few of these are drawn, and an examination asks none.
        lacks = trained_phrases(trait, more=more).lacks
        twice = {framed(frame, phrase) for frame in DOES_NOT for phrase in lacks}
        return twice | {wording.text for wording in known_wordings(trait, more=more)}

    assert drawn(more=False) <= said(more=False)
    assert drawn(more=True) <= said(more=True)
    assert drawn(more=True) - said(more=False)


def test_each_of_more_phrases_can_be_drawn() -> None:
    trait = max((TRAITS[n] for n in more_phrases()), key=lambda t: len(more_phrases()[t.name].does))
    does = trained_phrases(trait, more=True).does
    assert len(does) > 50
    rng, lesson = random.Random(0), ALL_OF_IT._replace(more=True)
    drawn = {drawn_wording(trait, rng, lesson).text for _ in range(40 * len(does))}
    said = {p for p in does if any(framed(frame, p) in drawn for frame in (*DOES, *DOES_NOT))}
    assert said == set(does)


def test_the_prompts_for_training_and_those_kept_share_none() -> None:
    for kind in KINDS:
        train, kept = prompts(kind, kept=False), prompts(kind, kept=True)
        assert set(train).isdisjoint(kept)
        assert len(kept) / len(train + kept) == pytest.approx(held_out().prompts, abs=0.08)


def test_replies_to_kept_prompts_are_read_for_tests_alone(tmp_path: Path) -> None:
    rows = [{"kind": "ordinary", "prompt": f"q {n}", "reply": "r" * 900} for n in range(50)]
    rows.append({"kind": "ordinary", "prompt": "q", "reply": "  "})
    path = tmp_path / "replies.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    train, kept = (read_replies(path, kept=side) for side in (False, True))
    assert len(train) + len(kept) == 50
    assert all(is_held_out(e.prompt, held_out().prompts) for e in kept)
    assert not any(is_held_out(e.prompt, held_out().prompts) for e in train)
    assert {len(e.reply) for e in train + kept} == {REPLY_CHARACTERS}


def test_exchanges_have_refusals_broken_text_and_the_replies_themselves() -> None:
    made_pool = pool(600)
    assert made_pool == pool(600)
    assert 0.95 * 600 <= len(made_pool) <= 600
    counts = {n: sum(TRAITS[n].holds(e) for e in made_pool) for n in ("refuses", "degenerate")}
    assert 0.15 < counts["refuses"] / 600 < 0.45
    assert 0.02 < counts["degenerate"] / 600 < 0.2
    assert set(REPLIES) & set(made_pool)


def test_an_edit_changes_the_reply_and_leaves_what_was_asked() -> None:
    start = REPLIES[0]
    others = [edited(start, random.Random(seed)) for seed in range(40)]
    assert {(e.prompt, e.kind) for e in others} == {(start.prompt, start.kind)}
    assert len({e.reply for e in others}) > 20
