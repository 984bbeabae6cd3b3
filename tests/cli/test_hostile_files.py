"""A file that is broken, or made to break us, is one clear line and exit code 2, in a breath."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from rlaif.cli.main import main

Told = Callable[..., str]
LAUGHS = "a0: &a0 [x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
ANYWHERE: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n\n",
    "binary": bytes(range(256)) * 20,
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(200),
    "one huge line": b"x" * 60_000,
    "UTF-16": '{"prompt": "Hi", "first": "a", "second": "b"}\n'.encode("utf-16"),
    "Latin-1": '{"prompt": "caf\xe9"}\n'.encode("latin-1"),
    "NUL": b'{"na\x00me": "a"}\n',
    "a field twice": b'{"prompt": "a", "prompt": "b", "first": "x", "second": "y", "text": "A"}\n',
    "too deep": b'{"prompt": ' + b"[" * 3_000,
    "a list": b"[1, 2]\n",
    "a number": b"3\n",
    "nothing at all": b"null\n",
    "a number of thousands of digits": b'{"prompt": 1' + b"0" * 6000 + b"}\n",
    "a half surrogate": b'{"prompt": "\\ud800", "first": 1}\n',
}
YAML: dict[str, bytes] = {
    "anchors that multiply": LAUGHS.encode(),
    "an anchor that holds itself": b"name: &a [*a]\n",
    "a tag that runs a program": b"name: !!python/object/apply:os.system [ls]\n",
    "a date that is none": b"name: 2020-99-99\n",
    "a tag that does not fit": b"name: !!timestamp x\n",
    "a key that is a list": b"? [a]\n: b\n",
    "a merge of nothing": b"<<: 3\n",
    "an unknown anchor": b"name: *b\n",
    "a version that is none": b"%YAML 9.9\n---\nname: x\n",
    "keys within keys": b"{a: " * 400,
    "a field twice, in YAML": b"name: a\nname: b\n",
}
READS_YAML = {
    "constitution check": ("hostile.yaml", ["constitution", "check", "hostile.yaml"]),
    "run": ("hostile.yaml", ["run", "hostile.yaml"]),
    "label --constitution": ("hostile.yaml", ["label", "pairs.jsonl", "-c", "hostile.yaml"]),
    "reweigh": ("hostile.yaml", ["reweigh", "pairs.jsonl", "-o", "out", "-c", "hostile.yaml"]),
}
READS_ROWS = {
    "template show": ("hostile.j2", ["template", "show", "hostile.j2"]),
    "template show --on": ("h.jsonl", ["template", "show", "compare", "--on", "h.jsonl"]),
    "label": ("h.jsonl", ["label", "h.jsonl", "--dry-run"]),
    "label --judge": ("h.jsonl", ["label", "pairs.jsonl", "--judge", "recorded:h.jsonl"]),
    "label --template": ("hostile.j2", ["label", "pairs.jsonl", "--template", "hostile.j2"]),
    "respond": ("h.jsonl", ["respond", "h.jsonl", "--model", "recorded:said.jsonl", "-o", "out"]),
    "judge agree": ("h.jsonl", ["judge", "agree", "h.jsonl", "--with", "pairs.jsonl"]),
    "judge agree --with": ("h.jsonl", ["judge", "agree", "labels.jsonl", "--with", "h.jsonl"]),
    "judge audit": ("h.jsonl", ["judge", "audit", "h.jsonl"]),
    "feedback export": (
        "h.jsonl",
        ["feedback", "export", "h.jsonl", "--to", "trl", "-o", "out.jsonl"],
    ),
    "feedback import": ("h.jsonl", ["feedback", "import", "h.jsonl", "-o", "out"]),
    "feedback thumbs": ("h.jsonl", ["feedback", "thumbs", "h.jsonl", "-o", "out"]),
    "feedback crowd": ("h.jsonl", ["feedback", "crowd", "h.jsonl"]),
    "reweigh labels": ("h.jsonl", ["reweigh", "h.jsonl", "-o", "out"]),
}
LABEL = {
    "id": "c",
    "prompt": {"id": "p", "messages": [{"role": "user", "content": "Hi"}]},
    "chosen": {"id": "a", "prompt_id": "p", "text": "A", "author": "x"},
    "rejected": {"id": "b", "prompt_id": "p", "text": "B", "author": "x"},
    "p_chosen": 0.9,
    "source": "judge",
    "by": "j",
}


@pytest.fixture
def told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Told:
    """Run a command that must fail; give what it says, each line of which names the file."""
    monkeypatch.chdir(tmp_path)
    for name, row in {
        "pairs.jsonl": {"prompt": "Hi", "chosen": "A", "rejected": "B"},
        "said.jsonl": {"prompt": "Hi", "text": "A"},
        "labels.jsonl": LABEL,
    }.items():
        Path(name).write_text(json.dumps(row) + "\n", encoding="utf-8")

    def run(arguments: list[str], file: str) -> str:
        code = main(arguments)
        errors = capsys.readouterr().err
        assert code == 2, errors
        assert errors.strip()
        for line in errors.splitlines():
            assert line.startswith(file), line
            assert len(line) < 300, line
        return errors

    return run


@pytest.mark.parametrize(("file", "command"), READS_YAML.values(), ids=READS_YAML)
def test_hostile_yaml_is_told_in_a_line_that_names_the_file(
    told: Told, file: str, command: list[str]
) -> None:
    every = ANYWHERE | YAML
    # All files of this kind are read by one function; of each other command, that it is used.
    names = every if command[0] == "constitution" else ("empty", "UTF-16", "anchors that multiply")
    for name in names:
        Path(file).write_bytes(every[name])
        told(command, file)


@pytest.mark.parametrize(("file", "command"), READS_ROWS.values(), ids=READS_ROWS)
def test_hostile_rows_are_told_in_a_line_that_names_the_file(
    told: Told, file: str, command: list[str]
) -> None:
    for content in ANYWHERE.values():
        Path(file).write_bytes(content)
        told(command, file)


@pytest.mark.parametrize("front", [*YAML.values(), ANYWHERE["NUL"], b"- a\n"], ids=repr)
def test_a_hostile_head_of_a_prompt_file_is_told_in_a_line(told: Told, front: bytes) -> None:
    Path("hostile.j2").write_bytes(b"---\n" + front + b"\n---\n[user]\nHi\n")
    told(["template", "show", "hostile.j2"], "hostile.j2")


EVERY = [*READS_YAML.values(), *READS_ROWS.values()]


@pytest.mark.parametrize(("file", "command"), EVERY, ids=[*READS_YAML, *READS_ROWS])
def test_a_folder_or_nothing_in_the_place_of_a_file(
    told: Told, file: str, command: list[str]
) -> None:
    told(command, file)
    Path(file).mkdir()
    told(command, file)


@pytest.mark.parametrize(("file", "command"), EVERY, ids=[*READS_YAML, *READS_ROWS])
def test_a_file_that_may_not_be_read(
    told: Told, file: str, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(file).write_text("name: x\n", encoding="utf-8")
    real, opened = Path.read_text, Path.open

    def read(path: Path, *arguments: str, **named: str) -> str:
        if path.name == file:
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **named)

    def open_(path: Path, *arguments: Any, **named: Any) -> IO[Any]:
        if path.name == file:
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **named)

    if os.geteuid():
        Path(file).chmod(0)
    else:  # who may read everything
        monkeypatch.setattr(Path, "read_text", read)
        monkeypatch.setattr(Path, "open", open_)
    assert "may not be read; check its permissions" in told(command, file)


def test_a_mark_of_the_encoding_is_no_part_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mark = b"\xef\xbb\xbf"
    Path("mine.yaml").write_bytes(mark + b"name: n\nprinciples:\n  p: The reply is kind.\n")
    Path("mine.jsonl").write_bytes(mark + b'{"prompt": "Hi", "chosen": "A", "rejected": "B"}\n')
    Path("mine.j2").write_bytes(mark + b"---\npurpose: ask\n---\n[user]\nHi\n")
    assert main(["constitution", "check", "mine.yaml"]) == 0
    assert main(["label", "mine.jsonl", "--dry-run"]) == 0
    assert main(["template", "show", "mine.j2"]) == 0
