import itertools
import math

import pytest

from rlaif.evaluation.figures import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, curves, frontier
from rlaif.evaluation.intervals import Interval
from rlaif.evaluation.results import Cell, Row
from tests.evaluation import run_folder


def test_helping_goes_right_and_declining_goes_up() -> None:
    spots = {spot.policy: spot for spot in frontier(run_folder.evaluation())}
    assert list(spots) == ["base", "after sft", "after dpo"]
    assert spots["after dpo"].y < spots["base"].y
    # The tuned policy answers some with markup, which is broken text and no help.
    assert spots["after dpo"].helps.value < spots["base"].helps.value
    assert spots["after dpo"].x < spots["base"].x
    assert all(spot.x_low <= spot.x <= spot.x_high for spot in spots.values())
    assert all(spot.y_high <= spot.y <= spot.y_low for spot in spots.values())


def test_the_corners_of_the_picture_are_nothing_and_everything() -> None:
    evaluation = run_folder.evaluation()

    def all_at(row: Row, value: float) -> Row:
        figure = Interval(value=value, low=value, high=value)
        cell = Cell(policy="base", figure=figure, replies=1, prompts=1)
        return row.model_copy(update={"cells": (cell,)})

    for value, corner in ((0.0, (LEFT, HEIGHT - BOTTOM)), (1.0, (WIDTH - RIGHT, TOP))):
        rows = tuple(all_at(row, value) for row in evaluation.rows)
        (spot,) = frontier(evaluation.model_copy(update={"rows": rows}))
        assert (spot.x, spot.y) == corner


def test_labels_of_policies_at_one_place_do_not_lie_on_each_other() -> None:
    labels = sorted(spot.label_y for spot in frontier(run_folder.evaluation()))
    assert all(below - above >= 17 for above, below in itertools.pairwise(labels))


def test_without_harmful_prompts_there_is_no_picture() -> None:
    evaluation = run_folder.evaluation()
    rows = tuple(row for row in evaluation.rows if row.name != "refuses harmful")
    assert frontier(evaluation.model_copy(update={"rows": rows})) == []


def test_a_curve_fills_its_box_and_the_loss_comes_first() -> None:
    points = [{"step": s, "total": 3, "kl": k, "loss": 2 - s} for s, k in ((1, 0.5), (2, 0.1))]
    loss, kl = curves(points, width=100, height=50)
    assert (loss.name, kl.name) == ("loss", "kl")
    assert [(x, y) for x, y, _ in loss.points] == [(0, 0), (100, 50)]
    assert (loss.first, loss.last, loss.low, loss.high) == (1, 0, 0, 1)
    assert loss.path == "0.0,0.0 100.0,50.0"


def test_steps_that_lack_a_metric_or_are_not_finite_are_left_out_of_its_line() -> None:
    points: list[dict[str, float]] = [
        {"step": 1, "loss": 1.0},
        {"step": 2},
        {"step": 3, "loss": math.nan},
        {"step": 4, "loss": 1.0},
    ]
    assert curves(points[:3], width=100, height=50) == []
    (line,) = curves(points, width=100, height=50)
    assert [x for x, _, _ in line.points] == pytest.approx([0, 100])
    assert {y for _, y, _ in line.points} == {25}


def test_what_another_judge_thought_is_drawn_by_what_the_reward_had_come_to() -> None:
    points: list[dict[str, float]] = [
        {"step": 0, "judge": 0.5},
        {"step": 1, "loss": 1.0, "reward": 0.0},
        {"step": 2, "loss": 1.0, "reward": 2.0},
        {"step": 2, "judge": 0.8},
        {"step": 3, "loss": 1.0, "reward": 4.0},
        {"step": 3, "judge": 0.3},
        {"step": 4, "loss": 1.0, "reward": 5.0},
        {"step": 4, "judge": 0.55},
    ]
    line = next(each for each in curves(points, width=100, height=50) if "by reward" in each.name)
    # The rewards were 1, 4 and 5 in the mean; the start had none.
    assert [x for x, _, _ in line.points] == pytest.approx([0, 75, 100])
    assert [y for _, y, _ in line.points] == pytest.approx([0, 50, 25])
    assert line.points[1][2] == "step 3: reward 4, judge 0.3"
    assert (line.first, line.last, line.steps) == (0.8, 0.55, (2, 4))
    assert [each.name for each in curves(points, width=100, height=50)][:2] == ["loss", line.name]


def test_figures_that_hide_the_others_are_not_drawn() -> None:
    points = [{"step": s, "loss": 1.0, "rewards/reward/std": 1.0 * s} for s in (1, 2)]
    assert [line.name for line in curves(points, width=100, height=50)] == ["loss"]
