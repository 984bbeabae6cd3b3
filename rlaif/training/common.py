"""What the trainers share: the device, TRL's arguments, the adapter, and the watch over a run."""

import contextlib
import dataclasses
import logging
import math
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import peft
import torch
import torch.nn.functional as F  # noqa: N812
import transformers
from transformers import PrinterCallback, TrainerCallback

from rlaif.errors import InputError, StageError
from rlaif.ranks import is_first
from rlaif.resources import did_you_mean
from rlaif.training.config import LoRA, Progress, TrainingConfig
from rlaif.training.folder import checked
from rlaif.training.quantised import quantisation, train_in_full
from rlaif.training.team import LONG, deepspeed_on_cpu, join

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def on_cpu() -> bool:
    """Say whether there is no accelerator to train on."""
    return not torch.accelerator.is_available()


def has_bfloat16() -> bool:
    """Say whether this machine computes in bfloat16, rather than imitating it slowly."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return bool(not on_cpu() or torch.cpu._is_avx512_bf16_supported())


def half_where_fast() -> torch.dtype:
    """Give bfloat16 where this machine computes in it, else float32."""
    return torch.bfloat16 if has_bfloat16() else torch.float32


def in_bfloat16(config: TrainingConfig) -> bool:
    """Choose the arithmetic: as configured, or what suits the device."""
    return config.precision == "bfloat16" or (config.precision == "auto" and has_bfloat16())


def arguments(kind: Any, config: TrainingConfig, folder: Path, seed: int, **more: Any) -> Any:
    """Make TRL's own config of this kind.

    Raises:
        InputError: for an option in `extra` that TRL does not have, or a value it refuses.
    """
    known = [field.name for field in dataclasses.fields(kind)]
    for name in config.extra:
        if name not in known:
            near = did_you_mean(name, known)
            # All of TRL's two hundred options would be no help.
            near = near if near.startswith("; did") else "; see the documentation of TRL"
            raise InputError(f"extra.{name}: {kind.__name__} of trl has no such option{near}")
    join()
    cpu, half = on_cpu(), in_bfloat16(config)
    # Frozen weights below an adapter can be bfloat16; weights that are trained must be float32,
    # since bfloat16 loses small updates.
    dtype = "bfloat16" if half and config.lora else "float32"
    options = {
        "output_dir": str(folder),
        "seed": seed,
        "use_cpu": cpu and not deepspeed_on_cpu(),
        "ddp_backend": "gloo" if deepspeed_on_cpu() else None,
        "bf16": half,
        "ddp_timeout": int(LONG.total_seconds()),
        "gradient_checkpointing": _recomputes(config, cpu=cpu),
        "dataloader_pin_memory": not cpu,
        "num_train_epochs": config.epochs,
        "max_steps": config.steps or -1,
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": config.schedule,
        "warmup_steps": config.warmup,
        "per_device_train_batch_size": config.batch,
        "gradient_accumulation_steps": config.gradient_accumulation,
        "logging_steps": 1,
        # Otherwise a loss that is no number is replaced in the log, and nobody sees it.
        "logging_nan_inf_filter": False,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "model_init_kwargs": {"dtype": dtype, **quantisation(config.lora, dtype)},
    }
    try:
        return kind(**{**options, **more, **config.extra})
    except (TypeError, ValueError) as error:
        raise InputError(f"extra: trl refuses the options: {str(error).splitlines()[0]}") from None


def _recomputes(config: TrainingConfig, *, cpu: bool) -> bool:
    return not cpu if config.gradient_checkpointing is None else config.gradient_checkpointing


def adapter(lora: LoRA | None, model: Path, task: str) -> Any:
    """Make peft's config of the adapter, or None to train every weight.

    Raises:
        InputError: when the model has fewer layers than `layers_from` leaves alone.
    """
    if lora is None:
        return None
    layers = transformers.AutoConfig.from_pretrained(checked(model)).num_hidden_layers
    if lora.layers_from >= layers:
        raise InputError(f"lora.layers_from: {lora.layers_from}, but {model} has {layers} layers")
    below = "|".join(map(str, range(lora.layers_from)))
    return peft.LoraConfig(
        task_type=task,
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets if isinstance(lora.targets, str) else list(lora.targets),
        # Of the numbers in a module's name the first is its layer's; a later one is an expert's.
        exclude_modules=rf"\D*\.({below})\..*" if below else None,
        modules_to_save=["score"] if task == "SEQ_CLS" else None,
    )


def soft_loss(margins: torch.Tensor, p: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Give the cross-entropy of σ(margin) with each label's probability, weighted by row.

    L = −[p · log σ(d) + (1 − p) · log σ(−d)]; p = 1 is the ordinary pairwise loss.
    """
    losses = -(p * F.logsigmoid(margins) + (1 - p) * F.logsigmoid(-margins))
    return (weights * losses).mean()


