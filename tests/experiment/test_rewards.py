from collections.abc import Callable
from pathlib import Path

import pytest

from rlaif.errors import InputError
from rlaif.experiment.requests import optimize_requests
from rlaif.experiment.rewards import mixed_reward, watched_by
from rlaif.experiment.stages import STAGES, all_inputs
from rlaif.training.optimize.mixed import Mixed
from tests.small_run import opened


@pytest.fixture
def mine(write_experiment: Callable[[Path], Path], tmp_path: Path) -> Path:
    return write_experiment(tmp_path)


GRPO = ("optimize.method=grpo", "optimize.steps=4", "optimize.batch=8", "optimize.samples=4")


def parts(text: str) -> tuple[str, ...]:
    return (*GRPO, f"optimize.rewards={text}")


def reward(run) -> Mixed:
    assert run.experiment.optimize is not None
    return mixed_reward(run, run.experiment.optimize)


def test_a_judge_by_one_principle_and_a_function_make_one_reward(mine: Path) -> None:
    run = opened(mine, *parts("[{judge: run}, {function: length, most: 2, weight: 3}]"))
    found = reward(run)
    assert list(found.parts) == ["judge", "length"]
    scored = found.score(run.train[:1] * 2, ["Yes.", "Yes it is, yes, oh yes."])
    assert scored.totals[1] == pytest.approx(scored.raw["judge"][1] + 3 * scored.raw["length"][1])


def test_each_judge_in_a_reward_is_counted(mine: Path) -> None:
    one = optimize_requests(opened(mine, *parts("[{judge: run}]")))
    name = opened(mine).constitution.principles[0].id
    two = optimize_requests(opened(mine, *parts(f"[{{judge: run}}, {{judge: {name}}}]")))
    assert (one, two) == (4 * 8 * 2, 4 * 8 * 3)


def test_rules_that_are_nowhere_are_told_before_anything_runs(mine: Path) -> None:
    with pytest.raises(InputError, match="no-such-rules"):
        opened(mine, *parts("[{judge: no-such-rules}]"))


def test_another_reward_model_makes_the_policy_stale(mine: Path, tmp_path: Path) -> None:
    (tmp_path / "rm").mkdir()
    (tmp_path / "rm" / "config.json").write_text("{}")
    text = parts(f"[{{model: {tmp_path / 'rm'}}}]")
    before = all_inputs(opened(mine, *text), STAGES["optimize"])
    (tmp_path / "rm" / "config.json").write_text('{"a": 1}')
    after = all_inputs(opened(mine, *text), STAGES["optimize"])
    assert before["model-rm"] != after["model-rm"]
    assert "constitution" not in after


def test_the_runs_own_reward_model_needs_its_section(mine: Path) -> None:
    lines = mine.read_text(encoding="utf-8").splitlines(keepends=True)
    mine.write_text(
        "".join(line for line in lines if not line.startswith("reward:")), encoding="utf-8"
    )
    with pytest.raises(InputError, match="needs the section `reward`"):
        opened(mine, *parts("[{judge: run}, {model: run}]"))


MONITOR = "optimize.monitor={every: 2, prompts: 3, stop: {judge_drop: 0.05}}"


def test_a_monitor_needs_a_judge_that_is_not_the_reward(mine: Path) -> None:
    with pytest.raises(InputError, match="needs a judge that is not the reward"):
        opened(mine, *parts("[{judge: run}]"), MONITOR)


def test_a_monitor_looks_with_the_referee_at_a_few_prompts(mine: Path, tiny_judge: Path) -> None:
    referee = f"models.referee={{kind: local, model: {tiny_judge}}}"
    run = opened(mine, *parts("[{judge: run}]"), MONITOR, referee)
    assert run.experiment.optimize is not None
    watched = watched_by(run, run.experiment.optimize, mine.with_name("samples.jsonl"))
    assert watched is not None
    assert watched.judge is not None
    assert len(watched.prompts) == 3
    liked = watched.judge(watched.prompts, ["Yes."] * 3, ["No."] * 3)
    assert all(score is not None and 0 <= score <= 1 for score in liked)
    # The start and 2 looks and the last, at 3 prompts, under two principles.
    without = optimize_requests(opened(mine, *parts("[{judge: run}]")))
    assert optimize_requests(run) - without == 4 * 3 * 2 * 2


def test_a_judge_that_compares_says_how_often_the_policy_beats_its_start(
    mine: Path, tiny_judge: Path
) -> None:
    referee = f"models.referee={{kind: local, model: {tiny_judge}}}"
    run = opened(mine, *parts("[{judge: run}]"), MONITOR, referee, "label.template=compare")
    assert run.experiment.optimize is not None
    watched = watched_by(run, run.experiment.optimize, mine.with_name("samples.jsonl"))
    assert watched is not None
    assert watched.judge is not None
    same = watched.judge(watched.prompts, ["Yes."] * 3, ["Yes."] * 3)
    assert same == [0.5] * 3
