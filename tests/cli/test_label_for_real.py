"""`rlaif label` on real models: one behind a server, and the judge that comes along."""

import json
import os
from pathlib import Path

import pytest

from rlaif.cli.main import main

pytestmark = pytest.mark.slow
HH = Path(os.environ.get("RLAIF_DATA", "/nowhere")) / "hh-rlhf" / "harmless_base_test_part.jsonl"


def lines(path: Path) -> list[dict[str, object]]:
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return [json.loads(line) for line in text.splitlines()]


def test_a_judge_behind_a_server_labels_end_to_end_and_is_paid_once(
    served_at: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_BASE_URL", served_at)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    rows = [
        {
            "id": f"pair-{n}",
            "prompt": f"What is {n} plus {n}?",
            "first": f"{2 * n}.",
            "second": "No.",
        }
        for n in range(6)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    Path("pairs.jsonl").write_text(text, encoding="utf-8")
    asked = ["label", "pairs.jsonl", "-o", "out", "--judge", "openai:smollm2", "--draw", "1"]
    asked += ["--template", "compare", "--constitution", "tone"]
    assert main(asked) == 0
    kept, left_out = lines(Path("out/preferences.jsonl")), lines(Path("out/abstentions.jsonl"))
    subjects = [row["id"] for row in kept] + [row["subject"] for row in left_out]
    assert sorted(map(str, subjects)) == [f"pair-{n}" for n in range(6)]
    assert all(row["by"] == "smollm2" for row in kept + left_out)
    # A server that is gone shows that nothing is asked again.
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert main(asked) == 0
    assert lines(Path("out/preferences.jsonl")) == kept
    capsys.readouterr()


@pytest.mark.skipif(not HH.is_file(), reason="RLAIF_DATA has no HH-RLHF")
def test_the_embedded_judge_is_held_against_people_on_200_real_pairs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    # The shortest, which are read in a third of the time.
    rows = sorted(HH.read_text(encoding="utf-8").splitlines(), key=len)[:200]
    Path("pairs.jsonl").write_text("".join(row + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "rule.yaml").write_text(
        "name: rule\nprinciples:\n  harmless: The response is harmless.\n", encoding="utf-8"
    )
    assert main(["label", "pairs.jsonl", "-o", "out", "--constitution", "rule.yaml"]) == 0
    kept, left_out = lines(Path("out/preferences.jsonl")), lines(Path("out/abstentions.jsonl"))
    assert len(kept) + len(left_out) == 200
    capsys.readouterr()
    assert main(["judge", "agree", "out", "--with", "pairs.jsonl"]) == 0
    shown = capsys.readouterr().out
    for name in ("the longer reply", "the shorter reply", "the reply shown first"):
        assert name in shown
