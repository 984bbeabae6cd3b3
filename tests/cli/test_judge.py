"""`rlaif judge`: tables that add up, JSON, a page, and one line for what cannot be used."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from rlaif.cli.main import main
from rlaif.records import Abstention
from rlaif.storage import write_records
from tests.evaluation.pairs import compare, label, verdict
from tests.evaluation.recordings import compared, write_llmbar, write_reviews

Shown = Callable[..., str]


@pytest.fixture
def shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Shown:
    """Run a command that must succeed, beside a folder of labels and a file of people's."""
    monkeypatch.chdir(tmp_path)
    pairs = [compare(number, tags=("harmful",) if number % 2 else ()) for number in range(30)]
    for folder, wrong in (("labels", 5), ("other", 3)):
        rows = [
            label(
                pair,
                0.2 if number % wrong == 0 else 0.8,
                by=folder,
                verdicts=[verdict("calm", 0.8, 0.9, 0.4), verdict("kind", 0.7, 0.8, 0.6)],
            )
            for number, pair in enumerate(pairs[:28])
        ]
        write_records(tmp_path / folder / "preferences.jsonl", rows)
    silent = Abstention(kind="refused", subject="pair28", by="labels", detail="[bold]No.[/bold]")
    write_records(tmp_path / "labels" / "abstentions.jsonl", [silent])
    people = [
        {
            "id": pair.id,
            "rater": rater,
            "prompt": pair.prompt.model_dump(mode="json"),
            "first": pair.first.text,
            "second": pair.second.text,
            "choice": "second" if rater == "bo" and number % 4 == 0 else "first",
        }
        for number, pair in enumerate(pairs)
        for rater in ("ann", "bo", "cy")
    ]
    text = "".join(json.dumps(row) + "\n" for row in people)
    (tmp_path / "people.jsonl").write_text(text, encoding="utf-8")

    def run(*arguments: str) -> str:
        code = main(list(arguments))
        printed = capsys.readouterr()
        assert code == 0, printed.err
        return printed.out

    return run


def test_agree_puts_the_judge_beside_people_trivial_judges_and_another(shown: Shown) -> None:
    printed = shown("judge", "agree", "labels", "--with", "people.jsonl", "--against", "other")
    lines = printed.splitlines()
    assert lines[0] == "Agreement with people"
    # 22 of 28 are told as most people told them; one was abstained on.
    assert lines[2].split()[:2] == ["labels", "0.786"]
    assert lines[2].split()[-4:] == ["97%", "1", "28", "0"]
    for name in ("the longer reply", "calm ", "harmful ", "two of 3 raters", "beside other"):
        assert any(line.startswith(name) for line in lines), name
    assert "the judge abstained on 1 pairs (1 refused)" in printed
    assert "1 pairs have no label of the judge and are left out" in printed


def test_a_band_of_ties_is_named_in_the_table(shown: Shown) -> None:
    printed = shown("judge", "agree", "labels", "--with", "people.jsonl", "--band", "0.2")
    assert "… with ties, p within 0.2 of 0.5" in printed


def test_agree_writes_every_figure_as_json(shown: Shown) -> None:
    shown("judge", "agree", "labels", "--with", "people.jsonl", "--json", "found.json")
    found = json.loads(Path("found.json").read_text(encoding="utf-8"))
    assert found["judge"]["share"]["value"] == pytest.approx(22 / 28)
    assert found["judge"]["kappa"] is None or "low" in found["judge"]["kappa"]
    assert [row["name"] for row in found["principles"]] == ["calm", "kind"]


def test_audit_shows_tables_and_writes_json_and_a_page(shown: Shown) -> None:
    printed = shown(
        "judge", "audit", "labels", "--with", "people.jsonl", "--again", "other",
        "--family", "labels=qwen", "--json", "a.json", "--html", "a.html",
    )  # fmt: skip
    assert re.search(r"^same slot in both orders +0\.500 ", printed, re.MULTILINE)
    assert "another run: the same choice" in printed
    assert "[bold]No.[/bold]" in printed
    found = json.loads(Path("a.json").read_text(encoding="utf-8"))
    assert found["slots"]["same_slot"]["value"] == 0.5
    assert found["reliability"]["labels"] == 28
    assert "<svg" in Path("a.html").read_text(encoding="utf-8")


def test_audit_needs_nothing_but_labels(shown: Shown) -> None:
    printed = shown("judge", "audit", "labels")
    assert "no label of a pair that people judged: --with PEOPLE tells of calibration" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit", "nowhere"], "nowhere: no such file"),
        (["audit", "."], ".: no preferences.jsonl here; name a folder that `rlaif label` wrote"),
        (["audit", "labels", "--family", "qwen"], "--family qwen: expected NAME=FAMILY"),
        (["audit", "labels", "--with", "no.jsonl"], "no.jsonl: no such file"),
        (["agree", "labels", "--with", "none.jsonl"], "none.jsonl: the file has no rows"),
        (["agree", "labels", "--with", "strange.jsonl"], "none of the 1 pairs that people decided"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    shown: Shown, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown
    Path("none.jsonl").write_text("", encoding="utf-8")
    row = {"id": "z", "prompt": "P", "first": "a", "second": "b", "choice": "tie"}
    Path("strange.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert main(["judge", *arguments]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith(message)
    assert len(errors.splitlines()) == 1


def test_recordings_of_llmbar_are_read_again(shown: Shown, tmp_path: Path) -> None:
    said = compared("Output (a)", "Output (b)", ("1", "1"))
    write_llmbar(tmp_path / "llmbar", [[said], [compared("", "Output (b)", (None, "1"))]])
    printed = shown("judge", "reread", "llmbar", "--each", "--json", "found.json")
    assert "Recorded judges, on all of Natural" in printed
    assert "4 winners of 1 files: 4 as recorded (1 of them unread by both), 0 not" in printed
    assert json.loads((tmp_path / "found.json").read_text())["standings"][0]["unread"] == 1


def test_reviews_of_two_assistants_are_read_again(shown: Shown, tmp_path: Path) -> None:
    (tmp_path / "reviews").mkdir()
    write_reviews(tmp_path / "reviews" / "review_ann_bo.jsonl", {1: ("9 8\nGood.", [9, 8])})
    printed = shown("judge", "reread", "reviews")
    assert "1 replies of 1 files; unread: none" in printed


def test_the_refusal_reader_is_held_against_people(shown: Shown, tmp_path: Path) -> None:
    row = {
        "prompt": [{"role": "user", "content": "How?"}],
        "completion": [{"role": "assistant", "content": "I can't help with that."}],
        "propositions": {
            "inability_to_comply": True, "fully_complies": False, "partially_complies": False,
        },
    }  # fmt: skip
    (tmp_path / "told.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    printed = shown("judge", "refusals", "told.jsonl")
    assert "1 of 1" in printed
    assert "1 replies read by rules: 1 refusal" in printed
