"""What a person can get wrong is one line: what, where, what to do; exit code 2, nothing lost."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rlaif.cli.main import main

Told = Callable[..., str]


@pytest.fixture
def told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Told:
    """Run a command that must fail; give the one line that it says."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> str:
        code = main(list(arguments))
        errors = capsys.readouterr().err
        assert code == 2, errors
        assert len(errors.splitlines()) == 1, errors
        assert "Traceback" not in errors
        return errors.strip()

    return run


@pytest.fixture
def mine(write_experiment: Callable[[Path], Path], tmp_path: Path) -> Path:
    return write_experiment(tmp_path)


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def test_a_missing_experiment(told: Told) -> None:
    line = told("run", "embeded")
    assert "embeded" in line
    assert "did you mean 'embedded'" in line


def test_a_missing_model(told: Told, mine: Path, tiny_model: Path) -> None:
    edit(mine, str(tiny_model), "/no/such/folder")
    assert told("run", "tiny.yaml") == (
        "/no/such/folder: no such folder; name a Hugging Face model's folder, or OWNER/NAME on "
        "the hub"
    )


def test_a_missing_judge(told: Told, mine: Path, tiny_judge: Path) -> None:
    edit(mine, f"{{kind: local, model: {tiny_judge}}}", "embeded-judge")
    line = told("run", "tiny.yaml")
    assert line.startswith("tiny.yaml:6: models.judge: embeded-judge: no such model")
    assert "did you mean 'embedded-judge'" in line


def test_a_judge_behind_an_api_without_a_key(
    told: Told, mine: Path, tiny_judge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    edit(mine, f"{{kind: local, model: {tiny_judge}}}", "openai:gpt-5-mini")
    assert told("run", "tiny.yaml") == (
        "gpt-5-mini: the environment variable OPENAI_API_KEY is not set; "
        "put the key there, or name another one as key_env"
    )


def test_a_missing_file_of_prompts(told: Told, mine: Path) -> None:
    mine.with_name("prompts.jsonl").unlink()
    assert "prompts.jsonl" in told("run", "tiny.yaml")


def test_a_missing_constitution_names_those_that_are_there(told: Told, mine: Path) -> None:
    edit(mine, "two.yaml", "harmlesness")
    line = told("run", "tiny.yaml")
    assert "harmlesness" in line
    assert "did you mean 'harmlessness'" in line


def test_an_unknown_key(told: Told, mine: Path) -> None:
    edit(mine, "max_tokens: 10", "max_token: 10")
    assert told("run", "tiny.yaml") == (
        "tiny.yaml:8: respond.max_token: no such field; did you mean 'max_tokens'?"
    )


def test_an_unknown_key_in_an_override(told: Told, mine: Path) -> None:
    assert mine.is_file()
    assert "did you mean 'beta'" in told("run", "tiny.yaml", "optimize.betta=0.2")


def test_a_value_of_the_wrong_kind(told: Told, mine: Path) -> None:
    edit(mine, "samples: 2, max_tokens: 10", "samples: many, max_tokens: 10")
    assert told("run", "tiny.yaml").startswith("tiny.yaml:8: respond.samples: ")


def test_a_tag_that_no_prompt_carries(told: Told, mine: Path) -> None:
    edit(mine, "tags: [harmful]", "tags: [harmfull]")
    line = told("run", "tiny.yaml")
    assert "no prompt is tagged 'harmfull'" in line
    assert "did you mean 'harmful'" in line


def test_a_broken_template(told: Told, mine: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.j2"
    broken.write_text(
        "---\npurpose: ask\ninputs: [prompt, reply, principle]\n"
        'answer: {kind: options, options: ["Yes", "No"]}\n---\n[user]\n{{ prompt\n',
        encoding="utf-8",
    )
    text = mine.read_text(encoding="utf-8")
    start = text.index("template: ") + len("template: ")
    mine.write_text(text[:start] + "broken.j2" + text[text.index(",", start) :], encoding="utf-8")
    assert told("run", "tiny.yaml").startswith("broken.j2:7: ")


def test_a_constitution_without_principles(told: Told, mine: Path) -> None:
    mine.with_name("two.yaml").write_text("name: two\nprinciples: {}\n", encoding="utf-8")
    assert "two.yaml:2: principles" in told("run", "tiny.yaml")


def test_an_empty_file_of_prompts(told: Told, mine: Path) -> None:
    mine.with_name("prompts.jsonl").write_text("\n", encoding="utf-8")
    line = told("run", "tiny.yaml")
    assert line.startswith(str(mine.with_name("prompts.jsonl")).removeprefix(f"{mine.parent}/"))
    assert "no prompt" in line


def test_a_row_that_is_no_prompt(told: Told, mine: Path) -> None:
    mine.with_name("prompts.jsonl").write_text('{"prompt": "Hi"}\n{"promt": "Hi"}\n', "utf-8")
    assert "prompts.jsonl:2: " in told("run", "tiny.yaml")


def test_a_folder_half_written_is_no_report(told: Told, mine: Path, tmp_path: Path) -> None:
    assert mine.is_file()
    assert told("report", "runs/nothing") == "runs/nothing: no such run; `rlaif run` makes one"
    half = tmp_path / "runs/tiny/label"
    half.mkdir(parents=True)
    (half / "manifest.json").write_text("{", encoding="utf-8")
    assert "manifest.json: damaged; delete" in told("run", "tiny.yaml")


def test_no_room_for_the_conversion(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.delenv("RLAIF_EMBEDDED", raising=False)
    monkeypatch.setenv("RLAIF_CACHE", str(tmp_path / "cache"))
    gguf = tmp_path / "small.gguf"
    gguf.write_bytes(b"GGUF")
    monkeypatch.setattr("rlaif.embedded.find.packaged_gguf", lambda: gguf)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=5 << 20))
    line = told("embedded", "path")
    assert "needs 600 MB and 5 MB are free; make room, or set RLAIF_CACHE" in line


def test_a_pair_file_with_a_bad_line_says_which(told: Told, tmp_path: Path) -> None:
    rows = tmp_path / "pairs.jsonl"
    rows.write_text('{"prompt": "Hi", "chosen": "A", "rejected": "B"}\n{"prompt"\n', "utf-8")
    assert told("label", "pairs.jsonl", "--dry-run").startswith("pairs.jsonl:2: ")


def test_labels_made_by_another_setting_are_not_overwritten(
    told: Told, mine: Path, tiny_judge: Path, tmp_path: Path
) -> None:
    row = {"prompt": "Hi", "first": "Good day.", "second": "No."}
    (tmp_path / "pairs.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    template = str(tiny_judge / "absolute.j2")
    asked = ["label", "pairs.jsonl", "-o", "out", "--judge", str(tiny_judge)]
    asked += ["--template", template, "--constitution", "two.yaml"]
    assert mine.is_file()
    assert main([*asked, "--draw", "0"]) == 0
    before = (tmp_path / "out/preferences.jsonl").read_text(encoding="utf-8")
    line = told(*asked, "--draw", "1")
    assert line.startswith("out: made by another constitution, judge, template or setting")
    assert "--anew" in line
    assert (tmp_path / "out/preferences.jsonl").read_text(encoding="utf-8") == before


def test_a_model_named_twice_in_an_evaluation(told: Told) -> None:
    assert told("evaluate", "embedded", "embedded", "-o", "out") == (
        "a model stands twice; name each once, the base first"
    )


def test_a_new_experiment_overwrites_nothing(told: Told) -> None:
    assert main(["new", "mine"]) == 0
    assert told("new", "mine").endswith("is there already; choose another name, or move it away")
