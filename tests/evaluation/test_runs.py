from pathlib import Path

import pytest

from rlaif.errors import StorageError
from rlaif.evaluation.runs import STAGES, read_run
from tests.evaluation import run_folder


def test_a_whole_run_is_read_back(tmp_path: Path) -> None:
    run = read_run(run_folder.write_run(tmp_path / "run"))
    assert run.name == "calm-run"
    assert [stage.name for stage in run.stages] == list(STAGES)
    assert {stage.state for stage in run.stages} == {"done"}
    assert run.constitution == run_folder.CONSTITUTION
    assert (len(run.preferences), len(run.abstentions["label"]), len(run.revisions)) == (3, 1, 1)
    assert [len(run.curves[name]) for name in ("sft", "respond")] == [9, 0]
    assert run.evaluation == run_folder.evaluation()


def test_a_stage_that_the_experiment_does_not_name_is_not_missing(tmp_path: Path) -> None:
    run_folder.write_text(tmp_path / "experiment.yaml", "name: young\nrespond: {}\nsft: null\n")
    states = {stage.name: stage.state for stage in read_run(tmp_path).stages}
    assert (states["respond"], states["sft"]) == ("not run", "not asked for")


def test_a_stage_alone_is_enough_of_a_run(tmp_path: Path) -> None:
    run_folder.write_text(
        tmp_path / "mine" / "label" / "manifest.json", run_folder.manifest("label")
    )
    run = read_run(tmp_path / "mine")
    assert (run.name, run.constitution, run.evaluation) == ("mine", None, None)
    assert [stage.name for stage in run.stages if stage.state == "done"] == ["label"]


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("label/preferences.jsonl", r"preferences\.jsonl:1: not a line of this journal"),
        ("sft/curve.jsonl", r"curve\.jsonl:1: not a training step"),
        ("sft/manifest.json", r"manifest\.json: damaged; delete .*sft"),
    ],
)
def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path, file: str, message: str) -> None:
    run = run_folder.write_run(tmp_path / "run")
    run_folder.write_text(run / file, "[1]\n")
    with pytest.raises(StorageError, match=message):
        read_run(run)
