"""`rlaif optimize` on files, from the command line: exit codes, one line, a model."""

import json
from pathlib import Path

import pytest

from rlaif.cli.main import main
from rlaif.errors import InputError
from rlaif.experiment.alone_optimize import optimize_config


@pytest.fixture
def thumbs(tmp_path: Path) -> Path:
    rows = [
        {"prompt": f"q{n}", "completion": "Yes!" if n % 2 else "No.", "label": bool(n % 2)}
        for n in range(12)
    ]
    path = tmp_path / "thumbs.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_kto_learns_from_a_file_of_thumbs(thumbs, tiny_model, tmp_path, capsys) -> None:
    out = tmp_path / "kto"
    assert (
        main(
            ["optimize", str(thumbs), "-o", str(out), "--model", str(tiny_model), "--method", "kto"]
        )
        == 0
    )
    assert "kto, 12 answers" in capsys.readouterr().out
    assert (out / "model.safetensors").is_file()


def test_thumbs_of_one_kind_are_one_line_and_exit_2(thumbs, tiny_model, tmp_path, capsys) -> None:
    thumbs.write_text(thumbs.read_text("utf-8").replace("false", "true"), encoding="utf-8")
    arguments = ["optimize", str(thumbs), "-o", str(tmp_path / "kto"), "--model", str(tiny_model)]
    assert main([*arguments, "--method", "kto"]) == 2
    said = capsys.readouterr().err
    assert "both kinds, and all 12 are good" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "kto", "batch": 1}, "batch: kto compares rows of a batch"),
        ({"method": "kto", "label_smoothing": 0.1}, "label_smoothing: kto has none"),
        ({"method": "dpo", "label_smoothing": 0.5}, "label_smoothing: "),
        ({"method": "ipo", "beta": 0.0}, "beta: ipo needs more than 0"),
    ],
)
def test_options_that_do_not_go_together_are_one_line(options, said) -> None:
    with pytest.raises(InputError, match=said) as told:
        optimize_config(16, options)
    assert "\n" not in str(told.value)


def test_without_an_adapter_the_learning_rate_is_a_tenth() -> None:
    assert optimize_config(16, {"learning_rate": None}).learning_rate == 3e-4
    assert optimize_config(0, {"learning_rate": None}).learning_rate == 3e-5
