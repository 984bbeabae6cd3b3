"""`rlaif sample` draws from a trained policy and its base, and names what it cannot find."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rlaif.cli.main import main
from rlaif.evaluation.samples import Sample
from rlaif.records import Response
from rlaif.storage import read_records

Told = Callable[..., str]
SHORT = ["--max-tokens", "6", "--temperature", "0.7"]


@pytest.fixture
def told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Told:
    """Run a command that must fail; give the one line that it says."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> str:
        assert main(["sample", *arguments]) == 2
        errors = capsys.readouterr().err
        assert len(errors.splitlines()) == 1, errors
        return errors.strip()

    return run


@pytest.fixture
def prompts(tmp_path: Path) -> str:
    path = tmp_path / "mine.txt"
    path.write_text("How do I boil an egg?\nName three rivers.\n", encoding="utf-8")
    return str(path)


def test_two_models_stand_side_by_side_in_the_file_and_here(
    tiny_model: Path,
    tiny_judge: Path,
    prompts: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    asked = ["sample", str(tiny_judge), "--base", str(tiny_model), "--prompts", prompts]
    asked += ["-o", str(out), "--samples", "2", "-n", "1", *SHORT]
    assert main(asked) == 0
    printed = capsys.readouterr().out
    assert printed.count("prompt  How do I boil an egg?") == 1
    assert "Name three rivers" not in printed
    assert f"kept in {out / 'samples.jsonl'}" in printed
    rows = list(read_records(out / "samples.jsonl", Sample))
    egg, rivers = "How do I boil an egg?", "Name three rivers."
    assert [row.prompt.text for row in rows] == [egg, egg, rivers, rivers]
    authors = {side.author for row in rows for side in row.sides() if isinstance(side, Response)}
    assert len(authors) == 2

    before = (out / "samples.jsonl").read_bytes()
    assert main(asked) == 0
    assert (out / "samples.jsonl").read_bytes() == before


def test_a_policy_that_is_its_base_says_the_same(
    tiny_model: Path, prompts: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["sample", str(tiny_model), "--base", str(tiny_model), "--prompts", prompts]
    assert main([*asked, "-o", str(tmp_path / "out"), *SHORT]) == 0
    assert "2 of 2 replies are the same text" in capsys.readouterr().out


def test_a_run_knows_its_own_base(
    again: Path, prompts: str, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = again.parent / "runs/tiny"
    assert main(["sample", str(run), "--prompts", prompts, *SHORT]) == 0
    printed = capsys.readouterr().out
    assert f"base: {tiny_model.name}" in printed
    assert f"kept in {run / 'samples/samples.jsonl'}" in printed
    stage = run / "sft/model"
    asked = ["sample", str(stage), "--prompts", prompts, "-o", str(again.parent / "of-sft")]
    assert main([*asked, *SHORT]) == 0
    assert f"base: {tiny_model.name}" in capsys.readouterr().out


def test_another_setting_does_not_overwrite_unless_told_to(
    told: Told, tiny_model: Path, prompts: str, tmp_path: Path
) -> None:
    asked = [str(tiny_model), "--base", str(tiny_model), "--prompts", prompts, *SHORT]
    asked += ["-o", str(tmp_path / "out")]
    assert main(["sample", *asked]) == 0
    assert "--anew" in told(*asked, "--seed", "1")
    assert main(["sample", *asked, "--seed", "1", "--anew"]) == 0


def test_no_such_policy_is_one_line(told: Told, prompts: str) -> None:
    assert "no such" in told("nothing/here/at-all", "--prompts", prompts)


def test_no_such_prompts_are_one_line(told: Told, tiny_model: Path) -> None:
    line = told(str(tiny_model), "--base", str(tiny_model), "--prompts", "harmfull")
    assert "did you mean 'harmful'" in line


def test_a_run_that_trained_no_policy_is_one_line(told: Told, again: Path) -> None:
    run = again.parent / "runs/tiny"
    for stage in ("sft", "optimize"):
        (run / stage / "model").rename(run / stage / "gone")
    assert told(str(run), "--prompts", "harmful") == (
        f"{run}: the run has trained no policy yet; `rlaif run` it up to optimize"
    )
