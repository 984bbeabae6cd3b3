"""Direct preference optimisation with soft labels: TRL's trainer, a probability and a weight a row.

DPO, and IPO beside it. The reference is the starting policy itself, read once before the first
update, unless another is named. Both answers to a prompt are read in one row where the model can.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import trl
from datasets import Dataset
from trl.trainer.dpo_trainer import DataCollatorForPreference

from rlaif.backends.sharing import may_share
from rlaif.records import Preference
from rlaif.training.checkpoints import keeping
from rlaif.training.common import (
    Silent,
    adapter,
    arguments,
    need_rows,
    repeatable,
    soft_loss,
)
from rlaif.training.config import OptimizeConfig, Progress, Trained
from rlaif.training.dataset import dpo_tokens, preference_rows, with_even_weights
from rlaif.training.folder import checked, load_tokenizer, reading, tokens_read
from rlaif.training.methods import THEIRS
from rlaif.training.optimize.losses import ipo_loss, less_sure, noise_undone
from rlaif.training.optimize.pairs import CLOSE, CLOSE_IN_HALF, answer_logps, pack
from rlaif.training.optimize.reference import add_reference, load_reference
from rlaif.training.session import Task, train_on

_REFERENCES = ("ref_chosen_logps", "ref_rejected_logps")
_LABELS = ("p_chosen", "weight")
_FIGURES = ("accuracy", "logratio_chosen", "logratio_rejected")
_THEIR_FIGURES = ("rewards/accuracies", "rewards/chosen", "rewards/rejected")
_SIZES = ("chosen_size", "rejected_size")


class PairCollator(DataCollatorForPreference):  # type: ignore[misc]
    """Lays pairs out as TRL does or in one row each, and keeps each row's label."""

    packs: bool = False

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """Make a batch: the chosen rows, then the rejected ones; or both answers in one row."""
        batch: dict[str, Any] = (
            pack(examples, self.pad_token_id) if self.packs else super().torch_call(examples)
        )
        for name, side in zip(_SIZES, ("chosen_ids", "rejected_ids"), strict=True):
            batch[name] = torch.tensor([len(example[side]) for example in examples])
        for name in (*_LABELS, *_REFERENCES):
            if name in examples[0]:
                batch[name] = torch.tensor([example[name] for example in examples])
        return batch


class SoftDPOTrainer(Silent, trl.DPOTrainer):  # type: ignore[misc]
    """TRL's trainer over tokenised rows, with the soft, weighted loss."""

    _signature_columns: Any

    def __init__(self, how: OptimizeConfig, **more: Any) -> None:
        """Train with the loss that `how` names; the reference is read here."""
        self.how = how
        super().__init__(**more)

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        return dataset

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        self._signature_columns = list(dict.fromkeys([*self._signature_columns, *_LABELS]))

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Write none beside a checkpoint."""

    def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:  # noqa: ARG002
        """Read the reference's log-probabilities; TRL's own does so through a file and a bar."""
        order = sorted(range(len(dataset)), key=lambda row: dataset[row]["length"])
        batches = [order[at : at + batch_size] for at in range(0, len(order), batch_size)]
        self.data_collator.packs = self._may_pack([dataset[row] for row in batches[0]])
        return add_reference(self, dataset, batches, _REFERENCES, self._read)

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> Any:  # noqa: FBT001
        if is_theirs(self.how):
            theirs = {name: inputs[name] for name in inputs if name not in (*_LABELS, *_SIZES)}
            return super()._compute_loss(model, theirs, return_outputs)
        chosen, rejected = answer_logps(model, inputs, self._config)
        chosen = chosen - inputs["ref_chosen_logps"]
        rejected = rejected - inputs["ref_rejected_logps"]
        self._note(chosen.detach(), rejected.detach())
        change = noise_undone if self.how.smoothing == "robust" else less_sure
        p = change(inputs["p_chosen"], self.how.label_smoothing)
        if self.how.method == "ipo":
            # By the token, as IPO's authors do, or long answers would have large gaps by length.
            gaps = chosen / inputs["chosen_size"] - rejected / inputs["rejected_size"]
            return ipo_loss(gaps, p, inputs["weight"], self.beta)
        return soft_loss(self.beta * (chosen - rejected), p, inputs["weight"])

    @property
    def _config(self) -> Any:
        return self.accelerator.unwrap_model(self.model).config

    def _read(self, model: Any, rows: list[dict[str, Any]]) -> tuple[torch.Tensor, torch.Tensor]:
        return answer_logps(model, self._prepare_inputs(self.data_collator(rows)), self._config)

    def _may_pack(self, rows: list[dict[str, Any]]) -> bool:
        """Read a few pairs both ways: a model may do otherwise than its config says."""
        is_in_parts = self.is_fsdp_enabled or self.is_deepspeed_enabled
        if not may_share(self.model.config) or is_theirs(self.how) or is_in_parts:
            return False
        was_training = self.model.training
        self.model.eval()
        both = []
        for packs in (False, True):
            self.data_collator.packs = packs
            with torch.no_grad(), self.accelerator.autocast():
                both.append(torch.stack(self._read(self.model, rows)))
        self.model.train(was_training)
        tokens = [[len(row[f"{side}_ids"]) for row in rows] for side in ("chosen", "rejected")]
        gaps = (both[0] - both[1]).abs().cpu() / torch.tensor(tokens)
        halves = self.args.bf16 or self.args.fp16 or self.model.dtype != torch.float32
        # A gap that is no number is none that is small.
        return bool((gaps < (CLOSE_IN_HALF if halves else CLOSE)).all())

    def _note(self, chosen: torch.Tensor, rejected: torch.Tensor) -> None:
        seen = {
            "accuracy": (chosen > rejected).float(),
            "logratio_chosen": chosen,
            "logratio_rejected": rejected,
        }
        metrics = self._metrics["train" if self.model.training else "eval"]
        for name, values in seen.items():
            metrics[name].append(self.accelerator.gather(values).mean().item())


def is_theirs(config: OptimizeConfig) -> bool:
    """Say whether `extra` has options of TRL's own loss."""
    return any(name in config.extra for name in THEIRS)


