"""A run's judges: one or several, with what they need, told before any of them is loaded."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rlaif.backends.spec import RecordedModel
from rlaif.errors import InputError, TemplateError
from rlaif.experiment.context import Context
from rlaif.experiment.outcomes import read_preferences
from rlaif.experiment.rewards import mixed_reward
from rlaif.experiment.runner import plan, run_stages
from rlaif.experiment.stages import STAGES, all_inputs
from rlaif.judges.panel import Panel
from rlaif.judges.reward import RatedReward, TournamentReward
from tests.small_run import opened

COMPARE = """---
purpose: ask which of two replies fits a principle better
inputs: [prompt, first, second, principle]
sampling: {temperature: 0, max_tokens: 1}
answer: {kind: options, options: [A, B], floor: 0.0}
---
[user]
{{ prompt | fenced("p") }} {{ first | fenced("a") }} {{ second | fenced("b") }} {{ principle }}
"""
WHEN = """---
purpose: ask whether a statement is true of a prompt
inputs: [prompt, when]
sampling: {temperature: 0, max_tokens: 1}
answer: {kind: options, options: ["Yes", "No"], floor: 0.0}
---
[user]
{{ prompt | fenced("p") }} {{ when }}
"""
Write = Callable[[Path], Path]


@pytest.fixture
def mine(write_experiment: Write, tmp_path: Path) -> Path:
    path = write_experiment(tmp_path)
    (tmp_path / "compare.j2").write_text(COMPARE, encoding="utf-8")
    (tmp_path / "when.j2").write_text(WHEN, encoding="utf-8")
    return path


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def templates(path: Path, tiny_judge: Path) -> str:
    return f"label.template=[{tiny_judge / 'absolute.j2'}, {path.with_name('compare.j2')}]"


@pytest.mark.slow
def test_a_panel_of_models_and_templates_labels_and_keeps_each_answer(
    mine: Path, tiny_model: Path, tiny_judge: Path
) -> None:
    panel = f"models.panel=[{{kind: local, model: {tiny_model}}}]"
    run = opened(mine, templates(mine, tiny_judge), panel, "sft=null", "revise=null",
                 "optimize=null", "reward=null", "evaluate=null")  # fmt: skip
    assert isinstance(run.judge(), Panel)
    assert len(run.judges("judge")) == 2
    list(run_stages(run, until="label"))
    made = read_preferences(run.folder / "label")
    assert made
    evidence = made[0].verdicts[0].evidence
    members = {name.rpartition("/")[0] for name in evidence if "/" in name}
    assert len(members) == 4
    assert evidence["answered"] == 4
    manifest = json.loads((run.folder / "label/manifest.json").read_text(encoding="utf-8"))
    assert manifest["models"]["judge"].count("@") == 2


def test_a_referee_of_its_own_judges_alone_and_without_one_the_panel_does(
    mine: Path, tiny_model: Path
) -> None:
    panel = f"models.panel=[{{kind: local, model: {tiny_model}}}]"
    run = opened(mine, panel)
    assert run.identity("referee") == run.identity("judge")
    alone = opened(mine, panel, f"models.referee={{kind: local, model: {tiny_model}}}")
    assert len(alone.judges("referee")) == 1


def test_a_changed_panel_does_the_labels_again(mine: Path, tiny_model: Path) -> None:
    before = all_inputs(opened(mine), STAGES["label"])
    panel = f"models.panel=[{{kind: local, model: {tiny_model}}}]"
    assert all_inputs(opened(mine, panel), STAGES["label"])["judge"] != before["judge"]


def test_another_way_of_asking_makes_what_the_judge_did_elsewhere_stale(mine: Path) -> None:
    for stage in ("revise", "evaluate"):
        both = all_inputs(opened(mine), STAGES[stage])
        one = all_inputs(opened(mine, "label.orders=one"), STAGES[stage])
        assert both["judging"] != one["judging"]


def test_a_calibration_that_a_model_names_is_used_and_told_in_its_identity(
    mine: Path, tiny_judge: Path, tmp_path: Path
) -> None:
    file = tmp_path / "mine.json"
    file.write_text('{"pair_temperature": 3.0}', encoding="utf-8")
    judge = f"models.judge={{kind: local, model: {tiny_judge}, calibration: {file}}}"
    calibrated = opened(mine, judge)
    assert " calibrated " in calibrated.identity("judge")
    assert calibrated.judge().contract != opened(mine).judge().contract
    file.unlink()
    with pytest.raises(InputError, match=r"mine.json: no such file"):
        opened(mine, judge)


def test_a_calibration_is_looked_for_beside_the_experiment_that_names_it(
    mine: Path, tiny_judge: Path
) -> None:
    mine.with_name("near.json").write_text('{"pair_temperature": 3.0}', encoding="utf-8")
    judge = f"models.judge={{kind: local, model: {tiny_judge}, calibration: near.json}}"
    assert " calibrated " in opened(mine, judge).identity("judge")


def test_recorded_answers_are_looked_for_beside_the_experiment_that_names_them(mine: Path) -> None:
    answer = {"prompt": "Hello?", "answer": "Yes"}
    mine.with_name("near.jsonl").write_text(json.dumps(answer) + "\n", encoding="utf-8")
    run = opened(mine, "models.referee={kind: recorded, path: near.jsonl}")
    referee = run.spec("referee")
    assert isinstance(referee, RecordedModel)
    assert referee.path == str(mine.with_name("near.jsonl"))


def test_a_judge_that_stands_twice_is_told_with_its_line(mine: Path, tiny_judge: Path) -> None:
    twice = f"models.panel=[{{kind: local, model: {tiny_judge}}}]"
    with pytest.raises(InputError, match="a judge stands twice; ask one more often with"):
        opened(mine, twice)


def test_a_greedy_template_that_is_to_be_repeated_is_told_before_anything_runs(mine: Path) -> None:
    with pytest.raises(TemplateError, match="absolute: asked at temperature 0, so 5 repeats"):
        opened(mine, "label.repeats=5")


def test_a_ranking_is_not_repeated(mine: Path) -> None:
    with pytest.raises(TemplateError, match="rank: a ranking is asked for in several orders"):
        opened(mine, "label.template=rank", "label.repeats=2")


@pytest.mark.slow
def test_a_when_is_answered_by_the_judges_model_and_its_file_is_part_of_the_stage(
    mine: Path,
) -> None:
    edit(mine.with_name("two.yaml"), "scope: [harmful]", "when: The user asks about the law.")
    how = f"label.when={mine.with_name('when.j2')}"
    run = opened(mine, how, "label.samples=0", "sft=null", "revise=null", "optimize=null",
                 "reward=null", "evaluate=null")  # fmt: skip
    list(run_stages(run, until="label"))
    before = all_inputs(run, STAGES["label"])["templates"]
    edit(mine.with_name("when.j2"), "{{ when }}", "True? {{ when }}")
    changed = opened(mine, how, "label.samples=0", "sft=null", "revise=null", "optimize=null",
                     "reward=null", "evaluate=null")  # fmt: skip
    assert all_inputs(changed, STAGES["label"])["templates"] != before
    assert {item.stage.name: item.why for item in plan(changed)}["label"] == "templates changed"


def test_a_prompt_file_that_cannot_ask_a_when_is_told_before_anything_runs(mine: Path) -> None:
    edit(mine.with_name("two.yaml"), "scope: [harmful]", "when: The user asks about the law.")
    with pytest.raises(TemplateError, match="compare: to ask a principle's `when`"):
        opened(mine, "label.when=compare")


RLOO = ("optimize.method=rloo", "optimize.samples=4", "optimize.batch=4", "optimize.reward=judge")


def _only(run: Context):
    """Give the one part of a run's reward."""
    assert run.experiment.optimize is not None
    [part] = mixed_reward(run, run.experiment.optimize).parts.values()
    return part.reward


def test_the_template_decides_how_the_judge_is_a_reward(mine: Path, tiny_judge: Path) -> None:
    rated = opened(mine, *RLOO)
    assert isinstance(_only(rated), RatedReward)
    compares = opened(mine, *RLOO, f"label.template={mine.with_name('compare.j2')}")
    reward = _only(compares)
    assert isinstance(reward, TournamentReward)
    prompts = compares.train[:1] * 3
    scores = reward(prompts, ["Yes.", "No thanks.", "Yes."])
    assert all(score is not None and -1 <= score <= 1 for score in scores)
    assert scores[0] == scores[2]
    assert sum(score or 0.0 for score in scores) == pytest.approx(0.0)
    both = opened(mine, *RLOO, templates(mine, tiny_judge))
    assert isinstance(_only(both), TournamentReward)


def test_another_template_makes_a_policy_that_the_judge_rewarded_stale(mine: Path) -> None:
    rated = all_inputs(opened(mine, *RLOO), STAGES["optimize"])
    compares = all_inputs(opened(mine, *RLOO, "label.template=compare"), STAGES["optimize"])
    assert rated["templates"] != compares["templates"]
