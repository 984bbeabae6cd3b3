"""`respond`, `revise` and `evaluate` on a real server: asked once, kept, and paid for once."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from rlaif.cli.main import main

pytestmark = pytest.mark.slow
MODEL = "openai:smollm2"


def kept(folder: str) -> int:
    with sqlite3.connect(Path(folder) / "completions.sqlite") as store:
        return int(store.execute("SELECT COUNT(*) FROM completions").fetchone()[0])


def spent(folder: str) -> int:
    text = (Path(folder) / "spent.json").read_text(encoding="utf-8")
    return int(json.loads(text)["spent"]["requests"])


def outcomes(folder: str, *names: str) -> list[str]:
    files = [Path(folder) / name for name in names]
    return sorted(line for file in files for line in file.read_text("utf-8").splitlines())


def test_each_command_asks_the_server_and_then_the_store(
    served_at: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    Path("prompts.txt").write_text("Name a fruit.\nName a bird.\n", encoding="utf-8")
    Path("rule.yaml").write_text("name: rule\nprinciples:\n  short: It is short.\n", "utf-8")
    judged = ["-c", "rule.yaml", "--judge", MODEL]
    commands: Sequence[tuple[str, list[str], tuple[str, ...]]] = [
        (
            "drawn",
            ["respond", "prompts.txt", "--model", MODEL, "--samples", "1", "--max-tokens", "8"],
            ("responses.jsonl", "abstentions.jsonl"),
        ),
        (
            "revised",
            ["revise", "drawn", "--model", MODEL, "--tries", "1", *judged],
            ("revisions.jsonl", "abstentions.jsonl"),
        ),
        (
            "evaluated",
            ["evaluate", MODEL, "--suites", "prompts.txt", "--limit", "1", *judged],
            ("evaluation.json",),
        ),
    ]
    for folder, command, files in commands:
        monkeypatch.setenv("OPENAI_BASE_URL", served_at)
        assert main([*command, "-o", folder]) == 0, capsys.readouterr().err
        made, asked = outcomes(folder, *files), spent(folder)
        assert made
        assert asked == kept(folder) > 0
        # A server that is gone shows that nothing is asked, or paid for, again.
        monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
        assert main([*command, "-o", folder]) == 0, capsys.readouterr().err
        assert outcomes(folder, *files) == made
        assert spent(folder) == asked
    assert len(outcomes("drawn", "responses.jsonl")) == 2
    assert len(outcomes("revised", "revisions.jsonl", "abstentions.jsonl")) == 2
