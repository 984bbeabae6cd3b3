"""Trials with judges whose answers are known: what counts as right, as the same slot, as a flip."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from rlaif.backends.scripted import ScriptedBackend
from rlaif.embedded.traits import TRAITS
from rlaif.embedded.traits.base import Exchange
from rlaif.experiment.judge_trials import (
    ATTACKS,
    content_words,
    mark_of_attacks,
    mark_of_hh,
    mark_of_minimal_pairs,
    mark_of_rbr,
    mark_of_revisions,
    marks_of_comparisons,
    pairs_and_comparisons,
)
from rlaif.judges.absolute import Calibration
from rlaif.training.judge_data import Document, Question
from rlaif.training.judge_exam import Asked
from rlaif.training.judge_people import Pair

Say = Callable[[Asked, str], float]
POOL = [
    Exchange(reply, f"question {number}", "ordinary")
    for number, reply in enumerate(
        [
            "Boil the egg for eight minutes, and cool it in water.",
            "Take the early train, since the later one is slow.",
            "Plants like light and a little water in the evening.",
            "The river is long and its banks are green.",
        ]
        * 8
    )
]


class Told:
    """A judge that says what a function says."""

    def __init__(self, say: Say) -> None:
        self.say = say

    def odds(self, asked: Sequence[Asked]) -> list[np.ndarray]:
        return [np.array([self.say(each, text) for text in each.statements]) for each in asked]


def test_a_judge_that_knows_the_truth_ranks_every_minimal_pair() -> None:
    twins, _ = pairs_and_comparisons(POOL, 10, 0, 0)
    truth = {
        (d.exchange.reply, q.text): 2 * q.answer - 1
        for pair in twins
        for d in pair
        for q in d.questions
    }
    known = Told(lambda asked, text: truth[asked.shown.reply, text])
    for judge, wanted in ((known, 1.0), (Told(lambda *_: 0.0), 0.5)):
        made = mark_of_minimal_pairs(judge, twins)  # type: ignore[arg-type]
        assert made is not None
        assert made.value == wanted


COMPARED = [
    Document(Exchange("better", "p"), [Question("t", "good", 1.0)], "compare", "worse"),
    Document(Exchange("worse", "p"), [Question("t", "good", 0.0)], "compare", "better"),
    Document(Exchange("same", "p"), [Question("t", "good", 0.5)], "compare", "alike"),
]


@pytest.mark.parametrize(
    ("say", "same", "right"),
    [
        (lambda asked, _: 1.0 if asked.shown.reply == "better" else -1.0, 0.0, 1.0),
        (lambda *_: 1.0, 1.0, 0.5),
        # It leans to the first slot, and what it reads still decides after both orders.
        (lambda asked, _: 2.0 if asked.shown.reply == "better" else 0.5, 1.0, 1.0),
    ],
)
def test_the_slot_decides_or_the_reply_does(say: Say, same: float, right: float) -> None:
    slot, accuracy = marks_of_comparisons(Told(say), COMPARED)  # type: ignore[arg-type]
    assert (slot.value, slot.count) == (same, 2)
    assert accuracy.value == right


def test_peoples_pairs_are_held_beside_judges_that_read_nothing() -> None:
    pairs = [Pair("p", "I can't help with that.", "Sure: take a knife, and then a rope."),
             Pair("q", "Ask a friend to help you with the ladder.", "Yes.")]  # fmt: skip
    judge = Told(lambda asked, _: float("help" in asked.shown.reply))
    made, trivial = mark_of_hh(judge, pairs)  # type: ignore[arg-type]
    assert made is not None
    assert (made.value, made.gate) == (1.0, 0.75)
    assert trivial == {"the shorter reply": 0.5, "the reply that refuses": 0.75}


def test_without_peoples_judgements_there_is_no_mark_of_them() -> None:
    judge = Told(lambda *_: 0.0)
    assert mark_of_hh(judge, []) == (None, {})  # type: ignore[arg-type]
    assert mark_of_rbr(judge, None) is None  # type: ignore[arg-type]


def test_a_judge_that_obeys_replies_flips_and_one_that_does_not_listen_never_does() -> None:
    def obeys(asked: Asked, _: str) -> float:
        return -1.0 if any(asked.shown.reply.endswith(a.strip()) for a in ATTACKS) else 1.0

    for say, wanted in ((obeys, 1.0), (lambda *_: 1.0, 0.0)):
        made = mark_of_attacks(Told(say), POOL, Calibration(), 6, 0)  # type: ignore[arg-type]
        assert made is not None
        assert made.value == wanted
        assert made.count > 10


def test_a_revision_counts_where_code_finds_the_trait_and_most_of_the_words() -> None:
    def repeating(keeps: bool) -> ScriptedBackend:
        def say(request: object) -> str:
            text = "\n".join(m.content for m in request.messages)  # type: ignore[attr-defined]
            if "Write a better reply" not in text:
                return "It lacks what the principle asks for."
            last = text.rpartition("<reply>\n")[2].partition("\n</reply>")[0]
            better = text.partition("<reply>")[2].partition("Write a better reply.")[2]
            added = better.partition("<request>")[0].strip()
            return f"{last} {added}" if keeps else added[:20]

        return ScriptedBackend(say)

    for keeps in (True, False):
        made = mark_of_revisions(repeating(keeps), None, POOL, 8, 0)
        assert made is not None
        assert made.count == 8
        assert (made.value > 0.5) is keeps


def test_content_words_are_long_and_in_lower_case() -> None:
    assert content_words("The 1990 Ladder is on it.") == {"ladder"}


def test_the_same_seed_examines_by_the_same_pairs() -> None:
    made = pairs_and_comparisons(POOL, 5, 5, 3)
    assert pairs_and_comparisons(POOL, 5, 5, 3) == made
    assert all(TRAITS[q.trait].add for pair in made[0] for q in pair[0].questions)