class Silent:
    """A mixin for TRL's trainers: no telemetry, whatever the environment says."""

    def _send_telemetry(self) -> None:
        """Send nothing."""


class Watch(TrainerCallback):  # type: ignore[misc]
    """Reports each step, remembers what was measured, and stops a run whose loss is no number."""

    def __init__(self, progress: Progress | None) -> None:
        """Report to `progress`, if there is one."""
        self._progress = progress if is_first() else None
        self.logs: list[dict[str, float]] = []

    def on_train_begin(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
        """Take in the steps before a checkpoint that the run goes on from."""
        for logs in state.log_history:
            self._take(logs, int(logs["step"]), state.max_steps)

    def on_log(self, _args: Any, state: Any, _control: Any, **more: Any) -> None:
        """Take in one step's figures.

        Raises:
            StageError: for a loss or a gradient that is no number.
        """
        self._take(more["logs"], state.global_step, state.max_steps)

    def _take(self, logs: dict[str, Any], step: int, steps: int) -> None:
        if "loss" not in logs:
            return
        for name in ("loss", "grad_norm"):
            if not math.isfinite(float(logs.get(name, 0.0))):
                raise StageError(
                    f"step {step}: the {name} is {logs[name]}, so nothing was kept; "
                    "lower learning_rate"
                )
        # A figure over answers that all abstained is None.
        self.logs.append({name: float(logs[name]) for name in logs if logs[name] is not None})
        if self._progress:
            self._progress(step, steps, self.logs[-1])

    def mean(self, name: str, share: float = 0.5) -> float:
        """Average a figure over the last share of the steps, or the first if it is negative."""
        seen = [log[name] for log in self.logs if math.isfinite(log.get(name, math.nan))]
        count = max(1, round(len(seen) * abs(share)))
        part = seen[:count] if share < 0 else seen[-count:]
        return sum(part) / len(part) if part else math.nan

    def first_and_last(self) -> dict[str, float]:
        """Give the loss of the first tenth of the steps and of the last."""
        tenth = max(1, len(self.logs) // 10)
        losses = [log["loss"] for log in self.logs]
        return {
            "loss_first": sum(losses[:tenth]) / tenth,
            "loss_last": sum(losses[-tenth:]) / tenth,
            "steps": float(len(losses)),
        }


@contextlib.contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Seed everything, and train quietly."""
    with quiet():
        transformers.set_seed(seed)
        yield


def run(trainer: Any, checkpoint: Path | None = None) -> None:
    """Train, with nothing printed; from a checkpoint on, where there is one."""
    trainer.remove_callback(PrinterCallback)
    train_in_full(trainer.model)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' own notes and bars off the terminal."""
    names = ("transformers", "trl", "accelerate", "peft", "bitsandbytes")
    noisy = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in noisy]
    bars = datasets.is_progress_bar_enabled(), transformers.utils.logging.is_progress_bar_enabled()
    for logger in noisy:
        logger.setLevel(logging.ERROR)
    datasets.disable_progress_bars()
    transformers.utils.logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            # TRL's defaults use options that transformers is about to rename.
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        for logger, level in zip(noisy, levels, strict=True):
            logger.setLevel(level)
        if bars[0]:
            datasets.enable_progress_bars()
        if bars[1]:
            transformers.utils.logging.enable_progress_bar()


def need_rows(count: int, left_out: dict[str, int], what: str) -> None:
    """Stop where nothing is left to train on.

    Raises:
        StageError: with what was left out, and why.
    """
    if count == 0:
        counts = ", ".join(f"{number} {reason}" for reason, number in left_out.items() if number)
        left = f" (left out: {counts})" if counts else ""
        raise StageError(
            f"no {what} to train on{left}; look at the abstentions of the stages before, and ask "
            "for more: more prompts, more samples, a lower min_confidence, a longer max_length"
        )
