"""Running an experiment: what is done, what is done again and why, and going on after a stop."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rlaif.cli.main import main
from rlaif.errors import StageError, StorageError
from rlaif.experiment.manifest import read_manifest
from rlaif.experiment.runner import plan, run_stages
from rlaif.records import Manifest
from tests.small_run import opened

STAGES = ["respond", "revise", "sft", "label", "reward", "optimize", "evaluate"]


def states(path: Path, *overrides: str) -> dict[str, str]:
    return {item.stage.name: item.state for item in plan(opened(path, *overrides))}


def test_every_stage_leaves_a_manifest_with_what_it_was_made_from(finished: Path) -> None:
    for stage in STAGES:
        text = (finished / "runs/tiny" / stage / "manifest.json").read_text(encoding="utf-8")
        manifest = Manifest.model_validate_json(text)
        assert manifest.stage == stage
        assert manifest.inputs
        assert manifest.seconds > 0
        assert set(manifest.models) >= {"policy", "judge"}


def test_the_run_keeps_its_constitution_and_its_experiment(finished: Path) -> None:
    kept = finished / "runs/tiny"
    assert "declines to help" in (kept / "constitution.yaml").read_text(encoding="utf-8")
    assert "max_tokens: 10" in (kept / "experiment.yaml").read_text(encoding="utf-8")


def test_every_input_of_revise_ends_as_one_outcome(finished: Path) -> None:
    folder = finished / "runs/tiny/revise"
    revised = [json.loads(line) for line in lines(folder / "revisions.jsonl")]
    left_out = [json.loads(line) for line in lines(folder / "abstentions.jsonl")]
    subjects = [row["before"]["id"] for row in revised] + [row["subject"] for row in left_out]
    # Three prompts are tagged harmful, and the first response to each is revised.
    assert sorted(subjects) == ["p0#0", "p1#0", "p2#0"]


def test_every_comparison_ends_as_one_outcome(finished: Path) -> None:
    folder = finished / "runs/tiny/label"
    kept = lines(folder / "preferences.jsonl") + lines(folder / "abstentions.jsonl")
    assert len(kept) == 8  # a pair of two samples for each prompt


def test_a_second_run_finds_every_stage_fresh(again: Path) -> None:
    assert set(states(again).values()) == {"fresh"}
    assert [(name, done) for name, done in run_stages(opened(again))] == [
        (name, None) for name in STAGES
    ]


def test_planning_writes_nothing(write_experiment: Callable[[Path], Path], tmp_path: Path) -> None:
    path = write_experiment(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert set(states(path).values()) == {"missing"}
    assert sorted(tmp_path.rglob("*")) == before


def test_a_plan_counts_requests(write_experiment: Callable[[Path], Path], tmp_path: Path) -> None:
    requests = {item.stage.name: item.requests for item in plan(opened(write_experiment(tmp_path)))}
    # Eight prompts with two samples; for three, a critique, two tries, each judged in a pair.
    assert requests["respond"] == 16
    assert requests["revise"] == 3 * (1 + 2 + 2 * 2)
    # Sixteen draws, and eight pairs of two replies under two principles.
    assert requests["label"] == 16 + 8 * 2 * 2
    assert requests["sft"] == requests["reward"] == requests["optimize"] == 0


def test_a_share_of_the_prompts_is_answered_and_no_other_is_revised(again: Path) -> None:
    share = "respond.prompts={harmful: 2}"
    asked = {item.stage.name: item.requests for item in plan(opened(again, share))}
    assert (asked["respond"], asked["revise"]) == (4, 2 * (1 + 2 + 2 * 2))
    run = opened(again, share)
    list(run_stages(run, until="revise"))
    answered = {
        json.loads(line)["prompt_id"] for line in lines(run.folder / "respond/responses.jsonl")
    }
    folder = run.folder / "revise"
    revised = [
        json.loads(line)["before"]["prompt_id"] for line in lines(folder / "revisions.jsonl")
    ]
    left_out = [json.loads(line)["subject"] for line in lines(folder / "abstentions.jsonl")]
    assert len(answered) == 2
    assert {*revised, *(name.split("#")[0] for name in left_out)} == answered


def test_a_changed_principle_does_again_what_depends_on_it_and_says_so(again: Path) -> None:
    rules = again.with_name("two.yaml")
    text = rules.read_text(encoding="utf-8")
    rules.write_text(text.replace("answers the question", "asks a question"), encoding="utf-8")
    planned = {item.stage.name: item for item in plan(opened(again))}
    assert planned["respond"].state == "fresh"
    assert all(planned[name].state == "stale" for name in STAGES if name != "respond")
    assert planned["label"].why == "sft changed, constitution: 1 principle changed"
    assert planned["optimize"].why == "sft changed, label changed"


def test_a_changed_setting_does_again_its_stage_and_what_reads_it(again: Path) -> None:
    found = states(again, "label.min_confidence=0.6")
    assert {name for name, state in found.items() if state == "stale"} == {
        "label", "reward", "optimize", "evaluate",
    }  # fmt: skip
    why = {item.stage.name: item.why for item in plan(opened(again, "label.min_confidence=0.6"))}
    assert why["label"] == "label.min_confidence changed"


def test_more_samples_do_again_everything(again: Path) -> None:
    assert set(states(again, "respond.samples=3").values()) == {"stale"}


def test_what_a_changed_setting_made_stale_is_paid_for_once(again: Path) -> None:
    run = opened(again, "label.min_confidence=0.5000001")
    list(run_stages(run, until="label"))
    manifest = json.loads((run.folder / "label/manifest.json").read_text(encoding="utf-8"))
    # Every draw and every judgement was in the store.
    assert manifest["tokens"] == {"read": 0, "written": 0}


def test_until_stops_after_a_stage(
    write_experiment: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = write_experiment(tmp_path)
    assert [name for name, _ in run_stages(opened(path), until="respond")] == ["respond"]
    assert states(path)["respond"] == "fresh"
    assert states(path)["revise"] == "missing"


def test_a_run_that_stops_early_shows_no_table_of_an_older_evaluation(
    again: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["run", str(again), "--runs", str(again.parent / "runs")]
    assert main(asked) == 0
    assert "Figures are shares of replies" in capsys.readouterr().out
    assert main([*asked, "--until", "respond"]) == 0
    assert "Figures are shares of replies" not in capsys.readouterr().out


@pytest.mark.slow
def test_a_figure_that_was_not_measured_is_in_no_manifest(again: Path) -> None:
    # Without a β there is no KL to measure.
    run = opened(
        again,
        "optimize={method: reinforce, reward: judge, beta: 0, steps: 2, batch: 4, lora: null}",
    )
    assert dict(run_stages(run, until="optimize"))["optimize"]
    manifest = read_manifest(run.folder / "optimize")
    assert manifest
    assert "reward_last" in manifest.metrics
    assert "kl" not in manifest.metrics


def test_until_a_stage_that_is_not_there_names_those_that_are(again: Path) -> None:
    with pytest.raises(StageError, match=r"--until labels: .* label, reward, optimize"):
        list(run_stages(opened(again), until="labels"))


def test_a_folder_half_written_is_done_again(again: Path) -> None:
    folder = again.parent / "runs/tiny/optimize"
    (folder / "manifest.json").unlink()
    (folder / "begun.json").write_text('{"ke', encoding="utf-8")
    assert states(again)["optimize"] == "stale"
    done = dict(run_stages(opened(again)))
    assert done["optimize"] is not None
    assert done["reward"] is None


def test_a_damaged_manifest_is_one_line_that_says_what_to_delete(again: Path) -> None:
    manifest = again.parent / "runs/tiny/label/manifest.json"
    manifest.write_text("{", encoding="utf-8")
    with pytest.raises(StorageError, match=r"manifest.json: damaged; delete .*label and run again"):
        plan(opened(again))


@pytest.mark.slow
def test_a_killed_run_goes_on_at_the_item(
    write_experiment: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = write_experiment(tmp_path)
    folder = tmp_path / "runs/tiny/respond"
    process = rlaif("run", str(path), "--until", "respond", cwd=tmp_path, slowly=True)
    wait_for(lambda: len(lines(folder / "responses.jsonl")) >= 4, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = lines(folder / "responses.jsonl")[:-1]  # the last may be half a line
    assert not (folder / "manifest.json").exists()
    assert states(path)["respond"] == "unfinished"
    list(run_stages(opened(path), until="respond"))
    after = lines(folder / "responses.jsonl")
    assert set(kept) <= set(after)
    assert sorted(json.loads(line)["id"] for line in after) == sorted(
        f"p{number}#{sample}" for number in range(8) for sample in range(2)
    )


@pytest.mark.slow
def test_ctrl_c_is_one_line_and_loses_nothing(
    write_experiment: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = write_experiment(tmp_path)
    responses = tmp_path / "runs/tiny/respond/responses.jsonl"
    process = rlaif("run", str(path), "--until", "respond", cwd=tmp_path, slowly=True)
    wait_for(lambda: len(lines(responses)) >= 4, process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.fullmatch(r"stopped; what is done is kept, .*\n", errors)
    assert len(lines(responses)) >= 4


# A shell ignores Ctrl-C for what it starts in the background, tests included.
SLOWLY = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from rlaif.backends import local
once = local.LocalBackend._generate
def slow(self, batch):
    time.sleep(1.0)
    return once(self, batch)
local.LocalBackend._generate = slow
from rlaif.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def rlaif(*arguments: str, cwd: Path, slowly: bool = False) -> "subprocess.Popen[str]":
    """Run the program; slowly, so that there is time to stop it between two batches of two."""
    if slowly:
        path = cwd / "tiny.yaml"
        text = path.read_text(encoding="utf-8")
        path.write_text(
            text.replace("{kind: local, ", "{kind: local, batch: 2, "), encoding="utf-8"
        )
    return subprocess.Popen(
        [sys.executable, "-c", SLOWLY, *arguments],
        cwd=cwd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


def wait_for(is_so: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    until = time.monotonic() + 90
    while not is_so():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.05)


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
