import csv
import json
from pathlib import Path
from typing import Any

import pytest

from rlaif.errors import InputError
from rlaif.feedback.crowd.answer import Answer
from rlaif.feedback.crowd.read import read_crowd


def write(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "crowd.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def said(rater: str, label: str, **more: Any) -> dict[str, Any]:
    return {"item": "i", "rater": rater, "label": label, **more}


def test_a_row_an_answer_is_read_with_its_time_group_and_gold(tmp_path: Path) -> None:
    rows = [said("ann", "yes", seconds=3, gold="yes", age="old"), said("bo", "no", age="young")]
    crowd = read_crowd(write(tmp_path, *rows), group="age")
    assert crowd.answers == (
        Answer("i", "ann", "yes", 3.0, "old"),
        Answer("i", "bo", "no", None, "young"),
    )
    assert crowd.gold == {"i": "yes"}


def test_raters_of_pairs_are_a_crowd_whichever_side_they_saw_first(tmp_path: Path) -> None:
    rows = [
        {"id": "x", "rater": "ann", "prompt": "P", "first": "a", "second": "b", "choice": "first"},
        {"id": "x", "rater": "bo", "prompt": "P", "first": "b", "second": "a", "choice": "first"},
        {"id": "x", "rater": "cy", "prompt": "P", "first": "a", "second": "b", "choice": "tie"},
    ]
    rows[0]["seconds"] = 2.5
    crowd = read_crowd(write(tmp_path, *rows))
    assert [(a.rater, a.label) for a in crowd.answers] == [
        ("ann", "first"),
        ("bo", "second"),
        ("cy", "tie"),
    ]
    assert crowd.answers[0].seconds == 2.5


def test_dices_yes_is_unsafe_in_its_own_table_and_in_judge_benchs(tmp_path: Path) -> None:
    head = ["id", "rater_id", "rater_gender", "item_id", "answer_time_ms", "safety_gold"]
    with (tmp_path / "own.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow([*head, "Q_overall"])
        table.writerow([1, "r1", "Man", "7", "2500", "Yes", "Yes"])
        table.writerow([2, "r2", "Woman", "7", "9000", "Yes", "No"])
    crowd = read_crowd(tmp_path / "own.csv", group="rater_gender")
    assert crowd.answers == (
        Answer("7", "r1", "unsafe", 2.5, "Man"),
        Answer("7", "r2", "safe", 9.0, "Woman"),
    )
    assert crowd.gold == {"7": "unsafe"}
    scores = {"safety": {"individual_human_scores": ["Yes", "No", "Unsure"]}}
    bench = {"dataset": "Dices (…)", "instances": [{"id": 7, "annotations": scores}]}
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(bench), encoding="utf-8")
    assert [(a.rater, a.label) for a in read_crowd(path).answers] == [
        ("1", "unsafe"),
        ("2", "safe"),
        ("3", "unsure"),
    ]


def test_gold_from_another_file_counts_for_the_items_that_are_there(tmp_path: Path) -> None:
    path = write(tmp_path, said("ann", "yes"), said("bo", "no"))
    gold = tmp_path / "gold.jsonl"
    gold.write_text(json.dumps(said("expert", "no")) + "\n", encoding="utf-8")
    assert read_crowd(path, gold=gold).gold == {"i": "no"}
    gold.write_text(json.dumps(said("expert", "no", item="j")) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="none of its 1 items is among the answers'"):
        read_crowd(path, gold=gold)


def test_answers_that_say_nothing_are_left_out_and_counted(tmp_path: Path) -> None:
    crowd = read_crowd(write(tmp_path, said("ann", "yes"), said("bo", "unsure")))
    left = crowd.without(frozenset({"unsure"}))
    assert ([a.rater for a in left.answers], left.unsaid) == (["ann"], 1)
    with pytest.raises(InputError, match="nobody answered 'maybe'; answers are unsure, yes"):
        crowd.without(frozenset({"maybe"}))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([said("ann", "a"), said("ann", "b")], r":2: rater 'ann' answers item 'i' again, first on"),
        ([said("ann", "a", gold="a"), said("bo", "a", gold="b")], r":2: item 'i' has two right"),
        ([{"item": "i", "label": "a"}], r":1: no `rater`; found item, label"),
        ([said("ann", "a", seconds="long")], r":1: seconds: 'long' is no number"),
        ([said("ann", "a", seconds=-1)], r":1: seconds: -1 is no length of time"),
        ([{"item_id": 1, "rater_id": 2, "Q_overall": "Perhaps"}], r":1: 'Perhaps' is none of Yes"),
        ([{"text": "x"}], r":1: expected `chosen`"),
    ],
)
def test_a_row_that_is_no_answer_is_named(
    rows: list[dict[str, Any]], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        read_crowd(write(tmp_path, *rows))


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r":1: no column 'age'; found item, label, rater"):
        read_crowd(write(tmp_path, said("ann", "a")), group="age")
