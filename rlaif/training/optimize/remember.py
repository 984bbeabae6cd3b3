"""A sampling trainer that was stopped goes on as if it never had been.

Beside what transformers keeps: the answers that are still to be learned from, the critic, a running
baseline, and an order of prompts that depends on the epoch alone.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import torch
from trl.trainer.utils import RepeatSampler

from rlaif.training.optimize.critic import ValueHead, load_head, save_head
from rlaif.training.optimize.scorer import Scorer


class SteadySampler(RepeatSampler):  # type: ignore[misc]
    """TRL's, whose order in an epoch is the same whether the epochs before were run or skipped."""

    trainer: Any

    def __iter__(self) -> Iterator[int]:
        """Give the rows of the epoch that the trainer is in."""
        # An epoch that ends is a hair below or above a whole number.
        epoch = int((self.trainer.state.epoch or 0.0) + 1e-6)
        self.generator.manual_seed((self.seed or 0) + epoch)
        order: Iterator[int] = super().__iter__()
        return order


class Remembers:
    """A mixin for TRL's trainers that sample: checkpoints hold all that the next step reads."""

    args: Any
    state: Any
    accelerator: Any
    is_deepspeed_enabled: bool
    train_dataset: Any
    shuffle_dataset: bool
    scorer: Scorer
    head: ValueHead | None = None
    baseline: Any = None
    model: Any
    control: Any
    callback_handler: Any
    _chance: Any = None
    """The state of chance before the draw at hand; None where nothing is being drawn."""
    _step: int
    _buffered_inputs: Any

    def _get_train_sampler(self, dataset: Any = None) -> Any:
        sampler = super()._get_train_sampler(dataset)  # type: ignore[misc]
        if type(sampler) is RepeatSampler and self.shuffle_dataset:
            sampler.__class__ = SteadySampler
            sampler.trainer = self
        return sampler

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        if self.state.global_step >= self.state.max_steps:
            # Nothing is kept of a run in which nothing was scored.
            self.scorer.need_scores()
        super()._save_checkpoint(model, trial)  # type: ignore[misc]
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        if self.head is not None and not self.is_deepspeed_enabled:
            save_head(self.head, folder, is_first=self.args.should_save)
        kept = {
            "step": self._step,
            "inputs": self._buffered_inputs if self._is_within_a_draw() else None,
            "baseline": self.baseline.state() if self.baseline else None,
            "counts": (self.scorer.asked, self.scorer.abstained),
        }
        torch.save(kept, folder / self._file())

    def _load_from_checkpoint(self, folder: str, model: Any = None) -> None:
        super()._load_from_checkpoint(folder, model)  # type: ignore[misc]
        if self.head is not None:
            load_head(self.head, Path(folder))
        self._recall(Path(folder))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)  # type: ignore[misc]
        # DeepSpeed reads weights, the critic's among them, by its own means.
        if checkpoint is not None and self.is_deepspeed_enabled:
            self._recall(Path(checkpoint))

    def _recall(self, folder: Path) -> None:
        path = folder / self._file()
        if path.is_file():
            kept = torch.load(path, map_location=self.args.device, weights_only=True)
            self._step, self._buffered_inputs = kept["step"], kept["inputs"]
            self.scorer.asked, self.scorer.abstained = kept["counts"]
            if self.baseline and kept["baseline"]:
                self.baseline.restore(kept["baseline"])

    def mark(self) -> None:
        """Remember the state of chance before a draw, which `keep` goes back to."""
        devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        here = torch.get_rng_state()
        self._chance = (random.getstate(), numpy.random.get_state(), here, devices)

    def keep(self) -> None:
        """Write a checkpoint of the last whole step, from within a draw of the step after it.

        Every process calls it.
        """
        if self._chance is None:
            return  # chance has gone on; a look that fails has its checkpoint already
        if self.state.global_step == 0:
            return  # nothing is learned yet
        own, arrays, here, devices = self._chance
        random.setstate(own)
        numpy.random.set_state(arrays)
        torch.set_rng_state(here)
        if devices:
            torch.cuda.set_rng_state_all(devices)
        self._step = self.state.global_step * self.args.gradient_accumulation_steps
        self._save_checkpoint(self.model, None)
        self.control = self.callback_handler.on_save(self.args, self.state, self.control)

    def _is_within_a_draw(self) -> bool:
        return bool(self._step % (self.args.steps_per_generation * self.args.num_iterations))

    def _file(self) -> str:
        return f"policy-{self.args.process_index}-of-{self.args.world_size}.pt"
