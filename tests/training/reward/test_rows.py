from pathlib import Path

import pytest
from transformers import AutoTokenizer

from rlaif.training.reward.layout import Layout
from rlaif.training.reward.rows import Rows, read_rows
from tests.training.conftest import preferring_yes


@pytest.fixture
def read(tiny_model: Path, tmp_path: Path):
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)

    def reading(labels, **layout) -> Rows:
        return read_rows(iter(labels), tokenizer, Layout(**layout), tmp_path / "answers.arrow")

    return reading


def test_an_answer_in_several_pairs_is_tokenised_once(read) -> None:
    label = preferring_yes(1)
    other = label.rejected.model_copy(update={"text": "Perhaps."})
    rows = read([label, label.model_copy(update={"id": "2", "rejected": other})])
    assert len(rows.answers) == 3
    assert [(pair.first, pair.second) for pair in rows.pairs] == [(0, 1), (0, 2)]
    assert rows.origin.sources == {"judge test": 2}


def test_more_answers_than_are_tokenised_at_once_keep_their_order(read, tiny_model: Path) -> None:
    labels = [preferring_yes(number) for number in range(600)]
    rows = read(labels)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    for label, pair in zip(labels[::97], rows.pairs[::97], strict=True):
        text = tokenizer.decode(rows.answers[pair.first]["ids"])
        assert label.prompt.text in text
        assert text.endswith(f"{label.chosen.text}<|im_end|>\n")


def test_long_rows_are_dropped_or_cut_at_the_beginning_of_the_prompt(read) -> None:
    label = preferring_yes(1)
    assert read([label], max_length=34).left_out["too long"] == 1
    whole = [row["ids"] for row in read([label]).answers]
    cut = read([label], max_length=30, too_long="truncate")
    assert (cut.left_out["too long"], cut.truncated) == (0, 2)
    assert [row["ids"] for row in cut.answers] == [ids[-30:] for ids in whole]


def test_an_answer_that_does_not_fit_by_itself_is_never_cut(read) -> None:
    label = preferring_yes(1)
    long = label.rejected.model_copy(update={"text": "No." * 60})
    rows = read([label.model_copy(update={"rejected": long})], max_length=60, too_long="truncate")
    assert (rows.pairs, rows.left_out["too long"]) == ([], 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rejected": preferring_yes(1).chosen}, "row pair-1: chosen and rejected are the same"),
        (
            {"rejected": preferring_yes(1).rejected.model_copy(update={"text": " \n"})},
            "row pair-1: rejected is empty",
        ),
    ],
)
def test_a_label_that_cannot_be_one_is_named_left_out_and_counted(read, change, said) -> None:
    rows = read([preferring_yes(1).model_copy(update=change), preferring_yes(2)])
    [fault] = rows.faults
    assert said in fault
    assert len(rows.pairs) == sum(rows.left_out.values()) == 1


def test_an_id_with_two_labels_is_named_and_with_one_twice_is_counted(read) -> None:
    label = preferring_yes(1)
    assert read([label, label]).left_out["repeated"] == 1
    rows = read([label, preferring_yes(1, p=0.6), label])
    assert [pair.p for pair in rows.pairs] == [0.9]
    assert (rows.left_out["ambiguous"], rows.left_out["repeated"]) == (1, 1)
    [fault] = rows.faults
    assert "row pair-1: the id stands twice with different labels by test; the first stays" in fault
    # Two raters may differ.
    assert len(read([label, preferring_yes(1, p=0.6).model_copy(update={"by": "bo"})]).pairs) == 2


def test_of_many_faults_the_first_are_named_and_the_others_counted(read) -> None:
    same = [preferring_yes(n).model_copy(update={"rejected": preferring_yes(n).chosen})
            for n in range(14)]  # fmt: skip
    rows = read([*same, preferring_yes(99)])
    assert len(rows.faults) == 11
    assert rows.faults[-1] == "4 more rows left out"


def test_the_fingerprint_stands_for_the_labels(read) -> None:
    labels = [preferring_yes(number) for number in range(3)]
    same, other = read(labels), read([*labels[:2], preferring_yes(2, weight=2.0)])
    assert read(labels).fingerprint == same.fingerprint != other.fingerprint
