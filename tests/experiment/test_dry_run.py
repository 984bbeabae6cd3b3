"""A dry run of an experiment tells what the run then takes, and writes nothing."""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from rlaif.cli.main import main
from rlaif.prices import price_of
from rlaif.records import Usage
from tests.backends.fake_server import Body, Reply, said, serve

RULES = """name: rule
principles:
  kind: It is kind.
  short: It is short.
"""
EXPERIMENT = """name: served
summary: Asks an API alone.
constitution: rule.yaml
models: {policy: "openai:gpt-5-nano", judge: "openai:gpt-5-mini"}
prompts: {path: prompts.jsonl}
respond: {samples: 3, max_tokens: 20}
revise: {tries: 2}
label: {template: compare, principles: all}
"""
Shown = Callable[..., list[str]]


@pytest.fixture
def shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shown:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    Path("rule.yaml").write_text(RULES, encoding="utf-8")
    Path("served.yaml").write_text(EXPERIMENT, encoding="utf-8")
    rows = [{"id": f"p{n}", "prompt": f"Question {n}?"} for n in range(4)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    Path("prompts.jsonl").write_text(text, encoding="utf-8")

    def run(*arguments: str) -> list[str]:
        assert main(["run", "served.yaml", *arguments]) == 0
        return [re.sub(" +", " ", line) for line in capsys.readouterr().out.splitlines()]

    return run


def answer(body: Body, before: int) -> Reply:
    """Judge where options are scored; else write something that is new each time."""
    if body.get("logprobs"):
        return said("A", {"A": -0.3, "B": -1.4, "Yes": -0.3, "No": -1.4})
    return said(f"A kind answer, number {abs(hash(json.dumps(body))) % 10_000} {before}.")


def counted(lines: list[str]) -> dict[tuple[str, str], list[str]]:
    """Give the cells of each stage and model."""
    start = next(n for n, line in enumerate(lines) if "tokens read" in line)
    rows = [line.split(" ") for line in lines[start + 1 :] if line.count(" ") > 8]
    return {(row[0], row[2]): row for row in rows if row[0] in ("respond", "revise", "label")}


def test_a_dry_run_tells_items_requests_tokens_and_money_of_each_stage_before_the_first(
    shown: Shown,
) -> None:
    lines = shown("--dry-run")
    found = counted(lines)
    assert found["respond", "gpt-5-nano"][1:6] == ["4", "gpt-5-nano", "12", "0", "12"]
    # Three pairs of each prompt, both orders, two principles.
    assert found["label", "gpt-5-mini"][1:6] == ["12", "gpt-5-mini", "48", "0", "48"]
    assert ("revise", "gpt-5-nano") in found
    for (_, model), row in found.items():
        price = price_of(model)
        assert price is not None
        read, written = (int(cell.replace(",", "")) for cell in (row[6], row[8]))
        money = price.of(Usage(read=read, written=written))
        assert row[9:11] == ["≤", f"${money:,.4f}"]
    assert not Path("runs").exists()


def test_the_run_takes_no_more_than_was_told_and_then_nothing_is_left(shown: Shown) -> None:
    told = counted(shown("--dry-run"))
    with serve(answer) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", server.base_url)
        shown()
        sent = Counter(body["model"] for body in server.seen)
    for model, count in sent.items():
        requests = sum(int(row[5]) for (_, name), row in told.items() if name == model)
        assert count <= requests
    assert sent["gpt-5-mini"] >= 40
    assert not any("tokens read" in line for line in shown("--dry-run"))
    # With another constitution only the judging is asked anew.
    rules = RULES.replace("It is kind.", "It is warm.")
    Path("rule.yaml").write_text(rules, encoding="utf-8")
    found = counted(shown("--dry-run"))
    assert ("respond", "gpt-5-nano") not in found
    assert found["label", "gpt-5-mini"][3:6] == ["48", "24", "24"]


def test_dollars_are_not_budgeted_where_a_price_is_unknown(
    shown: Shown, capsys: pytest.CaptureFixture[str]
) -> None:
    text = EXPERIMENT.replace("gpt-5-mini", "mine")
    Path("served.yaml").write_text(text, encoding="utf-8")
    assert "mine: price unknown; add it to prices.yaml" in shown("--dry-run")
    assert main(["run", "served.yaml", "--dry-run", "--budget", "usd=5"]) == 2
    assert "price unknown, so that no budget in dollars can hold" in capsys.readouterr().err
