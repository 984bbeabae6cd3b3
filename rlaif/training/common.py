"""What the trainers share: a model with or without LoRA, TRL's arguments, a folder at the end."""

import dataclasses
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TrainerCallback,
)

from rlaif.errors import InputError, MissingModelError, StageError
from rlaif.resources import did_you_mean
from rlaif.storage import storing
from rlaif.training.config import LoRA, TrainingConfig

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

Progress = Callable[[int, int, dict[str, float]], None]
"""Is told of each step: its number, how many there are, and its metrics."""


class Trained(NamedTuple):
    """What came of a training."""

    path: Path
    """A Hugging Face folder."""
    metrics: dict[str, float]
    rows: int
    """Rows that were trained on."""
    left_out: dict[str, int]
    """Rows that were not, by reason."""


def load_tokenizer(model: Path | str) -> PreTrainedTokenizerBase:
    """Load a model's tokenizer, with a padding token.

    Raises:
        MissingModelError: when it is not there.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(model)
    except (OSError, ValueError) as error:
        raise MissingModelError(_cannot_load(model, error)) from None
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_for_training(
    model: Path | str, lora: LoRA | None, kind: Any = AutoModelForCausalLM, **options: Any
) -> PreTrainedModel | PeftModel:
    """Load a model to be trained: frozen half precision under LoRA, else float32 weights.

    Raises:
        MissingModelError: when it is not there, or its folder is incomplete.
    """
    dtype = half_precision() if lora else torch.float32
    try:
        loaded = kind.from_pretrained(model, dtype=dtype, **options)
    except (OSError, ValueError) as error:
        raise MissingModelError(_cannot_load(model, error)) from None
    if lora is None:
        return loaded
    is_scoring = hasattr(loaded, "score")
    adapted: PeftModel = get_peft_model(
        loaded,
        LoraConfig(
            r=lora.rank,
            lora_alpha=lora.alpha,
            lora_dropout=lora.dropout,
            target_modules="all-linear",
            task_type="SEQ_CLS" if is_scoring else "CAUSAL_LM",
            modules_to_save=["score"] if is_scoring else None,
        ),
    )
    return adapted


def _cannot_load(model: Path | str, error: Exception) -> str:
    return f"{model}: no model could be loaded: {str(error).splitlines()[0][:200]}"


def half_precision() -> torch.dtype:
    """Choose bfloat16 where this machine computes in it."""
    if torch.cuda.is_available():
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    return torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() else torch.float32


def trl_arguments(
    kind: type, config: TrainingConfig, work: Path, seed: int, **own: Any
) -> dict[str, Any]:
    """Give the arguments of one of TRL's configs: ours, then the trainer's own, then `extra`.

    Raises:
        InputError: for an option in `extra` that TRL does not know; names the nearest.
    """
    known = [field.name for field in dataclasses.fields(kind)]
    for name in config.extra:
        if name not in known:
            near = did_you_mean(name, known) if len(known) < 10 else _nearest(name, known)
            raise InputError(f"extra.{name}: {kind.__name__} has no such option{near}")
    on_gpu = torch.cuda.is_available()
    ours = {
        "output_dir": str(work),
        "seed": seed,
        "num_train_epochs": config.epochs,
        "learning_rate": config.learning_rate,
        "per_device_train_batch_size": config.batch,
        "gradient_accumulation_steps": config.accumulate,
        "lr_scheduler_type": "linear",
        "warmup_ratio": 0.1,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": not on_gpu,
        "bf16": half_precision() is torch.bfloat16,
        "gradient_checkpointing": on_gpu,
        "dataloader_pin_memory": on_gpu,
    }
    kept = {name: value for name, value in {**ours, **own}.items() if name in known}
    return {**kept, **config.extra}


def _nearest(name: str, known: list[str]) -> str:
    near = did_you_mean(name, known)
    return near if near.startswith("; did you mean") else ""


class Watch(TrainerCallback):  # type: ignore[misc]
    """Tells each step's metrics on, keeps the losses, and stops where the loss is no number."""

    def __init__(self, progress: Progress | None) -> None:
        """Tell `progress`, if there is one."""
        self.losses: list[float] = []
        self.last: dict[str, float] = {}
        self._progress = progress

    def on_log(self, args: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ARG002
        """Take what the trainer logs.

        Raises:
            StageError: for a loss that is no number.
        """
        logs: Mapping[str, Any] = more.get("logs") or {}
        numbers = {k: float(v) for k, v in logs.items() if isinstance(v, int | float)}
        if "loss" not in numbers:
            return
        if not math.isfinite(numbers["loss"]):
            raise StageError(
                f"the loss is {numbers['loss']} at step {state.global_step}; "
                "lower the learning rate; nothing was kept of this stage"
            )
        self.losses.append(numbers["loss"])
        self.last = numbers
        if self._progress:
            self._progress(state.global_step, state.max_steps, numbers)

    def metrics(self) -> dict[str, float]:
        """Give the loss over the first and the last tenth of the steps."""
        if not self.losses:
            return {}
        tenth = max(len(self.losses) // 10, 1)
        first, last = self.losses[:tenth], self.losses[-tenth:]
        return {
            "loss_first": sum(first) / len(first),
            "loss_last": sum(last) / len(last),
            "steps": float(len(self.losses)),
        }


def save_whole(model: Any, tokenizer: PreTrainedTokenizerBase, out: Path) -> Path:
    """Write a Hugging Face folder whole, or not at all; LoRA is merged into the weights."""
    if isinstance(model, PeftModel):
        model = model.merge_and_unload()
    with storing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
        try:
            model.to(half_precision()).save_pretrained(fresh)
            tokenizer.save_pretrained(fresh)
            fresh.chmod(0o755)
            shutil.rmtree(out, ignore_errors=True)
            fresh.replace(out)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
    return out
