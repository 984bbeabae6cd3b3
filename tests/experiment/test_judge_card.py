"""The card holds what was measured, says what is short, and its calibration is the best fit."""

import json
from pathlib import Path

import numpy as np
import pytest

from rlaif.errors import InputError, StageError
from rlaif.evaluation.audit.calibration import Bin
from rlaif.evaluation.intervals import Interval, wilson
from rlaif.experiment.judge_card import (
    FULL,
    ExamConfig,
    changed,
    evaluate_judge,
    fitted,
    write_card,
)
from rlaif.experiment.judge_marks import PEOPLE, mark, mark_of_people
from rlaif.experiment.judge_page import Card, model_card
from rlaif.judges.absolute import Calibration
from rlaif.judges.build import calibration_in
from rlaif.training.judge import train_judge
from rlaif.training.judge_data import KINDS, prompts
from rlaif.training.judge_lessons import JudgeTraining
from rlaif.training.judge_mean import mean_adapter


def card() -> Card:
    short = mark("new wording: AUC", Interval(value=0.7, low=0.6, high=0.8), 900, polarity="does")
    fine = mark("minimal pairs ranked right", wilson(0.9, 100), 100)
    people = mark_of_people([1.0, 1.0, 0.0], {"the shorter reply": 0.59})
    assert people is not None
    return Card(
        marks=(short, fine, people),
        calibration=Calibration(bias=-0.25, temperature=1.5),
        reliability=(Bin(low=0.5, high=0.55, labels=9, said=0.52, right=wilson(0.5, 9)),),
        weakest={"thanks": 0.4},
        trivial={"the shorter reply": 0.59},
        stages={"the base alone": {"x: AUC": 0.5}, "all of the training": {"x: AUC": 0.9}},
        exam={"each": 10, "pairs": 200, "keep_calibration": True},
    )


def test_a_card_is_short_where_one_figure_is() -> None:
    assert card().is_short
    assert not card().model_copy(update={"marks": card().marks[1:]}).is_short
    assert card().questions == 1_003


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        ([{"rank": 24}, {"seed": 1}], "rank 24; then, going on from that, seed 1"),
        (
            [{"rank": 24}, {"mean": {"at-10%": 0.25, "at-100%": 0.75}}],
            "rank 24; then the mean of at-10% (25%) and at-100% (75%)",
        ),
        ([{"mean": {"at-10%": 1.0}}], "the mean of at-10% (100%)"),
        ([], "not known"),
    ],
)
def test_how_a_judge_came_to_be_is_told(runs: list[dict[str, object]], told: str) -> None:
    page = model_card(card(), training=runs, base="some/base")
    assert f"**Settings.** {told}\n" in page


def test_an_option_that_is_not_given_leaves_the_examination_as_it_was() -> None:
    assert changed(FULL, each=None, wordings=3) == FULL.model_copy(update={"wordings": 3})


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
    write_card(card(), tmp_path, base="org/base")
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert text.startswith("---\nbase_model: org/base\n")
    short = text.split("Short of its gate:")[1].split("Weakest")[0]
    assert short.strip() == "- new wording, does: AUC: 0.700, wanted ≥ 0.9"
    assert (
        "| minimal pairs ranked right | 0.900 | 0.826 to 0.945 | ≥ 0.85 | 0.95 | 100 | ok |" in text
    )
    assert f"| {PEOPLE} | 0.667 |" in text
    # 0.667 of three pairs is above the rule's 0.59, and its interval reaches far below it.
    assert "the shorter reply 0.590" in text
    assert "the interval holds it" in text
    assert "`rlaif embedded evaluate --each 10 --pairs 200 --keep-calibration` measured it" in text
    assert "| what | the base alone | all of the training |" in text
    assert "| x: AUC | 0.500 | 0.900 |" in text
    assert "| 0.50 to 0.55 | 0.52 | 0.50 (" in text
    assert "labels 100; then, going on from that, labels 50" in text
    kept = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert kept["marks"][0]["value"] == 0.7
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


