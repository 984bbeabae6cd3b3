"""Labels are read as they stand, and what holds none is said in one line with the counts."""

import json
from pathlib import Path

import pytest

from rlaif.errors import InputError
from rlaif.experiment.alone_training import labels_in
from rlaif.feedback.mix import Mix
from rlaif.records import Abstention
from rlaif.storage import write_records
from tests.training.conftest import preferring_yes


def test_our_own_labels_are_read_one_after_the_other(tmp_path: Path) -> None:
    labels = [preferring_yes(number) for number in range(3)]
    write_records(tmp_path / "preferences.jsonl", labels)
    for path in (tmp_path, tmp_path / "preferences.jsonl"):
        assert list(labels_in(Mix((path,)))) == labels
    # The second row is not looked at before the first is used.
    with (tmp_path / "preferences.jsonl").open("a", encoding="utf-8") as file:
        file.write("no label\n")
    rows = iter(labels_in(Mix((tmp_path,))))
    assert [next(rows) for _ in labels] == labels
    with pytest.raises(InputError, match=r"preferences\.jsonl:4: no Preference"):
        next(rows)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"p_chosen": 1.5}, "p_chosen: Input should be less than or equal to 1"),
        ({"p_chosen": -0.1}, "p_chosen: Input should be greater than or equal to 0"),
        ({"p_chosen": float("nan")}, "p_chosen: "),
        ({"rejected": None}, "rejected: "),
        ({"margin": -1}, "margin: "),
    ],
)
def test_a_label_that_cannot_be_one_is_named_by_its_line(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    rows = [preferring_yes(number).model_dump(mode="json") for number in range(2)]
    path = tmp_path / "labels.jsonl"
    text = "".join(f"{json.dumps(row)}\n" for row in [rows[0], rows[1] | change])
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=rf"labels\.jsonl:2: no Preference: {said}"):
        list(labels_in(Mix((path,))))


def test_a_label_without_its_pair_is_named_by_its_line(tmp_path: Path) -> None:
    rows = [preferring_yes(number).model_dump(mode="json") for number in range(2)]
    del rows[1]["chosen"]
    path = tmp_path / "labels.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    with pytest.raises(InputError, match=r"labels\.jsonl:2: no Preference: chosen: Field required"):
        list(labels_in(Mix((path,))))


def test_all_abstained_is_told_with_the_counts(tmp_path: Path) -> None:
    kinds = ["refused", "refused", "timeout"]
    rows = [
        Abstention(kind=kind, subject=f"pair-{number}", by="judge")
        for number, kind in enumerate(kinds)
    ]
    write_records(tmp_path / "abstentions.jsonl", rows)
    (tmp_path / "preferences.jsonl").touch()
    with pytest.raises(InputError, match=r"abstained on all 3 pairs: 2 refused, 1 timeout"):
        labels_in(Mix((tmp_path,)))


def test_labels_with_weights_are_mixed(tmp_path: Path) -> None:
    write_records(tmp_path / "preferences.jsonl", [preferring_yes(1)])
    [label] = labels_in(Mix((tmp_path,), {"judge": 3.0}))
    assert label.weight == 3.0
