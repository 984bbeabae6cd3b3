import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from safetensors.torch import load_file

from rlaif.errors import StageError
from rlaif.training.checkpoints import work_folder
from rlaif.training.folder import load_tokenizer
from rlaif.training.reward.member import write_member
from rlaif.training.team import has_the_word, together
from tests.training.on_ranks import HEADS, METHODS, SPREAD, a_member, train_all

MANY = pytest.mark.slow


class Launched(NamedTuple):
    folder: Path
    ranks: list[dict]
    out: str
    err: str
    code: int


@pytest.fixture(scope="module")
def launched(
    tiny_model: Path,
    write_experiment: Callable[[Path], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Launched:
    """Two processes that do all that is in `on_ranks`, of which the last fails on one of them."""
    folder = tmp_path_factory.mktemp("ranks")
    write_experiment(folder)
    (folder / "model").symlink_to(tiny_model)
    program = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*program, "-m", "tests.training.on_ranks", str(folder)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    files = [folder / f"rank-{number}.json" for number in range(2)]
    assert all(file.is_file() for file in files), done.stderr[-3000:]
    seen = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return Launched(folder, seen, done.stdout, done.stderr, done.returncode)


@MANY
@pytest.mark.parametrize("method", METHODS)
def test_two_processes_end_with_equal_weights(launched: Launched, method: str) -> None:
    one, other = (seen[method][1:] for seen in launched.ranks)
    assert one == other


@pytest.fixture(scope="module")
def alone(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    return train_all(tiny_model, tmp_path_factory.mktemp("alone"))


@MANY
@pytest.mark.parametrize("method", METHODS)
def test_two_processes_learn_what_one_does_from_the_same_rows(
    launched: Launched, alone: dict, method: str
) -> None:
    figures = alone[method].figures
    # KTO's reference point comes from the rows of each process.
    close = 1e-3 if method == "kto" else 1e-4
    assert launched.ranks[0][method][0] == pytest.approx(figures, rel=close, abs=1e-6)
    assert any(figure > 0.01 for figure in figures)
    assert launched.ranks[0][method][2] == alone[method].counted


@MANY
def test_what_two_processes_write_stands_once_and_whole(launched: Launched) -> None:
    trained = launched.folder / "trained"
    written = sorted(path.name for path in trained.iterdir())
    assert written == sorted([*METHODS, "rejection.replies.jsonl"])
    assert all((trained / name / "model.safetensors").is_file() for name in METHODS)


@MANY
def test_where_one_processs_judge_goes_away_all_keep_a_checkpoint_and_go_on(
    launched: Launched,
) -> None:
    for number in range(2):
        said = (launched.folder / f"away-rloo-{number}.txt").read_text(encoding="utf-8")
        assert said == "keeps 1: the judge is gone; what is learned so far is kept"
    away, whole = (
        (launched.folder / path / "model.safetensors").read_bytes()
        for path in ("away/rloo", "trained/rloo")
    )
    assert away == whole


@MANY
@pytest.mark.parametrize("method", SPREAD)
def test_weights_that_are_spread_over_processes_learn_the_same(
    launched: Launched, tiny_model: Path, method: str
) -> None:
    spread, whole = (
        load_file(launched.folder / how / method / "model.safetensors")
        for how in ("spread", "trained")
    )
    start = load_file(tiny_model / "model.safetensors")
    assert spread.keys() == whole.keys()
    for name, weight in whole.items():
        assert spread[name].float().allclose(weight.float(), atol=2e-3, rtol=2e-2), name
    assert any(not start[name].bfloat16().equal(spread[name]) for name in start if name in spread)


@MANY
def test_weights_that_are_spread_over_processes_are_written_whole(
    launched: Launched, tiny_model: Path
) -> None:
    written = load_file(launched.folder / "gathered" / "model.safetensors")
    before = load_file(tiny_model / "model.safetensors")
    assert written.keys() == before.keys()
    assert all(written[name].equal(before[name].bfloat16()) for name in before)


@MANY
def test_a_reward_models_heads_and_adapter_that_are_spread_are_written_whole(
    launched: Launched, tiny_model: Path, tmp_path: Path
) -> None:
    write_member(a_member(tiny_model), load_tokenizer(tiny_model), HEADS, tmp_path)
    for file in ("model.safetensors", "heads/score.safetensors"):
        written, alone = (
            load_file(at / file) for at in (launched.folder / "gathered-member", tmp_path)
        )
        assert written.keys() == alone.keys()
        assert all(written[name].equal(alone[name]) for name in alone)


@MANY
def test_an_experiment_by_two_processes_is_told_by_one(launched: Launched) -> None:
    assert "0 ends with 0" in launched.err
    assert "1 ends with 0" in launched.err
    lines = [line for line in launched.out.splitlines() if line.startswith("▸")]
    names = [line.split()[1] for line in lines]
    assert names == ["respond", "revise", "sft"]
    assert (launched.folder / "runs" / "tiny" / "sft" / "model" / "config.json").is_file()


@MANY
def test_a_failure_of_one_process_ends_all_with_its_line(launched: Launched) -> None:
    assert launched.code != 0
    assert "process 1: the reward broke" in launched.err.splitlines()
    assert "did not foresee" not in launched.err
    assert not (launched.folder / "failed").exists()


def test_one_process_waits_for_nobody_and_speaks_for_itself() -> None:
    together()
    assert has_the_word()


def test_a_run_of_another_number_of_processes_is_not_gone_on_with(tmp_path) -> None:
    work = work_folder(tmp_path / "rm", "the same run")
    (work / "ranks").write_text("4", encoding="utf-8")
    assert work_folder(tmp_path / "rm", "the same run") == work  # nothing is kept yet
    (work / "member" / "checkpoint-7").mkdir(parents=True)
    (work / "member" / "checkpoint-7" / "whole").touch()
    (work / "ranks").write_text("4", encoding="utf-8")
    with pytest.raises(StageError, match="with 4 processes, and this one has 1: go on with 4"):
        work_folder(tmp_path / "rm", "the same run")
    work_folder(tmp_path / "rm", "another run")
    assert not (work / "member").exists()
