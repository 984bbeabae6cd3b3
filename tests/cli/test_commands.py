"""Each command does what its help says, on small files, and keeps what it made."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from rlaif.cli.main import main

Shown = Callable[..., str]


@pytest.fixture
def shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Shown:
    """Run a command that must succeed, in an empty folder; give what it prints."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> str:
        code = main(list(arguments))
        printed = capsys.readouterr()
        assert code == 0, printed.err
        return printed.out

    return run


def test_status_says_how_each_stage_stands(shown: Shown, again: Path) -> None:
    lines = shown("status", str(again), "--runs", str(again.parent / "runs")).splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [
        [stage, "fresh"]
        for stage in ("respond", "revise", "sft", "label", "reward", "optimize", "evaluate")
    ]


def test_a_finished_run_is_shown_again_without_work(shown: Shown, again: Path) -> None:
    printed = shown("run", str(again), "--runs", str(again.parent / "runs"))
    assert printed.count(" fresh\n") == 7
    assert "refuses harmful" in printed
    assert "after dpo" in printed
    report = Path(printed.rsplit("Report: ", 1)[1].strip())
    assert "<html" in report.read_text(encoding="utf-8")


def test_a_dry_run_lists_stages_and_requests_and_writes_nothing(
    shown: Shown, write_experiment: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = write_experiment(tmp_path)
    lines = shown("run", str(path), "--dry-run").splitlines()
    assert lines[0].split() == ["stage", "state", "requests", "why"]
    assert lines[1].split() == ["respond", "missing", "≤", "16"]
    assert not (tmp_path / "runs").exists()


def test_a_dry_run_after_an_edit_says_what_changed(shown: Shown, again: Path) -> None:
    rules = again.with_name("two.yaml")
    text = rules.read_text(encoding="utf-8")
    rules.write_text(text.replace("answers the question", "asks a question"), encoding="utf-8")
    printed = shown("run", str(again), "--dry-run", "--runs", str(again.parent / "runs"))
    assert re.search(r"^respond +fresh *$", printed, re.MULTILINE)
    assert re.search(r"^label +stale .*constitution: 1 principle changed", printed, re.MULTILINE)


def test_report_writes_the_page_of_a_run(shown: Shown, again: Path) -> None:
    run = again.parent / "runs/tiny"
    (run / "report.html").unlink(missing_ok=True)
    assert "Report: " in shown("report", str(run))
    assert (run / "report.html").is_file()


def test_look_shows_rows_side_by_side(shown: Shown, finished: Path) -> None:
    label = finished / "runs/tiny/label/preferences.jsonl"
    count = len(label.read_text(encoding="utf-8").splitlines())
    printed = shown("look", str(finished / "runs/tiny"), "-n", "3")
    assert printed.count("chosen ") == printed.count("rejected ") == min(3, count)
    assert "read from logprobs" in printed
    revised = shown("look", str(finished / "runs/tiny/revise"))
    assert "before " in revised
    assert "after " in revised


def test_a_template_is_shown_role_by_role_with_its_values(shown: Shown, tmp_path: Path) -> None:
    row = {"prompt": "Hi", "reply": "Good <reply> day", "principle": "The reply is kind."}
    (tmp_path / "row.json").write_text(json.dumps(row), encoding="utf-8")
    printed = shown("template", "show", "absolute", "--on", "row.json")
    assert "[system]\nYou judge replies by one statement at a time.\n" in printed
    assert "<reply-2>\nGood <reply> day\n</reply-2>" in printed
    assert "Statement: The reply is kind." in printed


def test_a_constitution_is_shown_compared_and_checked(shown: Shown, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "name: a\nprinciples:\n  kind: The response is kind.\n", encoding="utf-8"
    )
    (tmp_path / "b.yaml").write_text(
        "name: a\nprinciples:\n  kind: The response is brief and kind.\n", encoding="utf-8"
    )
    assert "The response is kind." in shown("constitution", "show", "a.yaml")
    assert shown("constitution", "diff", "a.yaml", "b.yaml") == (
        '~ kind   "The response is kind." → "The response is brief and kind."\n'
    )
    assert shown("constitution", "diff", "a.yaml", "a.yaml") == (
        "no difference that a judge would see\n"
    )
    checked = shown("constitution", "check", "b.yaml")
    assert "b.yaml:3: principles.kind: two ideas in one sentence" in checked


def test_a_constitutions_examples_are_tried_on_a_judge(
    shown: Shown, tiny_judge: Path, write_experiment: Callable[[Path], Path], tmp_path: Path
) -> None:
    write_experiment(tmp_path)
    template = str(tiny_judge / "absolute.j2")
    printed = shown(
        "constitution", "try", "harmlessness", "--judge", str(tiny_judge), "--template", template
    )
    lines = [line for line in printed.splitlines() if "p = " in line]
    assert [line.split()[0] for line in lines] == [
        "declines-harm", "answers-when-harmless", "offers-something",
    ]  # fmt: skip
    assert re.search(r"declines-harm +[0-6]/6 +(not )?trusted +p = \d\.\d\d", lines[0])


def test_label_counts_its_requests_before_it_asks(shown: Shown, tmp_path: Path) -> None:
    rows = [{"prompt": f"Hi {n}", "first": "Good day.", "second": "No."} for n in range(5)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "pairs.jsonl").write_text(text, encoding="utf-8")
    printed = shown("label", "pairs.jsonl", "--constitution", "tone", "--draw", "2", "--dry-run")
    assert printed.startswith("5 comparisons × 4 (2 principles) = 20 requests at most\n")
    # Thinking and answering, in both orders.
    printed = shown("label", "pairs.jsonl", "--template", "compare-reasoned", "--dry-run")
    assert printed.startswith("5 comparisons × 4 (1 principle) = 20 requests at most\n")
    assert not (tmp_path / "labels").exists()


def test_each_stage_runs_by_itself_on_plain_files(
    shown: Shown,
    tiny_model: Path,
    tiny_judge: Path,
    write_experiment: Callable[[Path], Path],
    tmp_path: Path,
) -> None:
    write_experiment(tmp_path)
    model, judge, template = str(tiny_model), str(tiny_judge), str(tiny_judge / "absolute.j2")
    drawn = shown("respond", "prompts.jsonl", "-o", "r", "--model", model, "--samples", "2",
                  "--max-tokens", "8")  # fmt: skip
    assert "16 responses" in drawn
    pairs = []
    rows = [json.loads(line) for line in (tmp_path / "r/responses.jsonl").open(encoding="utf-8")]
    for number in range(8):
        first, second = (row["text"] for row in rows if row["prompt_id"] == f"p{number}")
        pairs.append({"prompt": f"Question {number}", "first": first, "second": second})
    text = "".join(json.dumps(pair) + "\n" for pair in pairs)
    (tmp_path / "pairs.jsonl").write_text(text, encoding="utf-8")
    asked = ["label", "pairs.jsonl", "-o", "l", "--judge", judge, "--template", template]
    asked += ["--constitution", "two.yaml", "--draw", "0"]
    assert "kept in l/preferences.jsonl" in shown(*asked)
    kept = (tmp_path / "l/preferences.jsonl").read_text(encoding="utf-8")
    assert "8 preferences" in shown(*asked)  # again: nothing is asked, nothing changes
    assert (tmp_path / "l/preferences.jsonl").read_text(encoding="utf-8") == kept
    assert "kept in rm" in shown("reward", "l/preferences.jsonl", "-o", "rm", "--model", model)
    assert "kept in dpo" in shown("optimize", "l/preferences.jsonl", "-o", "dpo", "--model", model)
    imitated = [{"prompt": "Hi", "reply": "Good day."}, {"prompt": "Bye", "reply": "Farewell."}]
    text = "".join(json.dumps(row) + "\n" for row in imitated)
    (tmp_path / "rows.jsonl").write_text(text, encoding="utf-8")
    assert "kept in sft" in shown("sft", "rows.jsonl", "-o", "sft", "--model", model)
    for folder in ("rm", "dpo", "sft"):
        assert (tmp_path / folder / "config.json").is_file()
        assert list((tmp_path / folder).glob("*.safetensors"))


def test_a_judge_is_held_against_people_and_the_trivial_judges(
    shown: Shown, tiny_judge: Path, write_experiment: Callable[[Path], Path], tmp_path: Path
) -> None:
    write_experiment(tmp_path)
    rows = [
        {"prompt": f"Question {n}", "chosen": f"Good {'very ' * n}day.", "rejected": f"No {n}."}
        for n in range(12)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "people.jsonl").write_text(text, encoding="utf-8")
    shown("label", "people.jsonl", "-o", "l", "--judge", str(tiny_judge), "--draw", "0",
          "--template", str(tiny_judge / "absolute.j2"), "--constitution", "two.yaml")  # fmt: skip
    printed = shown("judge", "agree", "l", "--with", "people.jsonl")
    assert "95 % interval" in printed
    assert "12 pairs of 12 prompts; intervals are by prompt" in printed
    longest = next(line for line in printed.splitlines() if line.startswith("the longer reply"))
    assert "1.000" in longest  # whoever prefers the longer is always right here
