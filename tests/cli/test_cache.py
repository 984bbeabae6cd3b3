"""`rlaif cache`: what was paid for is counted, dropped where it is asked for, and taken along."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rlaif.backends.cached import Cached
from rlaif.backends.recorded import RecordedBackend
from rlaif.backends.scripted import ScriptedBackend
from rlaif.cli.main import main
from rlaif.records import Completion, Message, Request, Usage
from rlaif.store import NAME, CompletionStore

Run = Callable[..., str]


def request(text: str) -> Request:
    return Request(id=text, messages=(Message(role="user", content=text),), options=("Yes", "No"))


def answer(_: Request) -> Completion:
    known = {"Yes": -0.5, "No": -1.0}
    return Completion(text="Yes", model="judge", option_logprobs=known, usage=Usage(read=7))


@pytest.fixture
def labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose store holds two answers of one model and one of another."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "labels"
    store = CompletionStore(folder / NAME)
    asked = [request("Is it 1?"), request("Is it 2?")]
    list(Cached(ScriptedBackend(answer, name="judge"), store).stream(asked))
    list(Cached(ScriptedBackend(lambda _: "Hi", name="policy"), store).stream(asked[:1]))
    store.close()
    return folder


@pytest.fixture
def shown(labels: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    assert labels.is_dir()

    def run(*arguments: str) -> str:
        assert main(list(arguments)) == 0
        return capsys.readouterr().out

    return run


def test_what_is_kept_of_each_model_is_counted(shown: Run) -> None:
    lines = shown("cache", "stats", "labels").splitlines()
    assert lines[1].split()[:4] == ["judge", "2", "14", "0"]
    assert lines[2].split()[:2] == ["policy", "1"]
    assert lines[-1].startswith("3 completions, ")


def test_what_is_to_go_is_named_and_nothing_else_goes(
    shown: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown("cache", "prune", "labels", "--older", "1").startswith("0 dropped, 3 kept")
    assert shown("cache", "prune", "labels", "--model", "judge").startswith("2 dropped, 1 kept")
    assert main(["cache", "prune", "labels"]) == 2
    assert capsys.readouterr().err.startswith("name what is to go: --older DAYS")


def test_a_judges_answers_are_replayed_from_what_is_exported(shown: Run, tmp_path: Path) -> None:
    out = tmp_path / "judge.jsonl"
    printed = shown("cache", "export", "labels", "-o", str(out), "--model", "judge")
    assert printed.startswith("2 rows")
    row = json.loads(out.read_text(encoding="utf-8").splitlines()[0])
    assert row["messages"] == [{"role": "user", "content": "Is it 1?"}]
    replayed = list(RecordedBackend(out).stream([request("Is it 2?")]))
    [(_, said)] = replayed
    assert isinstance(said, Completion)
    assert said.option_logprobs == {"Yes": -0.5, "No": -1.0}


def test_a_folder_without_a_store_is_one_line(
    shown: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(shown)
    assert main(["cache", "stats", "nowhere"]) == 2
    assert capsys.readouterr().err == (
        "nowhere: no store of completions here; name one, or a folder that has it\n"
    )
