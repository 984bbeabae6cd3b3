import math
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import peft
import pytest
import torch
import trl

from rlaif.errors import InputError, StageError
from rlaif.training.common import (
    Watch,
    adapter,
    arguments,
    has_bfloat16,
    in_bfloat16,
    need_rows,
    quiet,
    soft_loss,
)
from rlaif.training.config import LoRA, SFTConfig


def test_an_option_that_trl_does_not_have_names_the_near_miss(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"extra.max_grad_nrm: .*did you mean 'max_grad_norm'"):
        arguments(trl.SFTConfig, SFTConfig(extra={"max_grad_nrm": 1}), tmp_path, 0)


def test_an_option_reaches_trl_unchanged(tmp_path: Path) -> None:
    with quiet():
        args = arguments(trl.SFTConfig, SFTConfig(extra={"max_grad_norm": 0.25}), tmp_path, 0)
    assert args.max_grad_norm == 0.25


def test_a_value_that_trl_refuses_is_one_line(tmp_path: Path) -> None:
    config = SFTConfig(extra={"lr_scheduler_type": "stairs"})
    with quiet(), pytest.raises(InputError, match="trl refuses") as caught:
        arguments(trl.SFTConfig, config, tmp_path, 0)
    assert "\n" not in str(caught.value)


def test_precision_follows_the_device_unless_it_is_told() -> None:
    assert in_bfloat16(SFTConfig()) == has_bfloat16()
    assert in_bfloat16(SFTConfig(precision="bfloat16"))
    assert not in_bfloat16(SFTConfig(precision="float32"))


@dataclass
class Given:
    """Gives back the options that a config of TRL's would be made of."""

    def __new__(cls, **options: Any) -> Any:
        return options


@pytest.mark.skipif(torch.accelerator.is_available(), reason="for a machine without accelerator")
def test_deepspeed_is_told_of_no_cpu_since_it_would_not_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def backend() -> tuple[str | None, bool]:
        told = arguments(Given, SFTConfig(), tmp_path, 0)
        return told["ddp_backend"], told["use_cpu"]

    monkeypatch.delenv("ACCELERATE_USE_CPU", raising=False)
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    assert backend() == (None, True)  # not launched as one of several
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert backend() == ("gloo", False)
    monkeypatch.setenv("ACCELERATE_USE_CPU", "1")
    with pytest.raises(InputError, match="ACCELERATE_USE_CPU: with it DeepSpeed is not used"):
        backend()


def test_weights_that_are_trained_are_float32(tmp_path: Path) -> None:
    with quiet():
        full = arguments(trl.SFTConfig, SFTConfig(lora=None, precision="bfloat16"), tmp_path, 0)
        lora = arguments(trl.SFTConfig, SFTConfig(precision="bfloat16"), tmp_path, 0)
    assert full.model_init_kwargs["dtype"] == "float32"
    assert lora.model_init_kwargs["dtype"] == "bfloat16"


def test_an_adapter_may_leave_lower_layers_alone(tiny_model: Path) -> None:
    from transformers import AutoModelForCausalLM  # noqa: PLC0415

    config = adapter(LoRA(layers_from=1), tiny_model, "CAUSAL_LM")
    model = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_model), config)
    trained = [name for name, weight in model.named_parameters() if weight.requires_grad]
    assert trained
    assert all(".layers.1." in name for name in trained)


def test_an_adapter_above_the_last_layer_is_refused(tiny_model: Path) -> None:
    with pytest.raises(InputError, match="has 2 layers"):
        adapter(LoRA(layers_from=2), tiny_model, "CAUSAL_LM")


def test_the_soft_loss_equals_hand_computed_values() -> None:
    loss = soft_loss(torch.tensor([2.0]), torch.tensor([0.75]), torch.tensor([1.0]))
    assert loss.item() == pytest.approx(
        0.75 * math.log1p(math.exp(-2)) + 0.25 * math.log1p(math.exp(2))
    )
    two = soft_loss(torch.tensor([2.0, 0.0]), torch.tensor([1.0, 0.5]), torch.tensor([0.5, 1.5]))
    assert two.item() == pytest.approx((0.5 * math.log1p(math.exp(-2)) + 1.5 * math.log(2)) / 2)


def test_a_tie_pulls_nowhere_at_a_margin_of_nought() -> None:
    margin = torch.zeros(1, requires_grad=True)
    soft_loss(margin, torch.tensor([0.5]), torch.ones(1)).backward()
    assert margin.grad is not None
    assert margin.grad.item() == 0.0


def test_the_soft_loss_is_least_where_the_margin_says_the_probability() -> None:
    margins = torch.linspace(-4, 4, 161)
    losses = [soft_loss(m[None], torch.tensor([0.8]), torch.ones(1)).item() for m in margins]
    best = margins[losses.index(min(losses))].item()
    assert torch.sigmoid(torch.tensor(best)).item() == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("name", ["loss", "grad_norm"])
def test_a_loss_that_is_no_number_stops_the_run(name: str) -> None:
    logs = {"loss": 1.0, "grad_norm": 1.0, name: math.nan}
    with pytest.raises(StageError, match=f"step 3: the {name} is nan"):
        Watch(None).on_log(None, SimpleNamespace(global_step=3, max_steps=9), None, logs=logs)


def test_progress_is_told_each_step_of_how_many() -> None:
    told: list[tuple[int, int, float]] = []
    watch = Watch(lambda step, total, metrics: told.append((step, total, metrics["loss"])))
    for step in (1, 2):
        state = SimpleNamespace(global_step=step, max_steps=2)
        watch.on_log(None, state, None, logs={"loss": float(step)})
    watch.on_log(None, state, None, logs={"train_runtime": 1.0})
    assert told == [(1, 2, 1.0), (2, 2, 2.0)]
    assert watch.first_and_last() == {"loss_first": 1.0, "loss_last": 2.0, "steps": 2.0}


def test_nothing_to_train_on_says_what_was_left_out() -> None:
    with pytest.raises(StageError, match=r"no pairs to train on \(left out: 4 too long\)"):
        need_rows(0, {"too long": 4, "empty": 0}, "pairs")
