import os
import signal
from pathlib import Path

import pytest

from rlaif.errors import StageError
from rlaif.records import Prompt
from rlaif.training.config import LoRA, OptimizeConfig, SFTConfig
from rlaif.training.optimize import optimize_policy
from rlaif.training.session import digest_of, working
from rlaif.training.sft import train_sft

ROWS = [(Prompt.of(f"question {number}"), "Yes!") for number in range(12)]
SFT = SFTConfig(learning_rate=1e-2, batch=2, lora=LoRA(r=4, dropout=0.1))


def weights(folder) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def interrupting(at: int, number: int = signal.SIGINT):
    def progress(step: int, *_) -> None:
        if step == at:
            os.kill(os.getpid(), number)

    return progress


def test_sft_that_was_interrupted_goes_on_and_ends_as_if_it_never_had_been(
    tiny_model, tmp_path
) -> None:
    whole = train_sft(ROWS, SFT, tiny_model, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train_sft(ROWS, SFT, tiny_model, tmp_path / "cut", progress=interrupting(3))
    assert not (tmp_path / "cut").exists()
    seen: list[int] = []
    cut = train_sft(
        ROWS, SFT, tiny_model, tmp_path / "cut", progress=lambda step, *_: seen.append(step)
    )
    # The curve of the steps before is told again; only those after are trained.
    assert seen == [1, 2, 3, 4, 5, 6]
    assert weights(cut.path) == weights(whole.path)
    assert cut.metrics["loss_first"] == whole.metrics["loss_first"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut", "whole"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "number"),
    [("dpo", signal.SIGTERM), ("ipo", signal.SIGINT), ("kto", signal.SIGINT)],
    ids=["dpo", "ipo", "kto"],
)
def test_what_learns_from_labels_and_was_stopped_politely_goes_on(
    tiny_model, preferences, tmp_path, unanswered, method, number
) -> None:
    del unanswered
    # KTO's own order, and the answers that it holds against each other, are made anew.
    config = OptimizeConfig(method=method, learning_rate=1e-2, lora=None, batch=6)

    def trained(name: str, stop: int = 0):
        progress = interrupting(stop, number)
        return optimize_policy(
            config, tiny_model, tmp_path / name, preferences=preferences, progress=progress
        )

    whole = trained("whole")
    with pytest.raises(KeyboardInterrupt):
        trained("cut", stop=2)
    cut = trained("cut")
    assert weights(cut.path) == weights(whole.path)
    assert cut.metrics["loss_first"] == whole.metrics["loss_first"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut", "whole"]


@pytest.mark.slow
def test_an_interrupt_in_the_last_update_loses_nothing(tiny_model, tmp_path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train_sft(ROWS, SFT, tiny_model, tmp_path / "cut", progress=interrupting(6))
    cut = train_sft(ROWS, SFT, tiny_model, tmp_path / "cut")
    whole = train_sft(ROWS, SFT, tiny_model, tmp_path / "whole")
    assert weights(cut.path) == weights(whole.path)


def test_a_loss_that_is_no_number_leaves_the_last_good_model(tiny_model, tmp_path) -> None:
    def spoil(step: int, _: int, __: dict[str, float]) -> None:
        if step == 3:
            raise StageError("step 4: the loss is nan")

    config = SFT.model_copy(update={"checkpoint": 2})
    with pytest.raises(StageError, match=r"is nan; the model as it was after step 2 is in") as told:
        train_sft(ROWS, config, tiny_model, tmp_path / "out", progress=spoil)
    assert "\n" not in str(told.value)
    two = train_sft(
        ROWS,
        SFT.model_copy(update={"steps": 2, "schedule": "constant"}),
        tiny_model,
        tmp_path / "b",
    )
    kept = tmp_path / "out-step-2"
    assert (kept / "config.json").is_file()
    assert len(weights(kept)) == len(weights(two.path))
    assert not (tmp_path / "out").exists()


def test_a_failure_before_the_first_checkpoint_leaves_nothing(tiny_model, tmp_path) -> None:
    config = SFT.model_copy(update={"learning_rate": 1e30, "lora": None})
    with pytest.raises(StageError, match="lower learning_rate"):
        train_sft(ROWS, config, tiny_model, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_other_rows_are_another_run() -> None:
    assert digest_of([{"a": [1, 2]}]) != digest_of([{"a": [1, 3]}])
    assert digest_of([{"a": 1, "b": 2}]) == digest_of([{"b": 2, "a": 1}])


def test_tensorboards_files_stand_beside_the_model_and_stay_when_the_run_is_done(
    tiny_model, tmp_path, monkeypatch
) -> None:
    name = "TENSORBOARD_LOGGING_DIR"
    monkeypatch.delenv(name, raising=False)
    with working(tmp_path / "mine", SFT, tiny_model, 0, 1) as work:
        beside = Path(os.environ[name])
        beside.mkdir()
    assert name not in os.environ
    assert (beside, beside.is_dir(), work.exists()) == (tmp_path / "mine.tensorboard", True, False)
    monkeypatch.setenv(name, "elsewhere")
    with working(tmp_path / "mine", SFT, tiny_model, 0, 1):
        assert os.environ[name] == "elsewhere"
    assert os.environ[name] == "elsewhere"
