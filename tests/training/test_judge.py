"""Training a judge on a tiny model: what is written, going on after a stop, and what is refused."""

import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from rlaif.errors import StageError
from rlaif.training import judge
from rlaif.training.judge import (
    SETTINGS,
    SNAPSHOTS,
    learned_more_phrases,
    snapshot,
    train_judge,
)
from rlaif.training.judge_batches import Batch
from rlaif.training.judge_lessons import JudgeTraining, training_documents

SMALL = JudgeTraining(
    labels=200,
    people=0,
    exchanges=24,
    minimal_pairs=4,
    comparisons=4,
    ratings=2,
    rank=2,
    layers_from=0,
    batch=8,
    save_every=1e-9,
)
SAID = (
    "Eight minutes, then cold water.", "What would you like to know?", "Sure! Use warm hands.",
    "1. Stir.\n2. Wait.", "I can't help with that.", "It is a great question.", "the the the the",
)  # fmt: skip


@pytest.fixture(scope="module")
def replies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replies") / "replies.jsonl"
    rows = [
        {"kind": kind, "prompt": f"{kind} question {number}?", "reply": SAID[number % len(SAID)]}
        for kind in ("unsafe", "scary", "ordinary")
        for number in range(14)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(tiny_model: Path, replies: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_judge(SMALL, tiny_model, replies, tmp_path_factory.mktemp("run") / "adapter")


def weights(adapter: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = load_file(adapter / "adapter_model.safetensors")
    return found


def curve(adapter: Path) -> list[dict[str, float]]:
    path = adapter.with_name(f"{adapter.name}.work") / "curve.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def stopping_at(stop: int) -> Callable[[object, int, Batch], tuple[float, int, int]]:
    real = judge._Loop._step

    def step(loop: object, number: int, batch: Batch) -> tuple[float, int, int]:
        if number == stop:
            raise KeyboardInterrupt
        return real(loop, number, batch)  # type: ignore[arg-type]

    return step


def test_an_adapter_is_written_that_peft_loads_and_that_changes_the_answers(
    trained: Path, tiny_model: Path
) -> None:
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    ids = torch.arange(12)[None]
    with torch.no_grad():
        before = base(input_ids=ids).logits
        after = PeftModel.from_pretrained(base, trained)(input_ids=ids).logits
    assert float((before - after).abs().max()) > 1e-4
    assert any(bool(w.any()) for name, w in weights(trained).items() if "lora_B" in name)


def test_every_step_is_on_the_curve(trained: Path, replies: Path) -> None:
    lines = curve(trained)
    rows = len(training_documents(SMALL, replies, None))
    assert [line["step"] for line in lines] == list(range(-(-rows // SMALL.batch)))
    assert all(line["loss"] > 0 and 0 <= line["accuracy"] <= 1 for line in lines)


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_to_the_weights_of_one_that_was_not(
    trained: Path,
    tiny_model: Path,
    replies: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "adapter"
    with monkeypatch.context() as patched:
        patched.setattr(judge._Loop, "_step", stopping_at(2))
        with pytest.raises(KeyboardInterrupt):
            train_judge(SMALL, tiny_model, replies, out)
    said: list[str] = []
    train_judge(SMALL, tiny_model, replies, out, say=said.append)
    assert "going on at step 2" in said
    assert [line["step"] for line in curve(out)] == [line["step"] for line in curve(trained)]
    wanted, had = weights(trained), weights(out)
    assert wanted.keys() == had.keys()
    for name, weight in wanted.items():
        torch.testing.assert_close(had[name], weight, atol=0, rtol=0)


def test_a_finished_run_trains_no_more(
    trained: Path,
    tiny_model: Path,
    replies: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "adapter"
    shutil.copytree(trained, out)
    shutil.copytree(trained.with_name("adapter.work"), tmp_path / "adapter.work")
    monkeypatch.setattr(judge._Loop, "_step", stopping_at(0))
    train_judge(SMALL, tiny_model, replies, out)
    assert weights(out).keys() == weights(trained).keys()


@pytest.mark.slow
def test_another_configurations_checkpoint_is_left_aside(
    trained: Path, tiny_model: Path, replies: Path, tmp_path: Path
) -> None:
    out = tmp_path / "adapter"
    shutil.copytree(trained.with_name("adapter.work"), tmp_path / "adapter.work")
    said: list[str] = []
    other = SMALL.model_copy(update={"learning_rate": 1e-3})
    train_judge(other, tiny_model, replies, out, say=said.append)
    assert any("left aside; starting anew" in line for line in said)
    fresh = train_judge(other, tiny_model, replies, tmp_path / "fresh")
    for name, weight in weights(fresh).items():
        torch.testing.assert_close(weights(out)[name], weight, atol=0, rtol=0)


def test_a_loss_that_is_no_number_stops_the_run(
    tiny_model: Path, replies: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    with torch.no_grad():
        model.model.norm.weight.fill_(float("nan"))
    model.save_pretrained(broken)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        if (tiny_model / name).is_file():
            shutil.copy(tiny_model / name, broken / name)
    with pytest.raises(StageError, match="the loss is nan at step 0; lower the learning rate"):
        train_judge(SMALL, broken, replies, tmp_path / "adapter")
    assert not (tmp_path / "adapter").exists()


def test_the_documents_are_the_same_for_the_same_seed_and_others_for_another(
    replies: Path,
) -> None:
    made = training_documents(SMALL, replies, None)
    assert training_documents(SMALL, replies, None) == made
    assert training_documents(SMALL.model_copy(update={"seed": 1}), replies, None) != made


def test_the_adapter_is_kept_as_it_was_after_a_tenth_and_three_tenths(trained: Path) -> None:
    work = trained.with_name("adapter.work")
    kept = [load_file(work / snapshot(share) / "adapter_model.safetensors") for share in SNAPSHOTS]
    kept.append(weights(trained))
    for before, after in itertools.pairwise(kept):
        assert before.keys() == after.keys()
        assert any(not torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize(
    ("runs", "learned"),
    [
        ([{"labels": 9}], False),
        ([{"more_phrases": False}, {"more_phrases": True}], True),
        ([{"more_phrases": True}, {"mean": {"at-10%": 0.5, "at-100%": 0.5}}], True),
        ([], False),
    ],
)
def test_which_phrases_a_judge_knows_is_told_by_its_settings(
    tmp_path: Path, runs: list[dict[str, object]], *, learned: bool
) -> None:
    (tmp_path / SETTINGS).write_text(json.dumps(runs), encoding="utf-8")
    assert learned_more_phrases(tmp_path) is learned
    assert not learned_more_phrases(None)
