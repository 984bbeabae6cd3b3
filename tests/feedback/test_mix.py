import json
import re
from pathlib import Path
from typing import Any

import pytest

from rlaif.errors import InputError
from rlaif.feedback.mix import Mix, mixed, parse_weights, read_labels
from rlaif.feedback.sound import Aside
from rlaif.records import Abstention, Preference, Prompt, Response, Source
from rlaif.storage import write_records


def write(folder: Path, *rows: dict[str, Any], name: str = "pairs.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def label(name: str, source: Source, weight: float = 1.0) -> Preference:
    prompt = Prompt.of("P")
    good, bad = (Response(id=f"{name}/{t}", prompt_id=prompt.id, text=t, author="m") for t in "ab")
    return Preference(
        id=name, prompt=prompt, chosen=good, rejected=bad, p_chosen=0.9, source=source, by="x",
        weight=weight,
    )  # fmt: skip


def test_a_source_counts_by_its_weight_beside_the_labels_own() -> None:
    labels = [label("1", "judge"), label("2", "human", weight=0.5), label("3", "thumbs")]
    found = mixed(labels, {"human": 4.0, "thumbs": 0})
    assert {row.id: row.weight for row in found} == {"1": 1.0, "2": 2.0}


def test_two_sources_labels_of_one_pair_both_stay_under_names_of_their_own() -> None:
    found = mixed([label("1", "judge"), label("1", "human"), label("1", "human")])
    assert [row.id for row in found] == ["1", "1:human", "1:human3"]
    assert [row.source for row in found] == ["judge", "human", "human"]


def test_weights_that_leave_nothing_say_what_there_was() -> None:
    with pytest.raises(InputError, match="leave no label: 1 judge, 1 human"):
        mixed([label("1", "judge"), label("2", "human")], {"judge": 0, "human": 0})


def test_a_crowds_rows_become_one_label_with_a_probability(tmp_path: Path) -> None:
    row = {"id": "x", "prompt": "P", "first": "a", "second": "b"}
    said = ["first", "first", "second"]
    rows = [{**row, "rater": who, "choice": c} for who, c in zip("uvw", said, strict=True)]
    [pooled] = read_labels(write(tmp_path, *rows))
    assert (pooled.chosen.text, pooled.p_chosen) == ("a", pytest.approx(2 / 3))


def test_thumbs_are_paired_within_a_prompt(tmp_path: Path) -> None:
    rows = [{"prompt": "P", "completion": c, "label": c == "a"} for c in "ab"]
    [pair] = read_labels(write(tmp_path, *rows))
    assert (pair.chosen.text, pair.source) == ("a", "thumbs")
    with pytest.raises(InputError, match="all 2 are up"):
        read_labels(write(tmp_path, *[{**row, "label": True} for row in rows]))
    with pytest.raises(InputError, match="no prompt has two replies that differ"):
        read_labels(write(tmp_path, rows[0], {**rows[1], "prompt": "Q"}))


def test_files_of_several_sources_are_one_set(tmp_path: Path) -> None:
    judged = tmp_path / "judge"
    write_records(judged / "preferences.jsonl", [label("1", "judge")])
    people = write(tmp_path, {"id": "1", "prompt": "P", "chosen": "b", "rejected": "a"})
    found = Mix((judged, people), {"human": 4.0}).read()
    assert [(row.source, row.weight) for row in found] == [("judge", 1.0), ("human", 4.0)]


def test_weights_are_read_and_what_is_none_is_told() -> None:
    assert parse_weights(["human=4", "judge=0"]) == {"human": 4.0, "judge": 0.0}
    for said, message in {
        "humans=4": "no such source; did you mean 'human'",
        "human": "expected a number, such as human=4",
        "human=-1": "a weight is 0 or more",
        "human=nan": "a weight is 0 or more",
    }.items():
        with pytest.raises(InputError, match=message):
            parse_weights([said])


GOOD = {"prompt": "P", "chosen": "a", "rejected": "b"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({**GOOD, "rejected": "a"}, "both replies are the same text"),
        ({**GOOD, "chosen": " \n"}, "the chosen reply is empty"),
        ({**GOOD, "rejected": ""}, "the rejected reply is empty"),
        ({**GOOD, "p_chosen": 1.5}, "p_chosen: Input should be less than or equal to 1"),
        ({**GOOD, "p_chosen": float("nan")}, "p_chosen: Input should be a finite number"),
        ({"choice": "first", "id": 7}, "`choice` is a label without its pair"),
        ({"prompt": "P", "first": "a", "second": "b"}, "has no label"),
        ({"id": "g", **GOOD, "chosen": "c"}, "id 'g' stands twice with another label, first on"),
    ],
)
def test_a_row_that_cannot_be_trained_on_is_named_with_its_line_and_left_out(
    row: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = write(tmp_path, {"id": "g", **GOOD}, row, {**GOOD, "chosen": ""})
    aside = Aside()
    [label] = read_labels(path, aside=aside)
    assert label.id == "g"
    first, second = aside.lines()
    assert re.match(rf".*pairs\.jsonl:2: left out: .*{message}", first)
    assert "pairs.jsonl:3: left out: pair " in second
    assert sum(aside.counts.values()) == 2


def test_a_crowds_faulty_rows_are_left_out_of_what_is_pooled(tmp_path: Path) -> None:
    row = {"id": "x", "prompt": "P", "first": "a", "second": "b"}
    said = [("u", "first"), ("v", "first"), ("u", "second"), ("w", "second")]
    aside = Aside()
    rows = [{**row, "rater": who, "choice": choice} for who, choice in said]
    [pooled] = read_labels(write(tmp_path, *rows), aside=aside)
    assert (pooled.chosen.text, pooled.p_chosen) == ("a", pytest.approx(2 / 3))
    [line] = aside.lines()
    assert "pairs.jsonl:3: left out: id 'x' stands twice with another label, first on" in line


def test_nothing_to_train_on_says_why_with_the_counts(tmp_path: Path) -> None:
    path = write(
        tmp_path, {**GOOD, "chosen": "b"}, {**GOOD, "chosen": ""}, {**GOOD, "rejected": ""}
    )
    with pytest.raises(
        InputError, match="no label to train on; 2 empty, 1 same; the first: line 1"
    ):
        read_labels(path)
    ties = write(tmp_path, {**GOOD, "p_chosen": 0.5}, {**GOOD, "chosen": "c", "p_chosen": 0.5})
    with pytest.raises(InputError, match="all 2 labels are ties"):
        read_labels(ties)


def test_a_judge_that_abstained_on_everything_is_told_by_kind(tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    write_records(folder / "preferences.jsonl", [])
    silent = [Abstention(kind=k, subject=str(n), by="j")
              for n, k in enumerate(["refused", "unreadable", "refused"])]  # fmt: skip
    write_records(folder / "abstentions.jsonl", silent)
    with pytest.raises(InputError, match="abstained on all 3 pairs: 2 refused, 1 unreadable"):
        read_labels(folder)
