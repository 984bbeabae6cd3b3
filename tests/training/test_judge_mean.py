"""The mean of adapters is what their shares make of it, and says what it is made of."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from rlaif.cli.main import main
from rlaif.errors import InputError
from rlaif.training.judge import settings
from rlaif.training.judge_mean import mean_adapter

WEIGHTS = "adapter_model.safetensors"


def adapter(path: Path, value: float, size: int = 2) -> Path:
    path.mkdir(parents=True)
    weights = {"a": torch.full((size, 3), value), "b": torch.full((4,), -value)}
    halved = {name: weight.to(torch.bfloat16) for name, weight in weights.items()}
    save_file(halved, path / "adapter_model.safetensors")
    (path / "adapter_config.json").write_text('{"r": 2}', encoding="utf-8")
    return path


def test_shares_weigh_each_adapter(tmp_path: Path) -> None:
    early, end = adapter(tmp_path / "at-10%", 1.0), adapter(tmp_path / "judge", 5.0)
    mean = load_file(mean_adapter([(early, 3), (end, 1)], tmp_path / "mean") / WEIGHTS)
    assert mean["a"].tolist() == [[2.0] * 3] * 2
    assert mean["b"].tolist() == [-2.0] * 4
    assert mean["a"].dtype is torch.bfloat16
    config = (tmp_path / "mean" / "adapter_config.json").read_text("utf-8")
    assert json.loads(config) == {"r": 2}


def test_it_says_how_its_parts_were_trained_and_keeps_them_for_the_examination(
    tmp_path: Path,
) -> None:
    early, end = adapter(tmp_path / "at-10%", 1.0), adapter(tmp_path / "judge", 5.0)
    (end / "training.json").write_text(json.dumps([{"rank": 24}]), encoding="utf-8")
    out = mean_adapter([(early, 0.65), (end, 0.35)], tmp_path / "mean")
    assert settings(out) == [{"rank": 24}, {"mean": {"at-10%": 0.65, "at-100%": 0.35}}]
    work = tmp_path / "mean.work"
    for name, source in (("at-10%", early), ("at-100%", end)):
        kept, given = (load_file(folder / WEIGHTS) for folder in (work / name, source))
        assert all(kept[key].equal(weight) for key, weight in given.items())


def test_the_mean_of_one_is_itself(tmp_path: Path) -> None:
    only = adapter(tmp_path / "judge", 0.3)
    out = mean_adapter([(only, 7.0)], tmp_path / "mean")
    assert load_file(out / WEIGHTS)["a"].equal(load_file(only / WEIGHTS)["a"])


@pytest.mark.parametrize("share", [0.0, -1.0, float("nan"), float("inf")])
def test_a_share_that_is_none_is_one_line(tmp_path: Path, share: float) -> None:
    with pytest.raises(InputError, match="expected a share above 0"):
        mean_adapter([(adapter(tmp_path / "judge", 1.0), share)], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_the_end_of_the_training_names_the_base_in_whatever_order(tmp_path: Path) -> None:
    early, end = adapter(tmp_path / "at-10%", 1.0), adapter(tmp_path / "judge", 5.0)
    (end / "training.json").write_text("[{}]", encoding="utf-8")
    (end / "adapter_config.json").write_text('{"r": 2, "base": "hub/name"}', encoding="utf-8")
    for number, order in enumerate([(early, end), (end, early)]):
        out = mean_adapter([(path, 1.0) for path in order], tmp_path / f"mean-{number}")
        assert json.loads((out / "adapter_config.json").read_text("utf-8"))["base"] == "hub/name"


def test_adapters_that_have_no_mean_are_one_line_and_nothing_is_written(tmp_path: Path) -> None:
    one, other = adapter(tmp_path / "one", 1.0), adapter(tmp_path / "at-30%", 1.0, size=3)
    bare = adapter(tmp_path / "at-10%", 1.0)
    (bare / "adapter_config.json").unlink()
    wrong = {
        r"at-30%: not of one shape with .*one": [one, other],
        r"none: expected an adapter's folder": [one, tmp_path / "none"],
        r"at-10%: expected an adapter's folder": [one, bare],
        r"one: a second at-100%; name stages of one training": [one, one],
    }
    for line, paths in wrong.items():
        with pytest.raises(InputError, match=line):
            mean_adapter([(path, 1.0) for path in paths], tmp_path / "mean")
    with pytest.raises(InputError, match="one: is there already; name another folder"):
        mean_adapter([(one, 1.0)], one)
    assert not list(tmp_path.glob("mean*"))


def test_the_command_takes_shares_or_equal_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    early, end = adapter(tmp_path / "at-10%", 1.0), adapter(tmp_path / "judge", 5.0)
    assert main(["embedded", "mean", str(early), str(end), "-o", str(tmp_path / "even")]) == 0
    assert "not calibrated yet: rlaif embedded evaluate" in capsys.readouterr().out
    assert load_file(tmp_path / "even" / WEIGHTS)["a"].unique().tolist() == [3.0]
    shares = [f"{early}=3", f"{end}=1"]
    assert main(["embedded", "mean", *shares, "-o", str(tmp_path / "early")]) == 0
    assert load_file(tmp_path / "early" / WEIGHTS)["a"].unique().tolist() == [2.0]
    assert main(["embedded", "mean", f"{early}=0", "-o", str(tmp_path / "none")]) == 2
    assert "=0: expected a share above 0" in capsys.readouterr().err
