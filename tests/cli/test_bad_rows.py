"""A bad file of any stage is one line with file, line and remedy; exit code 2, nothing lost."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from rlaif.cli.main import main
from tests.backends.fake_server import refused, said, serve

Told = Callable[..., str]

PAIR = '{"id": "a", "prompt": "Hi", "first": "Good day.", "second": "No."}'
PROMPT = '{"id": "a", "prompt": "Hi"}'
RESPONSE = '{"id": "p#0", "prompt_id": "p", "text": "Good day.", "author": "m"}'
OUT = ["-o", "out"]
STAGES = {
    "label": ("rows.jsonl", PAIR, ["label", "rows.jsonl", *OUT]),
    "respond": ("rows.jsonl", PROMPT, ["respond", "rows.jsonl", *OUT]),
    "revise": ("r/responses.jsonl", RESPONSE, ["revise", "r", *OUT]),
    "evaluate": ("rows.jsonl", PROMPT, ["evaluate", "embedded", "--suites", "rows.jsonl", *OUT]),
}


@pytest.fixture
def told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Told:
    """Run a command that must fail; give the one line that it says."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r").mkdir()
    prompt = {"id": "p", "messages": [{"role": "user", "content": "Hi"}]}
    (tmp_path / "r/prompts.jsonl").write_text(json.dumps(prompt) + "\n", encoding="utf-8")

    def run(*arguments: str) -> str:
        code = main(list(arguments))
        errors = capsys.readouterr().err
        assert code == 2, errors
        assert len(errors.splitlines()) == 1, errors
        assert not (tmp_path / "out/begun.json").exists(), "nothing is begun"
        return errors.strip()

    return run


@pytest.mark.parametrize("stage", STAGES)
def test_a_row_without_a_needed_field(told: Told, stage: str) -> None:
    path, row, command = STAGES[stage]
    field = {"label": "second", "revise": "text"}.get(stage, "prompt")
    lacking = {name: value for name, value in json.loads(row).items() if name != field}
    Path(path).write_text(f"{row}\n{json.dumps({**lacking, 'id': 'b'})}\n", encoding="utf-8")
    line = told(*command)
    assert line.startswith(f"{path}:2: ")
    assert field in line


@pytest.mark.parametrize("stage", STAGES)
def test_a_huge_row(told: Told, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path, row, command = STAGES[stage]
    huge = row.replace("Hi", "x" * 2**20).replace("Good day.", "y" * 2**20)
    Path(path).write_text(f"{row}\n{huge}\n", encoding="utf-8")
    line = told(*command)
    assert re.match(rf"{path}:2: a row of [12],0\d\d,\d\d\d characters", line)
    assert line.endswith(
        "500,000 are the most; shorten it, or set the environment variable RLAIF_LONGEST_ROW"
    )
    monkeypatch.setenv("RLAIF_LONGEST_ROW", "20")
    assert ":1: a row of " in told(*command)


@pytest.mark.parametrize("stage", STAGES)
def test_bytes_that_are_no_utf_8(told: Told, stage: str) -> None:
    path, row, command = STAGES[stage]
    Path(path).write_bytes(row.encode() + b"\n" + row.encode("utf-16") + b"\n")
    assert told(*command) == f"{path}:2: not UTF-8 text; save it as UTF-8"


@pytest.mark.parametrize("stage", STAGES)
def test_an_id_that_stands_twice(told: Told, stage: str) -> None:
    path, row, command = STAGES[stage]
    other = row.replace("Hi", "Hello").replace("Good day.", "Good night.")
    Path(path).write_text(f"{row}\n{other}\n", encoding="utf-8")
    line = told(*command)
    assert line.startswith(f"{path}:2: id ")
    assert "stands twice" in line
    assert "line 1" in line


@pytest.mark.parametrize("stage", STAGES)
def test_an_empty_file(told: Told, stage: str) -> None:
    path, _, command = STAGES[stage]
    Path(path).write_text("\n", encoding="utf-8")
    line = told(*command)
    assert line.startswith(f"{path}: ")
    assert "no " in line


@pytest.mark.parametrize("stage", STAGES)
def test_a_folder_instead_of_a_file(told: Told, stage: str) -> None:
    path, _, command = STAGES[stage]
    Path(path).mkdir()
    assert told(*command) == f"{path}: a folder; name a file in it"


@pytest.mark.parametrize("stage", STAGES)
def test_no_file_at_all(told: Told, stage: str) -> None:
    path, _, command = STAGES[stage]
    assert told(*command).startswith(f"{path}: no such file")


@pytest.mark.parametrize(
    ("stage", "option"),
    [("label", "--judge"), ("respond", "--model"), ("revise", "--model"), ("evaluate", "--judge")],
)
def test_an_unknown_model(told: Told, stage: str, option: str) -> None:
    path, row, command = STAGES[stage]
    Path(path).write_text(f"{row}\n", encoding="utf-8")
    line = told(*command, option, "embeded")
    assert line.startswith("embeded: no such model; did you mean 'embedded")


def test_a_wrong_address_keeps_what_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-key")
    Path("rows.jsonl").write_text(f"{PAIR}\n", encoding="utf-8")
    Path("rule.yaml").write_text("name: rule\nprinciples:\n  kind: It is kind.\n", "utf-8")
    command = [
        *STAGES["label"][2],
        "-c",
        "rule.yaml",
        "--judge",
        "openai:m",
        "--template",
        "compare",
    ]
    with serve(lambda _body, _before: said("A", {"A": -0.1, "B": -2.4})) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        assert main(command) == 0
    kept = Path("out/preferences.jsonl").read_text(encoding="utf-8")
    more = PAIR.replace('"a"', '"b"').replace("Hi", "Bye")
    Path("rows.jsonl").write_text(f"{PAIR}\n{more}\n", encoding="utf-8")
    capsys.readouterr()
    with serve(lambda _body, _before: refused(404, "no such page")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url + "/wrong")
        assert main(command) == 2
    line = capsys.readouterr().err.strip()
    assert line.startswith("m: not found at")
    assert "check model and base_url" in line
    assert "sk-planted-key" not in line
    assert Path("out/preferences.jsonl").read_text(encoding="utf-8") == kept
