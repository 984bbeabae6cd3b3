"""`rlaif label` with an API that fails: what was answered stays, and no secret is written."""

import base64
import itertools
import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from rlaif.backends.spec import OpenAIModel
from rlaif.cli.main import main
from tests.backends.fake_server import Body, Reply, Script, refused, said, serve

KEY, PASSWORD = "sk-planted-0123456789", "planted-pass-word"
TOP = {"A": -0.1, "B": -2.4}
ASKED = ["label", "pairs.jsonl", "-o", "out", "--judge", "openai:m", "--template", "compare"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with twenty pairs and a principle."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    rows = [
        {"id": f"c{n}", "prompt": f"Question {n}?", "first": "One.", "second": "Two."}
        for n in range(20)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "pairs.jsonl").write_text(text, encoding="utf-8")
    rules = "name: rule\nprinciples:\n  kind: The response is kind.\n"
    (tmp_path / "rule.yaml").write_text(rules, encoding="utf-8")
    return tmp_path


def label(script: Script, monkeypatch: pytest.MonkeyPatch, user: str = "") -> tuple[int, Any]:
    """Label with a server that follows a script; give the exit code and the server."""
    with serve(script) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url.replace("//", f"//{user}"))
        code = main([*ASKED, "--constitution", "rule.yaml", "--orders", "one"])
    return code, server


def ended(here: Path) -> list[str]:
    """Name every item that has an outcome."""
    found = []
    for name, key in (("preferences", "id"), ("abstentions", "subject")):
        path = here / "out" / f"{name}.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        found += [json.loads(line)[key] for line in lines]
    return sorted(found)


def test_a_key_that_is_revoked_half_way_stops_the_run_and_a_new_one_goes_on(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock, served = threading.Lock(), itertools.count()

    def revoked(*_: Any) -> Reply:
        with lock:
            number = next(served)
        return said("A", TOP) if number < 8 else refused(401, f"no such key: {KEY}")

    code, _ = label(revoked, monkeypatch)
    told = capsys.readouterr()
    assert code == 2
    assert "OPENAI_API_KEY" in told.err
    assert len(told.err.strip().splitlines()) == 1
    assert len(ended(here)) == 8
    code, server = label(lambda *_: said("A", TOP), monkeypatch)
    assert code == 0
    assert ended(here) == sorted(f"c{n}" for n in range(20))
    assert len(server.seen) == 12  # what was answered is not paid for again


def test_a_page_in_place_of_answers_is_one_line_and_no_label(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rlaif.backends.retry.random.uniform", lambda *_: 0.01)
    code, _ = label(lambda *_: Reply(200, "<html>maintenance</html>"), monkeypatch)
    told = capsys.readouterr().err.strip().splitlines()
    assert code == 2
    assert len(told) == 1
    assert "no completion" in told[0]
    assert not (here / "out" / "preferences.jsonl").read_text(encoding="utf-8")


def test_where_nothing_was_answered_is_one_line_and_the_same_command_asks_again(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (here / "pairs.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (here / "pairs.jsonl").write_text("".join(lines[:3]), encoding="utf-8")
    code, _ = label(lambda *_: refused(400, "out of order"), monkeypatch)
    told = capsys.readouterr().err.strip().splitlines()
    assert code == 2
    assert "nothing was answered" in told[-1]
    assert "out of order" in told[-1]
    assert ended(here) == ["c0", "c1", "c2"]  # kept, as what they are

    def two_of_three(body: Body, _: int) -> Reply:
        is_third = "Question 2?" in body["messages"][-1]["content"]
        return refused(400, "out of order") if is_third else said("A", TOP)

    code, server = label(two_of_three, monkeypatch)
    assert code == 0
    assert len(server.seen) == 3
    code, server = label(lambda *_: said("A", TOP), monkeypatch)
    assert code == 0
    assert len(server.seen) == 1  # the one that had no answer
    assert ended(here) == ["c0", "c1", "c2"]  # each once
    assert not (here / "out" / "abstentions.jsonl").read_text(encoding="utf-8")


def test_no_secret_is_in_anything_that_is_written_or_told(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The server repeats all that it was sent, in errors and in answers that fail."""
    word = base64.b64encode(f"ann:{PASSWORD}".encode()).decode()
    told = f"you sent {KEY} and ann:{PASSWORD}, Basic {word}"

    def repeats(body: Body, before: int) -> Reply:
        number = int(body["messages"][-1]["content"].split("Question ")[1].split("?")[0])
        if number % 4 == 0:
            return refused(400, told)
        if number % 4 == 1 and not before:
            return refused(500, told)
        return said("A", TOP) if number < 18 else refused(403, told)

    caplog.set_level(logging.DEBUG)
    code, server = label(repeats, monkeypatch, user=f"ann:{PASSWORD}@")
    assert code == 2
    assert set(server.keys) == {f"Bearer {KEY}"}
    shown = capsys.readouterr()
    written = [path.read_bytes() for path in here.rglob("*") if path.is_file()]
    everything = b"\n".join(
        [*written, shown.out.encode(), shown.err.encode(), caplog.text.encode()]
    )
    for secret in (KEY, PASSWORD, word):
        assert secret.encode() not in everything
    assert b"you sent" in everything  # so it was there to be found


def test_what_is_written_of_a_model_names_no_user_and_no_password() -> None:
    spec = OpenAIModel(model="m", base_url=f"http://ann:{PASSWORD}@there:8000/v1")
    for text in (repr(spec), spec.model_dump_json(), str(spec.model_dump()), spec.fingerprint):
        assert PASSWORD not in text
    assert "http://there:8000/v1" in spec.model_dump_json()
