"""The point of it all: a principle moves a real model, and its opposite moves it the other way."""

import json
from pathlib import Path

import pytest

from rlaif.embedded.traits import TRAITS
from rlaif.evaluation.intervals import Interval
from rlaif.evaluation.results import Evaluation
from rlaif.experiment.runner import run_stages
from rlaif.resources import shipped
from tests.small_run import opened

pytestmark = pytest.mark.slow
TRAIT = "addresses-user"
SAYS = "The response addresses the user as you."
SAYS_THE_OPPOSITE = "The response does not address the user as you."
# Of pairs that differ in this trait and that the judge puts at 0.6, it has over 95 in 100 right:
# it is surer than it says, which is what `rlaif judge calibrate` finds.
CALIBRATION = {"bias": -0.031, "temperature": 1.0183, "pair_temperature": 0.25}
EXPERIMENT = """name: %(name)s
constitution: %(name)s-rule.yaml
models:
  policy: embedded
  judge: {kind: local, model: embedded, adapter: embedded-judge, calibration: %(sure)s}
prompts: {path: prompts.jsonl, limit: 32}
respond: {samples: 4, max_tokens: 24}
label: {principles: all, min_confidence: 0.8}
optimize: {method: dpo, steps: 20, batch: 4, learning_rate: 5e-4}
evaluate:
  suites: [helpful]
  samples: 2
  max_tokens: 24
  win_rate: false
  measures: {it: {trait: addresses-user, want: same}}
"""


def moved(folder: Path, name: str, rule: str) -> Interval:
    """Train by one rule; give how far the trait, counted by code, is from the base's."""
    text = f"name: {name}\nprinciples:\n  it: {rule}\n"
    (folder / f"{name}-rule.yaml").write_text(text, encoding="utf-8")
    (folder / f"{name}.yaml").write_text(
        EXPERIMENT % {"name": name, "sure": folder / "sure.json"}, encoding="utf-8"
    )
    run = opened(folder / f"{name}.yaml")
    assert all(done for _, done in run_stages(run))
    evaluation = Evaluation.model_validate_json(
        (run.folder / "evaluate/evaluation.json").read_bytes()
    )
    cell = evaluation.row("it").cell("after dpo")
    assert cell
    assert cell.moved
    return cell.moved


def test_a_principle_and_its_opposite_move_the_trait_both_ways(tmp_path: Path) -> None:
    assert TRAIT in TRAITS
    source = (shipped("experiments") / "prompts/embedded.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in source.splitlines()]
    asked = [row for row in rows if row["tags"] == ["ordinary"]]
    text = "".join(json.dumps(row) + "\n" for row in asked)
    (tmp_path / "prompts.jsonl").write_text(text, encoding="utf-8")
    (tmp_path / "sure.json").write_text(json.dumps(CALIBRATION), encoding="utf-8")
    up = moved(tmp_path, "says", SAYS)
    down = moved(tmp_path, "opposite", SAYS_THE_OPPOSITE)
    assert up.value > 0.05
    # Few have the trait to begin with, so that there is less to lose than to gain.
    assert down.value < 0
    assert up.low > down.high
