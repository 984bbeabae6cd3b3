"""A budget stops a labelling with exit code 3, keeps everything, and is gone on with."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rlaif.cli.main import main
from tests.backends.fake_server import FakeServer, said, serve

LABEL = ["label", "pairs.jsonl", "--judge", "openai:m", "--template", "compare", "-c", "rule.yaml"]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """Twelve pairs in the working folder, and a judge that always likes A."""
    monkeypatch.chdir(tmp_path)
    rows = [{"id": f"r{n}", "prompt": f"Q {n}", "first": f"a{n}", "second": "b"} for n in range(12)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    Path("pairs.jsonl").write_text(text, encoding="utf-8")
    Path("rule.yaml").write_text("name: rule\nprinciples:\n  kind: It is kind.\n", "utf-8")
    with serve(lambda _body, _before: said("A", {"A": -0.1, "B": -2.4})) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-key")
        yield server


def labels(folder: str) -> list[dict[str, Any]]:
    path = Path(folder) / "preferences.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return sorted(rows, key=lambda row: str(row["id"]))


def test_a_budget_is_a_hard_stop_that_keeps_all_and_is_counted_on(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*LABEL, "-o", "out", "--budget", "requests=10"]) == 3
    told = capsys.readouterr().err
    assert told.startswith("the budget is spent: 10 of 10 requests")
    assert len(told.splitlines()) == 1
    assert len(server.seen) == 10
    # What was spent before counts: 4 more, and no more, since the folder's budget is 14.
    assert main([*LABEL, "-o", "out", "--budget", "requests=14"]) == 3
    assert len(server.seen) == 14
    assert main([*LABEL, "-o", "out"]) == 0
    assert len(server.seen) == 24, "two orders of twelve pairs, each paid once"
    spent = json.loads(Path("out/spent.json").read_text(encoding="utf-8"))
    assert spent["spent"]["requests"] == 24
    assert spent["open"]["requests"] == 0
    assert main([*LABEL, "-o", "whole"]) == 0
    assert labels("out") == labels("whole")


def test_dollars_need_a_price(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*LABEL, "-o", "out", "--budget", "usd=1"]) == 2
    assert capsys.readouterr().err.startswith("m: price unknown, so that no budget in dollars")
    assert server.seen == []
    # 9 tokens a request at 1 dollar each; what a request may take at most is far more.
    Path("prices.yaml").write_text("models:\n  m: {read: 1000000, written: 1000000}\n", "utf-8")
    assert main([*LABEL, "-o", "out", "--budget", "usd=20000"]) == 0
    spent = json.loads(Path("out/spent.json").read_text(encoding="utf-8"))
    assert spent["spent"]["usd"] == 24 * 9


def test_the_key_is_in_no_file_of_the_folder(server: FakeServer) -> None:
    assert main([*LABEL, "-o", "out"]) == 0
    assert server.keys[0] == "Bearer sk-planted-key"
    for path in Path("out").rglob("*"):
        if path.is_file():
            assert b"sk-planted-key" not in path.read_bytes(), path
