"""`rlaif reward` trains where it names no command, and its commands are still found."""

import json
from pathlib import Path

import pytest

from rlaif.cli.main import main
from rlaif.feedback.mix import Mix
from rlaif.training.config import LoRA, Probe, RewardConfig


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
    options += " --heads 4 --combine lower --spread 0.5 --probe 16"
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
        probe=Probe(layers=16),
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


def test_few_bits_are_the_adapters_own(trained: list[tuple[object, ...]]) -> None:
    assert main(["reward", "pairs.jsonl", "-o", "rm", "--bits", "4"]) == 0
    assert trained[0][3] == RewardConfig(lora=LoRA(bits=4))


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


def transcript(number: int, *replies: str) -> dict[str, str]:
    begun = f"\n\nHuman: Question {number}?\n\nAssistant:"
    chosen, rejected = (f"{begun} {reply}" for reply in replies)
    return {"chosen": chosen, "rejected": rejected}


def test_faulty_rows_of_peoples_pairs_are_named_and_the_others_trained_on(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [transcript(number, "Yes.", "No.") for number in range(6)]
    rows[1], rows[4] = transcript(1, "No.", "No."), transcript(4, "", "No.")
    pairs, out = tmp_path / "hh.jsonl", tmp_path / "rm"
    pairs.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    asked = ["reward", str(pairs), "-o", str(out), "--model", str(tiny_model), "--held-out", "0"]
    assert main(asked) == 0
    told = capsys.readouterr().out.replace("\n", "")
    assert "hh.jsonl:2: left out: pair " in told
    assert "hh.jsonl:5: left out: pair " in told
    assert "left out: 1 same, 1 empty" in told
    card = (out / "README.md").read_text(encoding="utf-8")
    for line in ("| left out: same | 1 |", "| trained on, pairs | 4 |"):
        assert line in card


def test_faulty_rows_alone_are_one_line_with_the_counts_and_no_model(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [transcript(1, "No.", "No."), transcript(2, "", "No."), {"choice": "first"}]
    pairs, out = tmp_path / "hh.jsonl", tmp_path / "rm"
    pairs.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    assert main(["reward", str(pairs), "-o", str(out), "--model", str(tiny_model)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "no label to train on; 1 same, 1 empty, 1 unreadable; the first: line 1, " in line
    assert not out.exists()
