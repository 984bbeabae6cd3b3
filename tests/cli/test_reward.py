"""`rlaif reward` trains where it names no command, and its commands are still found."""

from pathlib import Path

import pytest

from rlaif.cli.main import main


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What training was asked for, in place of training."""
    asked: list[tuple[object, ...]] = []

    def reward_alone(*arguments: object) -> str:
        asked.append(arguments[:-1])
        return "kept"

    monkeypatch.setattr("rlaif.experiment.alone_training.reward_alone", reward_alone)
    return asked


@pytest.mark.parametrize("before", [["reward"], ["reward", "train"]])
@pytest.mark.parametrize(
    "arguments",
    [["pairs.jsonl", "-o", "rm"], ["-o", "rm", "pairs.jsonl"], ["--out=rm", "pairs.jsonl"]],
)
def test_a_file_alone_is_trained_on(
    before: list[str], arguments: list[str], trained: list[tuple[object, ...]]
) -> None:
    assert main([*before, *arguments]) == 0
    assert trained == [(Path("pairs.jsonl"), "embedded", Path("rm"), 1.0, 0)]


def test_a_missing_option_is_told_by_the_command_that_needs_it(
    capsys: pytest.CaptureFixture[str], trained: list[tuple[object, ...]]
) -> None:
    assert main(["reward", "pairs.jsonl"]) == 2
    assert "--out" in capsys.readouterr().err
    assert not trained


def test_help_names_the_commands_and_how_a_file_is_trained_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["reward", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "PREFERENCES -o FOLDER" in shown
    assert "\n  train " in shown