def train_dpo(
    preferences: Sequence[Preference],
    config: OptimizeConfig,
    model: Path,
    out: Path,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trained:
    """Make what is preferred likelier than it was, against what is not; write `out`.

    A run that was stopped goes on at its last checkpoint when it is asked for again.
    """
    started = time.monotonic()
    with repeatable(seed):
        tokenizer = load_tokenizer(model)
        most = tokens_read(model, config.max_length)
        tokens, long = dpo_tokens(tokenizer, preference_rows(preferences), most)
        left_out = {"too long": long}
        need_rows(len(tokens), left_out, "preferences")
        task = Task(tokens, tokenizer, left_out, config, model, out, seed, started)
        figures = _THEIR_FIGURES if is_theirs(config) else _FIGURES
        trained = train_on(task, make_trainer, figures, progress)
    return trained._replace(notes=(*trained.notes, *_notes(config, tokens)))


def _notes(config: OptimizeConfig, tokens: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    theirs = [name for name in THEIRS if name in config.extra]
    is_soft = any(row["p_chosen"] < 1 or row["weight"] != 1 for row in tokens)
    if theirs and is_soft:
        return (
            f"extra.{theirs[0]} is of TRL's own loss, which takes each label as certain and all "
            "rows alike",
        )
    return ()


def make_trainer(
    tokens: list[dict[str, Any]],
    tokenizer: Any,
    config: OptimizeConfig,
    model: Path,
    folder: Path,
    seed: int,
) -> SoftDPOTrainer:
    """Put the trainer together; the reference is read here, before anything moves."""
    more = {
        "beta": config.beta,
        "max_length": tokens_read(model, config.max_length),
        "precompute_ref_log_probs": True,
        "precompute_ref_batch_size": config.batch,
        **keeping(config),
    }
    args = arguments(trl.DPOConfig, config, folder, seed, **more)
    dtype = args.model_init_kwargs["dtype"]
    with reading(model):
        return SoftDPOTrainer(
            config,
            model=checked(model),
            ref_model=load_reference(config.reference, tokenizer, dtype),
            args=args,
            train_dataset=Dataset.from_list(with_even_weights(tokens)),
            data_collator=PairCollator(pad_token_id=tokenizer.pad_token_id),
            processing_class=tokenizer,
            peft_config=adapter(config.lora, model, "CAUSAL_LM"),
        )
