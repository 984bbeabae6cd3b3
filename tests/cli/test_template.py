"""`rlaif template show` prints what a model would receive, and counts its tokens."""

import json
import re
from pathlib import Path

import pytest

from rlaif.backends.tokens import TokenCounter
from rlaif.cli.main import main
from rlaif.constitution.principle import Constitution
from rlaif.feedback.asked import requests_on


@pytest.fixture
def show(monkeypatch, capsys, tmp_path):
    """Show a template in a folder with one pair; give what is printed, or the error's lines."""
    monkeypatch.chdir(tmp_path)
    row = {"id": "one", "prompt": "May I: now?", "first": "[b]Yes[/b]", "second": "No."}
    Path("pairs.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")

    def run(*arguments: str, code: int = 0) -> str:
        assert main(["template", "show", *arguments]) == code
        printed = capsys.readouterr()
        return printed.out if code == 0 else printed.err

    return run


def test_each_request_is_printed_turn_by_turn_with_its_tokens(show, tiny_model):
    printed = show("compare-reasoned", "--on", "pairs.jsonl", "--model", str(tiny_model))
    requests = requests_on("compare-reasoned", "pairs.jsonl", Constitution.load("harmlessness"))
    counter = TokenCounter(tiny_model)
    for number, request in enumerate(requests, start=1):
        turns = "\n\n".join(f"[{turn.role}]\n{turn.content}" for turn in request.messages)
        assert f"── request {number} of 2\n\n{turns}\n" in printed
        assert f"tokens: {counter.count_request(request)} with {tiny_model.name}" in printed
        each = ", ".join(f"{turn.role} {counter.count(turn.content)}" for turn in request.messages)
        assert f"({each})" in printed
    assert "at most 256 to write" in printed
    assert "scored: A, B" in printed


def test_a_named_principle_of_a_named_constitution_is_asked_about(show, tiny_model):
    printed = show(
        "compare", "--on", "pairs.jsonl:1", "-c", "tone", "--principle", "warm",
        "--model", str(tiny_model),
    )  # fmt: skip
    assert "Principle: The response is warm towards the user." in printed
    assert "[b]Yes[/b]" in printed  # a reply's brackets are no markup of ours


def test_without_a_row_the_file_is_shown_as_it_is_written(show):
    printed = show("compare-few-shot")
    assert "[example user]\n{{ example.prompt | fenced" in printed
    assert "tokens:" not in printed
    assert "thinks first" in show("compare-reasoned")


def test_without_the_embedded_model_nothing_is_counted_and_that_is_said(show, monkeypatch):
    monkeypatch.setenv("RLAIF_EMBEDDED", "/nowhere")
    printed = show("compare", "--on", "pairs.jsonl")
    assert re.search(r"tokens: not counted; .* name a --model", printed)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["compare", "--on", "pairs.jsonl:2"], "pairs.jsonl:2: no row here; the last line is 1"),
        (["compare", "--on", "missing.jsonl"], "missing.jsonl: no such file"),
        (["compair", "--on", "pairs.jsonl"], "compair: no such file; did you mean 'compare'?"),
        (["compare", "--on", "pairs.jsonl", "--model", "here"], "here: no tokenizer.json there;"),
        (["compare", "--on", "pairs.jsonl", "--principle", "x"], "harmlessness: no principle 'x'"),
    ],
)
def test_what_cannot_be_shown_is_one_line(arguments, line, show):
    error = show(*arguments, code=2)
    assert error.startswith(line)
    assert len(error.splitlines()) == 1
