"""A dry run asks nobody, writes nothing, and counts what would be asked."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from rlaif.backends.spec import LocalModel, OpenAIModel
from rlaif.budget import Meter
from rlaif.cli.main import main
from rlaif.experiment.estimate import Estimates, made_up
from rlaif.records import Completion, Message, Request, Sampling
from rlaif.store import NAME, CompletionStore
from tests.backends.fake_server import said, serve

Shown = Callable[..., list[str]]


@pytest.fixture
def shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shown:
    """Six pairs and a rule; run a command, give its lines with single blanks."""
    monkeypatch.chdir(tmp_path)
    rows = [{"id": f"r{n}", "prompt": f"Q {n}", "first": f"a{n}", "second": "b"} for n in range(6)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    Path("pairs.jsonl").write_text(text, encoding="utf-8")
    Path("rule.yaml").write_text("name: rule\nprinciples:\n  kind: It is kind.\n", "utf-8")

    def run(*arguments: str) -> list[str]:
        assert main(list(arguments)) == 0
        return [re.sub(" +", " ", line) for line in capsys.readouterr().out.splitlines()]

    return run


def request(text: str, **sampling: int) -> Request:
    turns = (Message(role="user", content=text),)
    return Request(id="r", messages=turns, sampling=Sampling(**sampling))


def test_what_is_stored_or_asked_twice_is_not_asked_again(tmp_path: Path) -> None:
    spec = OpenAIModel(model="gpt-5-mini", in_flight=2)
    store = CompletionStore(tmp_path / NAME)
    kept = Completion(text="A", model="gpt-5-mini")
    store.put(store.question("openai:gpt-5-mini", request("one")), kept)
    store.close()
    estimates = Estimates(tmp_path / NAME, Meter())
    backend = estimates.backend("label", spec)
    asked = [request(text) for text in ("one", "two", "two", "three", "four", "five")]
    answers = [answer for _, answer in backend.stream(asked)]
    assert answers[0] == kept
    [row] = estimates.table()[1]
    assert row[:5] == ["label", "gpt-5-mini", "6", "2", "4"]
    # 64 tokens each, and 1,024 where it thinks until they are spent and is asked once more.
    assert row[6] == f"≤ {4 * (64 + 1024):,}"
    assert row[-1] == "2 s, if an answer takes 1 s, 2 in flight"
    estimates.close()


def test_an_unknown_price_is_said_and_a_model_of_this_machine_costs_nothing(tmp_path: Path) -> None:
    estimates = Estimates(tmp_path / NAME, Meter())
    list(estimates.backend("label", OpenAIModel(model="mine")).stream([request("one")]))
    list(estimates.backend("respond", LocalModel(model="embedded")).stream([request("one")]))
    rows = estimates.table()[1]
    assert [row[-2] for row in rows] == ["price unknown", "nothing"]
    assert "mine: price unknown; add it to prices.yaml" in list(estimates.notes())
    assert not (tmp_path / NAME).exists()


def test_a_rate_decides_how_long_it_takes(tmp_path: Path) -> None:
    estimates = Estimates(tmp_path / NAME, Meter())
    spec = OpenAIModel.model_validate({"model": "m", "rpm": 2})
    list(estimates.backend("label", spec).stream(request(str(n)) for n in range(10)))
    assert estimates.table()[1][0][-1] == "5 min at its rpm and tpm"


def test_what_is_made_up_differs_and_is_as_long_as_is_allowed() -> None:
    one, other = (made_up(request("x", seed=seed, max_tokens=60), "m") for seed in (1, 2))
    assert one.text != other.text != made_up(request("x", seed=2, max_tokens=60), "n").text
    assert len(one.text.split()) == 30


def test_a_label_dry_run_counts_what_the_run_then_asks(shown: Shown) -> None:
    label = ["label", "pairs.jsonl", "--judge", "openai:m", "--template", "compare", "-o", "out"]
    label += ["-c", "rule.yaml"]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OPENAI_API_KEY", raising=False)
        lines = shown(*label, "--dry-run")
    assert lines[0] == "6 comparisons × 2 (1 principle) = 12 requests at most"
    assert lines[2].startswith("label 6 m 12 0 12 ")
    assert not Path("out").exists()
    with (
        serve(lambda _body, _before: said("A", {"A": -0.1, "B": -2.4})) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("OPENAI_BASE_URL", server.base_url)
        patch.setenv("OPENAI_API_KEY", "k")
        shown(*label, "--limit", "4")
        assert len(server.seen) == 8
    assert shown(*label, "--dry-run")[2].startswith("label 6 m 12 8 4 ")


def test_respond_revise_and_evaluate_count_theirs(shown: Shown) -> None:
    Path("prompts.txt").write_text("Hi\nBye\n", encoding="utf-8")
    lines = shown("respond", "prompts.txt", "-o", "r", "--samples", "3", "--dry-run")
    assert lines[1].split()[3:6] == ["6", "0", "6"]
    Path("r").mkdir()
    prompt = {"id": "p", "messages": [{"role": "user", "content": "Hi"}]}
    Path("r/prompts.jsonl").write_text(json.dumps(prompt) + "\n", encoding="utf-8")
    drawn = {"id": "p#0", "prompt_id": "p", "text": "Good day.", "author": "m"}
    Path("r/responses.jsonl").write_text(json.dumps(drawn) + "\n", encoding="utf-8")
    lines = shown("revise", "r", "-o", "v", "-c", "rule.yaml", "--tries", "2", "--dry-run")
    counts = {tuple(line.split()[3:6]) for line in lines[1:3]}
    # A critique and two tries; each try and the response before it rated by the judge.
    assert counts == {("3", "0", "3"), ("4", "1", "3")}
    lines = shown("evaluate", "embedded", "openai:m", "--suites", "prompts.txt",
                  "-c", "rule.yaml", "-o", "e", "--dry-run")  # fmt: skip
    assert sorted(line.split()[3] for line in lines[1:4]) == ["2", "2", "4"]
    assert not Path("v").exists()
    assert not Path("e").exists()
