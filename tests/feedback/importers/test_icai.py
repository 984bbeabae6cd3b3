import csv
import json
from pathlib import Path

import pytest

from rlaif.errors import InputError
from rlaif.feedback.importers import read_pairs, read_people
from rlaif.records import Preference
from tests.feedback.importers.files import real

PAIRS = {
    "metadata": {"version": "2.0", "default_annotator": "d"},
    "annotators": {
        "d": {"name": "preferred_text", "type": "unknown"},
        "p": {"description": "Select the response that is shorter", "type": "principle"},
        "q": {"description": "Select the kinder response", "type": "principle"},
    },
    "comparisons": [
        {
            "id": "c1",
            "prompt": "Hi",
            "response_a": {"text": "A long hello.", "model": "m"},
            "response_b": {"text": "Hi."},
            "annotations": {
                "d": {"pref": "b"},
                "p": {"pref": "b"},
                "q": {"pref": None, "no_pref_reason": "not_applicable"},
            },
        }
    ],
}


def kept(folder: Path, value: object) -> Path:
    path = folder / "annotated_pairs.json"
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")
    return path


def test_the_label_and_each_principles_verdict_are_read(tmp_path: Path) -> None:
    [row] = read_people(kept(tmp_path, PAIRS))
    assert (row.chosen.text, row.rejected.author, row.source) == ("Hi.", "m", "human")
    [verdict] = row.verdicts
    assert (verdict.principle, verdict.p_first) == ("Select the response that is shorter", 1.0)
    [silent] = row.abstained
    assert (silent.kind, silent.principle) == ("no-principle", "Select the kinder response")


def test_a_pair_that_nobody_labelled_is_a_question_and_no_label(tmp_path: Path) -> None:
    pair = {**PAIRS["comparisons"][0], "annotations": {"p": {"pref": "a"}}}
    path = kept(tmp_path, {**PAIRS, "comparisons": [pair]})
    [question] = read_pairs(path)
    assert (question.first.text, question.second.text) == ("A long hello.", "Hi.")
    with pytest.raises(InputError, match=r"annotated_pairs\.json:1: pair c1 has no label"):
        read_people(path)


def test_a_side_that_is_none_is_named_with_its_pair(tmp_path: Path) -> None:
    pair = {**PAIRS["comparisons"][0], "annotations": {"d": {"pref": "c"}}}
    with pytest.raises(InputError, match=r"comparison c1: pref 'c' is neither"):
        read_people(kept(tmp_path, {**PAIRS, "comparisons": [pair]}))


def test_the_published_pair_has_its_label_and_forty_principles() -> None:
    path = real("feedback-forensics/annotated_pairs.json")
    [row] = read_people(path)
    raw = json.loads(path.read_text(encoding="utf-8"))
    said = raw["comparisons"][0]["annotations"]
    assert len(row.verdicts) + len(row.abstained) == len(said) - 1 == 40
    assert row.chosen.text == raw["comparisons"][0]["response_a"]["text"]
    decided = [value["pref"] for key, value in said.items() if value["pref"] and key != "ba751e7b"]
    assert [v.p_first for v in row.verdicts] == [float(pref == "a") for pref in decided]


@pytest.mark.parametrize("name", ["aligned_vqvtb", "orthogonal_adcbg", "mixed_vqvtb_adcbg"])
def test_icais_own_tables_are_read_and_every_choice_is_theirs(name: str) -> None:
    path = real(f"icai/synthetic/synthetic_data_{name}.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = read_people(path)
    assert len(labels) == len(rows) > 0
    assert all(isinstance(label, Preference) for label in labels)
    theirs = [row[row["preferred_text"]] for row in rows]
    assert [label.chosen.text for label in labels] == theirs
