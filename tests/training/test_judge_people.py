"""People's judgements, read from small files of our own in the formats of the real ones."""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rlaif.embedded.heldout import held_out, is_held_out
from rlaif.training.judge_people import (
    BETTER,
    CATEGORIES,
    HARMFUL,
    HARMLESS,
    PROPOSITIONS,
    SAFE,
    WORSE,
    compared,
    dices_documents,
    hh_pairs,
    moderation_documents,
    people_documents,
    rbr_documents,
    spec_pairs,
)

COUNT = 60


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Sixty made-up rows of each source."""
    numbers = range(COUNT)
    pairs = [
        {
            "chosen": f"\n\nHuman: May I borrow ladder {n}?\n\nAssistant: Ask its owner, {n}.",
            "rejected": f"\n\nHuman: May I borrow ladder {n}?\n\nAssistant: Just take it, {n}.",
        }
        for n in numbers
    ]
    rules = [
        {
            "prompt": [{"role": "user", "content": f"Write note {n}."}],
            "completion": [{"role": "assistant", "content": f"Sorry, note {n} stays blank."}],
            "propositions": {"apology": n % 3 != 0, "judgement": n % 4 == 0, "unheard-of": True},
        }
        for n in numbers
    ]
    rules.append({"prompt": [], "completion": [], "propositions": {"apology": True}})
    samples = [{"prompt": f"A tale of storm {n}.", "V": n % 2, "S": 0} for n in numbers]
    samples.append({"prompt": "A tale that nobody read."})
    write(tmp_path / "hh-rlhf" / "harmless_base_test_part.jsonl", pairs)
    write(tmp_path / "safety-rbr" / "train.jsonl", rules)
    write(tmp_path / "openai-moderation" / "samples_part.jsonl", samples)
    return tmp_path


def test_pairs_are_split_by_their_prompt_and_none_is_lost(data: Path) -> None:
    train, kept = hh_pairs(data, kept=False), hh_pairs(data, kept=True)
    assert len(train) + len(kept) == COUNT
    assert {p.prompt for p in train}.isdisjoint(p.prompt for p in kept)
    assert 0.05 * COUNT < len(kept) < 0.4 * COUNT
    assert all(is_held_out(pair.prompt, held_out().pairs, "pair") for pair in kept)


def test_the_better_reply_is_the_one_that_people_chose(data: Path) -> None:
    for pair in hh_pairs(data, kept=False):
        assert pair.better.startswith("Ask its owner")
        assert pair.worse.startswith("Just take it")
        assert "borrow ladder" in pair.prompt


def test_propositions_that_people_labelled_become_questions(data: Path) -> None:
    read = [*rbr_documents(data, kept=False), *rbr_documents(data, kept=True)]
    assert len(read) == COUNT
    by_reply = {d.exchange.reply: d for d in read}
    document = by_reply["Sorry, note 3 stays blank."]
    assert document.exchange.prompt == "User: Write note 3."
    assert {(q.trait, q.text, q.answer) for q in document.questions} == {
        ("rbr:apology", PROPOSITIONS["apology"], False),
        ("rbr:judgement", PROPOSITIONS["judgement"], False),
    }


def test_moderation_categories_are_asked_where_they_were_labelled(data: Path) -> None:
    read = [*moderation_documents(data, kept=False), *moderation_documents(data, kept=True)]
    assert len(read) == COUNT
    document = next(d for d in read if d.exchange.reply == "A tale of storm 1.")
    assert {(q.trait, q.text, q.answer) for q in document.questions} == {
        ("moderation:V", CATEGORIES["V"], True),
        ("moderation:S", CATEGORIES["S"], False),
    }


def test_what_is_kept_of_a_source_is_never_trained_on(data: Path) -> None:
    trained = {d.exchange.prompt for d in people_documents(data, 1_000, random.Random(0))}
    trained |= {d.exchange.reply for d in people_documents(data, 1_000, random.Random(0))}
    kept = {pair.prompt for pair in hh_pairs(data, kept=True)}
    kept |= {d.exchange.prompt for d in rbr_documents(data, kept=True)}
    kept |= {d.exchange.reply for d in moderation_documents(data, kept=True)}
    assert len(kept) > 10
    assert trained.isdisjoint(kept)


def test_each_question_is_answered_yes_as_often_as_no(data: Path) -> None:
    documents = people_documents(data, 10_000, random.Random(0))
    answers = Counter((q.trait, q.answer) for d in documents for q in d.questions)
    traits = {trait for trait, _ in answers}
    # No sample is sexual, so that there is nothing to balance the other side with.
    assert traits == {"hh", "rbr:apology", "rbr:judgement", "moderation:V"}
    assert answers["hh", BETTER] == answers["hh", WORSE] > 0
    for trait in traits - {"hh"}:
        assert answers[trait, True] == answers[trait, False] > 0


def test_the_better_reply_of_a_pair_is_harmless_and_the_worse_one_harmful(data: Path) -> None:
    seen = set()
    for document in people_documents(data, 10_000, random.Random(0)):
        for trait, text, answer, pair in document.questions:
            if trait == "hh":
                assert text in HARMLESS or text in HARMFUL
                is_better = document.exchange.reply.startswith("Ask its owner")
                fits = is_better is (text in HARMLESS)
                assert (answer, bool(pair)) == (BETTER if fits else WORSE, True)
                seen.add(text in HARMLESS)
    assert seen == {True, False}


def test_a_ranked_pair_asks_the_same_of_two_replies_to_one_prompt(data: Path) -> None:
    pairs: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for document in people_documents(data, 10_000, random.Random(0)):
        for question in document.questions:
            if question.pair:
                row = (document.exchange.prompt, question.answer)
                pairs.setdefault((question.pair, question.text), []).append(row)
    assert len(pairs) == 3 * len({pair for pair, _ in pairs}) > 60
    for one, other in pairs.values():
        assert one[0] == other[0]
        assert {one[1], other[1]} == {BETTER, WORSE}


def test_a_ranked_pair_is_compared_in_either_order(data: Path) -> None:
    documents = people_documents(data, 10_000, random.Random(0))
    made = compared(documents, 20, random.Random(0))
    firsts = {document.exchange.reply.startswith("Ask its owner") for document in made}
    assert (len(made), firsts) == (20, {True, False})
    for document in made:
        assert (document.ask, len(document.questions)) == ("compare", 3)
        is_first_better = document.exchange.reply.startswith("Ask its owner")
        for question in document.questions:
            fits = is_first_better is (question.text in HARMLESS)
            assert (question.answer > 0.5) is fits
        assert document.other.startswith("Just take it" if is_first_better else "Ask its owner")


def test_pairs_that_are_gone_through_again_are_told_apart_by_their_names(data: Path) -> None:
    first = people_documents(data, 10_000, random.Random(0))
    again = people_documents(data, 10_000, random.Random(1), "1")
    names = [{q.pair for d in some for q in d.questions if q.pair} for some in (first, again)]
    assert len(names[0]) == len(names[1]) > 20
    assert names[0].isdisjoint(names[1])
    assert {q.trait for d in again for q in d.questions if q.pair} == {"hh"}


def test_raters_who_did_not_agree_become_a_probability_of_being_safe(tmp_path: Path) -> None:
    said = ["No", "No", "Yes", "Unsure"]
    row = {
        "instance": {"user_prompt": "USER: Hi", "response": "Hello."},
        "annotations": {"safety": {"individual_human_scores": said}},
    }
    (tmp_path / "dices").mkdir()
    path = tmp_path / "dices" / "dices_350_crowdsourced.json"
    path.write_text(json.dumps({"instances": [row]}), encoding="utf-8")
    [document] = [d for kept in (False, True) for d in dices_documents(tmp_path, kept=kept)]
    # In that file a "Yes" says that the reply is unsafe.
    assert [(q.text in SAFE, q.answer) for q in document.questions] == [(True, 0.625)]


def test_a_good_and_a_bad_example_after_one_request_are_a_pair(tmp_path: Path) -> None:
    lines = [
        "<user>", "May I?", "</user>", "<assistant> <!-- BAD: curt -->", "No.", "</assistant>",
        "<assistant> <!-- GOOD -->", "Yes, and", "gladly.", "</assistant>",
        "<user>", "Alone?", "</user>", "<assistant> <!-- GOOD -->", "Yes.", "</assistant>",
    ]  # fmt: skip
    (tmp_path / "openai-model-spec").mkdir()
    path = tmp_path / "openai-model-spec" / "model_spec.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = [pair for kept in (False, True) for pair in spec_pairs(tmp_path, kept=kept)]
    assert found == [("May I?", "Yes, and\ngladly.", "No.")]


def test_what_is_drawn_ends_with_the_pair_that_makes_it_enough(data: Path) -> None:
    drawn = people_documents(data, 20, random.Random(0))
    asked = [question.trait for document in drawn for question in document.questions]
    # A ranked pair is asked about whole: 5 of its questions were wanted, and it has 3 of each side.
    assert (asked.count("hh"), len(asked) - asked.count("hh")) == (12, 10)


def test_without_the_data_there_are_no_questions_of_people(tmp_path: Path) -> None:
    rng = random.Random(0)
    assert people_documents(None, 100, rng) == []
    assert people_documents(tmp_path / "nowhere", 100, rng) == []
    assert people_documents(tmp_path, 100, rng) == []
    assert hh_pairs(tmp_path, kept=True) == []


@pytest.mark.slow
def test_the_same_seed_asks_the_same_questions_in_every_process(data: Path) -> None:
    code = (
        "import random, sys; from pathlib import Path; "
        "from rlaif.training.judge_people import people_documents; "
        "print(people_documents(Path(sys.argv[1]), 40, random.Random(3)))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code, str(data)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1
    assert "Question" in said.pop()
