"""Rows are shown side by side, with how sure the judge was and by which principle."""

from pathlib import Path

import pytest

from rlaif.errors import InputError
from rlaif.feedback.look import rows_to_look_at
from rlaif.records import Abstention, Comparison, Preference, Verdict


@pytest.fixture
def folder(tmp_path: Path, comparison: Comparison) -> Path:
    def row(number: int, principle: str, flipped: float) -> Preference:
        return Preference(
            id=f"row-{number}",
            prompt=comparison.prompt,
            chosen=comparison.first,
            rejected=comparison.second,
            p_chosen=0.75,
            source="judge",
            by="a judge",
            verdicts=(
                Verdict(
                    p_first=0.75, judge="a judge", principle=principle, read="logprobs",
                    evidence={"flipped": flipped},
                ),
            ),
            abstained=(
                Abstention(kind="no-mass", subject="x", by="a judge", detail="0.1", principle="b"),
            ),
        )  # fmt: skip

    rows = [row(0, "kind", 0.0), row(1, "brief", 1.0)]
    (tmp_path / "label").mkdir()
    text = "".join(r.model_dump_json() + "\n" for r in rows)
    (tmp_path / "label/preferences.jsonl").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_run_is_looked_at_by_its_labels(folder: Path) -> None:
    rows = [dict(lines) for lines in rows_to_look_at(folder)]
    assert len(rows) == 2
    assert rows[0]["chosen"] == "Eight minutes.   p = 0.75"
    assert rows[0]["principle"].startswith("kind   p = 0.75")
    assert rows[0]["abstained"] == "b: no-mass 0.1"
    assert rows[0]["by"] == "a judge (judge)"


def test_a_row_says_what_its_judge_fell_short_of(folder: Path) -> None:
    path = folder / "label/preferences.jsonl"
    row = Preference.model_validate_json(path.read_text(encoding="utf-8").splitlines()[0])
    stamped = row.model_copy(update={"despite": ("agreement 0.55 < 0.7",)})
    path.write_text(stamped.model_dump_json() + "\n", encoding="utf-8")
    [lines] = rows_to_look_at(folder)
    assert dict(lines)["despite"] == "agreement 0.55 < 0.7"


def test_only_one_principle_or_only_flips_are_shown(folder: Path) -> None:
    assert len(list(rows_to_look_at(folder, principle="kind"))) == 1
    [flipped] = rows_to_look_at(folder, is_flipped=True)
    assert dict(flipped)["principle"].startswith("brief")


def test_a_folder_without_rows_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no preferences.jsonl or revisions.jsonl here"):
        list(rows_to_look_at(tmp_path))
