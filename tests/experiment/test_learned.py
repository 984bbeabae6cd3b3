"""Files that a policy learns from: thumbs stay unpaired for KTO alone."""

import json
from pathlib import Path

import pytest

from rlaif.errors import InputError
from rlaif.experiment.learned import read_learned
from rlaif.storage import write_records
from tests.training.conftest import preferring_yes


def thumbs(path: Path, *said: tuple[str, str, bool]) -> Path:
    rows = [{"prompt": prompt, "completion": text, "label": good} for prompt, text, good in said]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_kto_takes_thumbs_as_they_are_and_pairs_beside_them(tmp_path: Path) -> None:
    write_records(tmp_path / "preferences.jsonl", [preferring_yes(1)])
    file = thumbs(tmp_path / "thumbs.jsonl", ("q", "a", True), ("q", "b", False))
    learned = read_learned([tmp_path, file], "kto", [preferring_yes(2)])
    assert [(row.text, row.good) for row in learned.unpaired] == [("a", True), ("b", False)]
    assert [row.id for row in learned.preferences] == ["pair-2", "pair-1"]


def test_dpo_pairs_the_thumbs_of_a_prompt(tmp_path: Path) -> None:
    file = thumbs(tmp_path / "thumbs.jsonl", ("q", "a", True), ("q", "b", False))
    learned = read_learned([file], "dpo")
    assert learned.unpaired == []
    assert [row.chosen.text for row in learned.preferences] == ["a"]


def test_a_thumb_given_twice_counts_once_and_is_told(tmp_path: Path) -> None:
    file = tmp_path / "thumbs.jsonl"
    row = {"prompt": "q", "completion": "a", "label": True, "by": "ann"}
    file.write_text(f"{json.dumps(row)}\n{json.dumps(row)}\n", encoding="utf-8")
    learned = read_learned([file], "kto")
    assert (len(learned.unpaired), learned.left_out) == (1, {"given again": 1})


def test_an_empty_reply_is_named_by_its_line(tmp_path: Path) -> None:
    file = thumbs(tmp_path / "thumbs.jsonl", ("q", "a", True), ("q", " ", False))
    with pytest.raises(InputError, match=r"thumbs\.jsonl:2: the reply is empty"):
        read_learned([file], "kto")