@pytest.mark.slow
def test_a_random_model_is_no_judge(tiny_model: Path, replies: Path) -> None:
    told: list[tuple[int, int]] = []
    measured = evaluate_judge(
        tiny_model,
        None,
        replies,
        config=ExamConfig(
            replies=100,
            each=3,
            traits=90,
            pairs=10,
            comparisons=4,
            attacks=8,
            revisions=1,
            stages=0,
        ),
        advance=lambda done, total: told.append((done, total)),
    )
    areas = [m for m in measured.marks if m.name.endswith("AUC") and m.count > 20]
    assert areas
    wrong = [(m.name, m.value) for m in areas if not 0.2 < m.value < 0.8 or not m.is_short]
    assert wrong == []
    names = {m.name.split(",")[0].split(":")[0] for m in measured.marks}
    assert names >= {
        "known wording", "new wording", "trait never trained", "minimal pairs ranked right",
        "comparisons", "expected calibration error", "flips under a verdict in the reply",
        "revisions that make the principle hold", "worst trait",
    }  # fmt: skip
    assert PEOPLE not in names
    assert told[-1][0] == told[-1][1]
    assert measured.stages == {}


@pytest.mark.slow
def test_the_base_and_the_adapter_on_its_way_stand_beside_the_whole(
    tiny_model: Path, replies: Path, tmp_path: Path
) -> None:
    config = JudgeTraining(
        labels=100, people=0, exchanges=20, minimal_pairs=0, comparisons=2, ratings=0, rank=2,
        layers_from=0, learning_rate=1e-2,
    )  # fmt: skip
    lines = replies.read_text(encoding="utf-8").replace('"prompt": "', '"prompt": "Say: ')
    (tmp_path / "train.jsonl").write_text(lines, encoding="utf-8")
    adapter = train_judge(config, tiny_model, tmp_path / "train.jsonl", tmp_path / "adapter")
    exam = ExamConfig(
        replies=60, each=3, traits=10, pairs=4, comparisons=2, attacks=2, revisions=0, stages=150
    )
    stages = evaluate_judge(tiny_model, adapter, replies, config=exam).stages
    assert list(stages) == [
        "the base alone", "10% of the training", "30% of the training", "all of the training",
    ]  # fmt: skip
    assert {frozenset(figures) for figures in stages.values()} == {
        frozenset(stages["the base alone"])
    }
    assert stages["the base alone"] != stages["all of the training"]

    stages_of_mean = [tmp_path / "adapter.work" / "at-10%", adapter]
    mean = mean_adapter([(path, 1.0) for path in stages_of_mean], tmp_path / "mean")
    of_mean = evaluate_judge(tiny_model, mean, replies, config=exam).stages
    assert list(of_mean) == [
        "the base alone", "10% of the training", "100% of the training", "the mean of stages",
    ]  # fmt: skip
    assert of_mean["10% of the training"] == stages["10% of the training"]
    assert of_mean["100% of the training"] == stages["all of the training"]


@pytest.mark.slow
def test_a_judge_is_examined_with_its_own_calibration_where_that_is_asked_for(
    tiny_model: Path, replies: Path, tmp_path: Path
) -> None:
    config = JudgeTraining(
        labels=100, people=0, exchanges=20, minimal_pairs=0, comparisons=0, ratings=0, rank=2
    )
    lines = replies.read_text(encoding="utf-8").replace('"prompt": "', '"prompt": "Say: ')
    (tmp_path / "train.jsonl").write_text(lines, encoding="utf-8")
    adapter = train_judge(config, tiny_model, tmp_path / "train.jsonl", tmp_path / "adapter")
    exam = ExamConfig(
        replies=60, each=3, traits=10, pairs=0, comparisons=0, attacks=2, revisions=0, stages=0
    )
    keeping = exam.model_copy(update={"keep_calibration": True})
    # It has none yet.
    first = evaluate_judge(tiny_model, adapter, replies, config=keeping)
    assert (
        first.calibration == evaluate_judge(tiny_model, adapter, replies, config=exam).calibration
    )
    own = Calibration(bias=40.0, temperature=2.0)
    (adapter / "calibration.json").write_text(own.model_dump_json(), encoding="utf-8")
    kept = evaluate_judge(tiny_model, adapter, replies, config=keeping)
    assert kept.calibration == own
    assert kept.exam["keep_calibration"] is True
    # Nothing is above forty: all is denied.
    halves = [m.value for m in kept.marks if m.name.endswith("balanced accuracy")]
    assert halves
    assert set(halves) == {0.5}


def test_without_replies_to_examine_by_there_is_no_card(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.jsonl: cannot be read"):
        evaluate_judge(tiny_model, None, tmp_path / "none.jsonl")
    (tmp_path / "bad.jsonl").write_text('{"reply": 1}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"bad.jsonl:1: expected an object with kind, prompt"):
        evaluate_judge(tiny_model, None, tmp_path / "bad.jsonl")
    (tmp_path / "empty.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(StageError, match="no reply to a held-out prompt"):
        evaluate_judge(tiny_model, None, tmp_path / "empty.jsonl")
