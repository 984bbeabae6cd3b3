import json
from pathlib import Path

import pytest

from rlaif.constitution.principle import Constitution, Principle
from rlaif.errors import InputError
from rlaif.evaluation.audit.audit import Audit, audit, people_of
from rlaif.evaluation.audit.findings import findings, notes, sheets
from rlaif.evaluation.audit.pictures import pictures
from rlaif.evaluation.definitions import DEFINITIONS
from rlaif.evaluation.labelled import Labelled, read_labelled, rules_of
from rlaif.feedback.people import Rated
from rlaif.records import Abstention, Comparison, Preference
from rlaif.storage import write_records
from tests.evaluation.pairs import compare, label, rated, verdict
from tests.evaluation.run_folder import HOSTILE


def labels(count: int = 40) -> list[Preference]:
    """Label pairs of growing length difference; the judge leans to the first slot and to length."""
    rows = []
    for number in range(count):
        words = 3 + number % 7
        texts = ("word " * words, "word " * 4)
        authors = ("Qwen/Qwen3-0.6B", "meta-llama/Llama-3.2-1B")
        pair = compare(number, texts=texts, prompt=number // 2, authors=authors)
        p = 0.8 if (words > 4) != (number % 5 == 0) else 0.3
        said = [verdict("calm", p, min(p + 0.25, 1), p - 0.25), verdict("short", 1 - p)]
        row = label(pair, p, by="qwen3-32b", verdicts=said, silent=["kind"] if number == 3 else [])
        rows.append(row)
    return rows


def people(rows: list[Preference]) -> list[Rated]:
    pairs = [compare_of(row) for row in rows]
    return [rated(pair, "first" if n % 3 else "second") for n, pair in enumerate(pairs)]


def compare_of(row: Preference) -> Comparison:
    is_first = row.chosen.id.endswith("/1")
    first, second = (row.chosen, row.rejected) if is_first else (row.rejected, row.chosen)
    return Comparison(id=row.id, prompt=row.prompt, first=first, second=second)


SILENT = Abstention(kind="unreadable", subject="pair99", by="qwen3-32b", detail=HOSTILE)


@pytest.fixture(scope="module")
def whole() -> Audit:
    rows = labels()
    told = Labelled(rows, [SILENT, SILENT.model_copy(update={"kind": "refused"})])
    return audit(told, people=people(rows), again=told, rounds=1000)


def test_an_audit_counts_what_it_is_of(whole: Audit) -> None:
    assert (whole.judge, whole.labelled, whole.comparisons) == ("qwen3-32b", 40, 42)
    assert (whole.prompts, whole.people) == (20, 40)
    assert {kept.kind: kept.count for kept in whole.abstained} == {"unreadable": 1, "refused": 1}
    [kind] = whole.silent
    assert (kind.kind, kind.count, kind.share.value) == ("refused", 1, 1 / 81)


def test_every_finding_has_a_definition(whole: Audit) -> None:
    keys = {finding.key for finding in findings(whole)}
    assert keys == {
        "same_slot", "first_slot", "lean", "longer", "slope", "own", "beyond_people",
        "stable", "kappa", "moved_p", "too_sure", "ece", "brier",
    }  # fmt: skip
    assert keys <= set(DEFINITIONS)


def test_rates_are_told_raw_and_at_equal_length(whole: Audit) -> None:
    names = [rate.name for rate in whole.lengths.rates]
    assert names == [
        "agreement with people",
        "Qwen/Qwen3-0.6B over meta-llama/Llama-3.2-1B",
    ]
    assert all(rate.raw is not None for rate in whole.lengths.rates)


def test_every_table_has_as_many_cells_as_its_head(whole: Audit) -> None:
    laid = list(sheets(whole))
    assert [sheet.title for sheet in laid] == [
        "What the judge goes by",
        "Were the replies equally long",
        "Says, and is right",
        "Comparisons without a label",
        "Principles without an answer, beside others that decided",
        "What each principle does",
        "Principles on the same pairs",
    ]
    assert all(len(row) == len(sheet.head) for sheet in laid for row in sheet.rows)


def test_what_labels_cannot_tell_is_said_and_not_made_up() -> None:
    bare = audit(Labelled([label(compare(0), 0.8)], []), rounds=1000)
    assert (bare.slots, bare.kin, bare.repeats, bare.again, bare.reliability) == (None,) * 5
    told = " ".join(notes(bare))
    for what in ("`orders: both`", "--family", "--with PEOPLE"):
        assert what in told
    assert all(picture is None for picture in pictures(bare))


def test_labels_made_all_the_same_say_so() -> None:
    rows = [row.model_copy(update={"despite": ("agreement 0.55 < 0.7",)}) for row in labels(4)]
    told = audit(Labelled(rows, []), rounds=1000)
    assert told.despite == ("agreement 0.55 < 0.7",)
    first, *_ = sheets(told)
    assert "labelled despite: agreement 0.55 < 0.7" in first.notes


def test_a_judge_that_abstained_on_everything_has_an_audit() -> None:
    told = audit(Labelled([], [SILENT]), rounds=1000)
    assert (told.judge, told.labelled, told.comparisons) == ("qwen3-32b", 0, 1)
    assert list(sheets(told))
    assert findings(told) == []


def test_pictures_stand_inside_their_frames(whole: Audit) -> None:
    drawn = pictures(whole)
    assert drawn.slots is not None
    assert sum(part.width for part in drawn.slots.bars[0].parts) == pytest.approx(320)
    assert drawn.reliability is not None
    for spot in drawn.reliability.spots:
        assert 56 <= spot.x <= 308
        assert 10 <= spot.high <= spot.y <= spot.low <= 200
    assert drawn.principles is not None
    assert [bar.name for bar in drawn.principles.bars] == ["calm", "short", "kind"]
    assert drawn.pairings is not None
    assert [cell.told.split(" on ")[0] for cell in drawn.pairings.cells] == ["calm and short"]


def test_people_speak_of_the_labels_chosen_reply() -> None:
    pair = compare(0)
    second = label(pair, 0.2)
    assert people_of([second], [rated(pair, "second")]) == {"pair0": "first"}
    assert people_of([second], [rated(pair, "tie")]) == {"pair0": "tie"}
    assert people_of([second], [rated(compare(1), "first")]) == {}
    with pytest.raises(InputError, match="pair0: the label is of another pair"):
        people_of([second], [rated(compare(0, texts=("x", "y")), "first")])


def test_an_audit_is_written_and_read_as_json(whole: Audit) -> None:
    assert Audit.model_validate(json.loads(whole.model_dump_json())) == whole


def test_labels_are_read_from_a_folder_a_run_or_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "label"
    write_records(folder / "preferences.jsonl", labels(3))
    write_records(folder / "abstentions.jsonl", [SILENT])
    for path in (tmp_path / "run", folder, folder / "preferences.jsonl"):
        told = read_labelled(path)
        assert (len(told.preferences), len(told.abstentions)) == (3, 1)
    assert rules_of(folder) is None
    rules = "name: r\nprinciples:\n  calm: The response is calm.\n"
    (tmp_path / "run" / "constitution.yaml").write_text(rules, encoding="utf-8")
    assert rules_of(folder) == Constitution(
        name="r", principles=(Principle(id="calm", text="The response is calm."),)
    )


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no preferences.jsonl here"):
        read_labelled(tmp_path)
    (tmp_path / "preferences.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="holds no labels"):
        read_labelled(tmp_path)
