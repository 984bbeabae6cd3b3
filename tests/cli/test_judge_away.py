"""A judge behind an API that refuses in the middle of a training, from the command line."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from rlaif.cli.main import main
from tests.backends.fake_server import Reply, refused, said, serve
from tests.small_run import ABSOLUTE

LIKELY = {"Yes": -0.1, "No": -2.4}


def prepared(tiny_model: Path, tmp_path: Path, monkeypatch: Any) -> list[str]:
    """Write what a training with a judge behind an API needs; give the command."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted")
    Path("rule.yaml").write_text("name: rule\nprinciples:\n  kind: It is kind.\n", "utf-8")
    Path("absolute.j2").write_text(ABSOLUTE, encoding="utf-8")
    Path("prompts.txt").write_text("".join(f"question {n}\n" for n in range(4)), "utf-8")
    judge = "kind: openai\nmodel: m\nattempts: 1\npatience: 1\n"
    Path("judge.yaml").write_text(judge, encoding="utf-8")
    named = f"optimize prompts.txt -o mine --model {tiny_model} --method rloo --lora 0 steps=4"
    judged = "--reward judge -c rule.yaml --judge judge.yaml --template absolute.j2 patience=8"
    return [*named.split(), *judged.split(), "batch=8", "samples=4", "max_new_tokens=8"]


def goes_on(how: list[str], monkeypatch: Any) -> None:
    """Run the same command again, from the checkpoint that was left, with a judge that answers."""
    assert Path(".mine.work/checkpoint-2/whole").is_file()
    with serve(lambda *_: said("Yes", LIKELY)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        assert main(how) == 0
        # What was answered is not asked again, nor are the steps before the checkpoint.
        assert len(server.seen) <= 16
    lines = Path("mine.curve.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3, 4]
    assert Path("mine/model.safetensors").is_file()


@pytest.mark.slow
def test_a_judge_that_goes_down_half_way_is_waited_for_and_then_it_is_a_checkpoint_and_code_3(
    tiny_model: Path, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    how = prepared(tiny_model, tmp_path, monkeypatch)
    served = itertools.count()

    def down(*_: Any) -> Reply:
        return said("Yes", LIKELY) if next(served) < 16 else refused(503, "no upstream")

    with serve(down) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        assert main(how) == 3
    out, err = capsys.readouterr()
    told = err.splitlines()
    [waiting] = [line for line in out.splitlines() if "it is asked again for up to 8 s" in line]
    assert "503" in waiting
    assert "503" in told[-1]
    assert "what is learned so far is kept" in told[-1]
    goes_on(how, monkeypatch)


@pytest.mark.slow
def test_a_key_that_is_revoked_half_way_leaves_a_checkpoint_and_a_new_one_goes_on(
    tiny_model: Path, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    how = prepared(tiny_model, tmp_path, monkeypatch)
    served = itertools.count()

    def revoked(*_: Any) -> Reply:
        # The third draw of eight is the first that is refused.
        return said("Yes", LIKELY) if next(served) < 16 else refused(401, "no such key")

    with serve(revoked) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        assert main(how) == 2
    told = capsys.readouterr().err
    assert "check the environment variable OPENAI_API_KEY" in told
    assert told.count("\n") == 1
    goes_on(how, monkeypatch)
