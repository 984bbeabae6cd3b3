"""`rlaif reward` trains where it names no command, and its commands are still found."""

from pathlib import Path

import pytest

from rlaif.cli.main import main
from rlaif.feedback.mix import Mix
from rlaif.training.config import RewardConfig


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
    mix = Mix((Path("pairs.jsonl"),), {})
    assert trained == [(mix, "embedded", Path("rm"), RewardConfig(), (None, None), 0)]


def test_options_are_the_configs_own(trained: list[tuple[object, ...]]) -> None:
    options = "--base b --loss luce --kwise --lora 0 --share-prompts --truncate --centring 0.01"
    options += " --heads 4 --combine lower --spread 0.5"
    options += " --also people.jsonl --source human=4"
    assert main(["reward", "pairs.jsonl", "-o", "rm", *options.split(), "--seed", "3"]) == 0
    config = RewardConfig(
        loss="luce",
        kwise=True,
        lora=None,
        learning_rate=3e-5,
        share_prompts=True,
        too_long="truncate",
        centring=0.01,
        heads=4,
        combine="lower",
        spread=0.5,
    )
    assert trained == [
        (
            Mix((Path("pairs.jsonl"), Path("people.jsonl")), {"human": 4.0}),
            "b",
            Path("rm"),
            config,
            (None, None),
            3,
        )
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--loss", "luce"], "luce ranks all answers to a prompt"),
        (["--pairs-per-prompt", "3"], "it needs `kwise: true`"),
        (["--held-out", "1"], "held_out: Input should be less than 1"),
    ],
)
def test_options_that_do_not_go_together_are_one_line(
    options: list[str],
    said: str,
    trained: list[tuple[object, ...]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["reward", "pairs.jsonl", "-o", "rm", *options]) == 2
    assert said in capsys.readouterr().err
    assert not trained


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
