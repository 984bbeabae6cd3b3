"""Win, tie and lose tables: by hand, and on the published reviews."""

import os
from pathlib import Path

import pytest

from rlaif.errors import InputError
from rlaif.evaluation.recorded.reviews import Tally, reviews
from rlaif.evaluation.recorded.sheets import review_sheets
from tests.evaluation.recordings import write_reviews

DATA = Path(os.environ.get("RLAIF_DATA", "/nowhere"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two assistants, compared on four questions in both orders."""
    own = {1: ("Better.\n\n1", 1), 2: ("1", 1), 3: ("Alike.\n\n3", 3), 4: ("error", -1)}
    swapped = {1: ("2", 2), 2: ("1", 1), 3: ("3", 3), 4: ("1", 1)}
    write_reviews(tmp_path / "ann-vs-bo-gpt-4-reviewer-threeclass.jsonl", own)
    write_reviews(tmp_path / "bo-vs-ann-gpt-4-reviewer-threeclass.jsonl", swapped)
    return tmp_path


def test_reviews_in_both_orders_are_one_contest(folder: Path) -> None:
    [contest] = reviews(folder).contests
    assert (contest.first, contest.second) == ("ann", "bo")
    assert contest.ours == Tally(wins=3, ties=2, losses=2, unread=1)
    assert contest.ours == contest.recorded
    assert contest.share
    assert contest.share.value == pytest.approx(4 / 7)


def test_a_judge_that_names_the_first_slot_twice_is_not_steady(folder: Path) -> None:
    [contest] = reviews(folder).contests
    assert contest.same
    assert contest.slot
    assert contest.same.value == pytest.approx(1 / 2)  # questions 1 and 2
    assert contest.slot.value == pytest.approx(4 / 5)


def test_in_one_order_alone_no_slot_can_be_told_to_be_favoured(tmp_path: Path) -> None:
    said = {1: ("9 8\nGood.", [9, 8]), 2: ("0 9\nNo answer.", [0, 9])}
    write_reviews(tmp_path / "review_llama_vicuna-7b.jsonl", said)
    found = reviews(tmp_path)
    [contest] = found.contests
    assert (contest.first, contest.second, contest.slot) == ("llama", "vicuna-7b", None)
    assert contest.ours == Tally(wins=1, ties=0, losses=0, unread=1)
    assert contest.recorded == Tally(wins=1, ties=0, losses=1, unread=0)
    assert (found.differing, found.unread) == (1, {"outside": 1})
    [sheet] = review_sheets(found)
    assert sheet.rows[0][-1] == "1/0/1/0"


def test_a_row_that_is_no_review_is_told_with_its_line(folder: Path) -> None:
    path = folder / "ann-vs-bo-gpt-4-reviewer-threeclass.jsonl"
    path.write_text('{"question_id": 1, "text": "1", "score": 1}\n{"text": 2}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"threeclass\.jsonl:2: expected"):
        reviews(folder)


def test_a_folder_without_reviews_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no reviews"):
        reviews(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "qlora").is_dir(), reason="RLAIF_DATA has no QLoRA")
def test_qloras_reviews_are_read_as_recorded_but_for_three_ties_in_other_words() -> None:
    found = reviews(DATA / "qlora", rounds=1000)
    assert (found.files, found.replies, len(found.contests)) == (56, 4480, 28)
    assert found.unread == {"outside": 8, "refused": 2}
    assert found.differing == 3
    added = [contest.ours.ties - contest.recorded.ties for contest in found.contests]
    assert (sum(added), min(added)) == (3, 0)


@pytest.mark.skipif(not (DATA / "vicuna-blog-eval").is_dir(), reason="RLAIF_DATA has no Vicuna")
def test_vicunas_scores_are_read_as_recorded_but_for_three_off_the_scale() -> None:
    found = reviews(DATA / "vicuna-blog-eval", rounds=1000)
    assert (found.files, found.replies) == (9, 720)
    assert (found.differing, found.unread) == (3, {"outside": 3})
