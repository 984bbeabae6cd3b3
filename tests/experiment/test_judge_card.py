"""The card holds what was measured, says what is short, and its calibration is the best fit."""

import json
from pathlib import Path

import numpy as np
import pytest

from rlaif.errors import InputError, StageError
from rlaif.evaluation.intervals import wilson
from rlaif.experiment.judge_card import (
    GATES,
    Card,
    ExamConfig,
    Figure,
    evaluate_judge,
    fitted,
    write_card,
)
from rlaif.judges.absolute import Calibration
from rlaif.judges.build import calibration_in
from rlaif.training.judge_data import KINDS, prompts


def figure(auc: float, balanced: float) -> Figure:
    return Figure(
        part="new wording", polarity="does not", auc=auc, balanced_accuracy=balanced,
        traits=59, questions=900,
    )  # fmt: skip


def card(*figures: Figure) -> Card:
    return Card(
        figures=figures,
        calibration=Calibration(bias=-0.25, temperature=1.5),
        weakest={"thanks": 0.4},
        people=wilson(0.54, 346),
        pairs=346,
    )


def test_a_figure_below_its_gate_is_short() -> None:
    assert GATES["new wording"] == (0.78, 0.70)
    area, balanced = card(figure(0.777, 0.70)).gates()
    assert (area.name, area.value, area.wanted) == ("new wording, does not: AUC", 0.78, 0.78)
    assert not area.is_short
    assert not balanced.is_short
    assert [gate.is_short for gate in card(figure(0.77, 0.69)).gates()] == [True, True]


def test_calibration_finds_the_bias_and_the_temperature_that_made_the_answers() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(0.5, 3.0, 20_000)
    truths = rng.random(20_000) < 1 / (1 + np.exp(-(odds - 0.8) / 2.5))
    found = fitted(odds, truths)
    assert found.bias == pytest.approx(0.8, abs=0.1)
    assert found.temperature == pytest.approx(2.5, abs=0.1)


def test_a_judge_that_is_worse_than_chance_is_not_turned_round() -> None:
    odds = np.array([2.0, 1.0, -1.0, -2.0] * 10)
    truths = np.array([False, False, True, True] * 10)
    assert fitted(odds, truths).temperature > 100


def test_a_calibration_needs_both_answers() -> None:
    with pytest.raises(StageError, match="needs true and false statements both"):
        fitted(np.array([1.0, 2.0]), np.array([True, True]))


def test_the_card_says_what_is_short_and_where_the_base_is_from(tmp_path: Path) -> None:
    (tmp_path / "training.json").write_text('[{"labels": 100}, {"labels": 50}]', encoding="utf-8")
    write_card(card(figure(0.70, 0.72)), tmp_path, base="org/base")
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert text.startswith("---\nbase_model: org/base\n")
    assert "- new wording, does not: AUC 0.70, wanted 0.78" in text
    assert "balanced accuracy 0.72, wanted" not in text
    assert "labels 100; then, going on from that, labels 50" in text
    kept = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert kept["figures"][0]["auc"] == 0.70
    assert calibration_in(tmp_path) == Calibration(bias=-0.25, temperature=1.5)


@pytest.fixture
def replies(tmp_path: Path) -> Path:
    texts = ["I'm sorry, I can't help.", "What do you mean?", "- one\n- two", "Perhaps so!", "No."]
    rows = [
        {"kind": kind, "prompt": prompt, "system": "", "reply": text}
        for kind in KINDS
        for number, prompt in enumerate(prompts(kind, kept=True)[:20])
        for text in (texts[number % 5], texts[(number + 1) % 5])
    ]
    path = tmp_path / "replies.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_random_model_is_no_judge(tiny_model: Path, replies: Path) -> None:
    told: list[tuple[int, int]] = []
    measured = evaluate_judge(
        tiny_model,
        None,
        replies,
        config=ExamConfig(replies=120, each=4),
        advance=lambda done, total: told.append((done, total)),
    )
    assert any(gate.is_short for gate in measured.gates())
    assert all(0.3 < f.auc < 0.7 for f in measured.figures if f.questions > 200)
    assert {f.part for f in measured.figures} >= {"known wording", "new wording"}
    assert told[-1][0] == told[-1][1]
    assert measured.people is None


def test_without_replies_to_examine_by_there_is_no_card(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.jsonl: cannot be read"):
        evaluate_judge(tiny_model, None, tmp_path / "none.jsonl")
    (tmp_path / "bad.jsonl").write_text('{"reply": 1}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"bad.jsonl:1: expected an object with kind, prompt"):
        evaluate_judge(tiny_model, None, tmp_path / "bad.jsonl")
    (tmp_path / "empty.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(StageError, match="no reply to a held-out prompt"):
        evaluate_judge(tiny_model, None, tmp_path / "empty.jsonl")
