"""Direct preference optimisation with soft labels: TRL's trainer, a probability and a weight a row.

The reference is the starting policy itself, read once before the first update, when an adapter
still changes nothing. Both answers to a prompt are read in one row where the model can.
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
from rlaif.training.common import (
    Silent,
    Watch,
    adapter,
    arguments,
    need_rows,
    repeatable,
    run,
    soft_loss,
)
from rlaif.training.config import OptimizeConfig, Progress, Trained
from rlaif.training.dataset import dpo_tokens, preference_rows, with_even_weights
from rlaif.training.folder import checked, load_tokenizer, reading, save, whole_folder
from rlaif.training.optimize.pairs import answer_logps, pack

_REFERENCES = ("ref_chosen_logps", "ref_rejected_logps")
_LABELS = ("p_chosen", "weight")
_CLOSE, _CLOSE_IN_HALF = 1e-4, 0.02
"""Nats a token by which a shared row may differ from two, by rounding."""


class PairCollator(DataCollatorForPreference):  # type: ignore[misc]
    """Lays pairs out as TRL does or in one row each, and keeps each row's label."""

    packs: bool = False

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """Make a batch: the chosen rows, then the rejected ones; or both answers in one row."""
        batch: dict[str, Any] = (
            pack(examples, self.pad_token_id) if self.packs else super().torch_call(examples)
        )
        for name in (*_LABELS, *_REFERENCES):
            if name in examples[0]:
                batch[name] = torch.tensor([example[name] for example in examples])
        return batch


class SoftDPOTrainer(Silent, trl.DPOTrainer):  # type: ignore[misc]
    """TRL's trainer over tokenised rows, with the soft, weighted loss."""

    _signature_columns: Any

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        return dataset

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        self._signature_columns = list(dict.fromkeys([*self._signature_columns, *_LABELS]))

    def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:  # noqa: ARG002
        """Read the reference's log-probabilities; TRL's own does so through a file and a bar."""
        order = sorted(range(len(dataset)), key=lambda row: dataset[row]["length"])
        batches = [order[at : at + batch_size] for at in range(0, len(order), batch_size)]
        found: dict[int, tuple[float, float]] = {}
        self.model.eval()
        # Nothing has moved yet, so that the model is the reference itself.
        with torch.no_grad(), self.accelerator.autocast():
            self.data_collator.packs = self._may_pack([dataset[row] for row in batches[0]])
            for rows in batches:
                sides = self._read([dataset[row] for row in rows])
                found.update(
                    zip(rows, zip(*map(torch.Tensor.tolist, sides), strict=True), strict=True)
                )
        self.model.train()
        for side, column in enumerate(_REFERENCES):
            dataset = dataset.add_column(column, [found[row][side] for row in range(len(dataset))])
        return dataset

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> Any:  # noqa: ARG002, FBT001
        chosen, rejected = answer_logps(model, inputs)
        chosen = chosen - inputs["ref_chosen_logps"]
        rejected = rejected - inputs["ref_rejected_logps"]
        margins = self.beta * (chosen - rejected)
        self._note(chosen.detach(), rejected.detach())
        return soft_loss(margins, inputs["p_chosen"], inputs["weight"])

    def _read(self, rows: list[dict[str, Any]]) -> tuple[torch.Tensor, torch.Tensor]:
        return answer_logps(self.model, self._prepare_inputs(self.data_collator(rows)))

    def _may_pack(self, rows: list[dict[str, Any]]) -> bool:
        """Read a few pairs both ways: a model may do otherwise than its config says."""
        if not may_share(self.model.config):
            return False
        both = []
        for packs in (False, True):
            self.data_collator.packs = packs
            both.append(torch.stack(self._read(rows)))
        tokens = [[len(row[f"{side}_ids"]) for row in rows] for side in ("chosen", "rejected")]
        gaps = (both[0] - both[1]).abs().cpu() / torch.tensor(tokens)
        halves = self.args.bf16 or self.args.fp16 or self.model.dtype != torch.float32
        # A gap that is no number is none that is small.
        return bool((gaps < (_CLOSE_IN_HALF if halves else _CLOSE)).all())

    def _note(self, chosen: torch.Tensor, rejected: torch.Tensor) -> None:
        seen = {
            "accuracy": (chosen > rejected).float(),
            "logratio_chosen": chosen,
            "logratio_rejected": rejected,
        }
        metrics = self._metrics["train" if self.model.training else "eval"]
        for name, values in seen.items():
            metrics[name].append(self.accelerator.gather(values).mean().item())


def train_dpo(
    preferences: Sequence[Preference],
    config: OptimizeConfig,
    model: Path,
    out: Path,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trained:
    """Make what is preferred likelier than it was, against what is not; write `out`."""
    started = time.monotonic()
    with repeatable(seed):
        tokenizer = load_tokenizer(model)
        tokens, long = dpo_tokens(tokenizer, preference_rows(preferences), config.max_length)
        left_out = {"too long": long}
        need_rows(len(tokens), left_out, "preferences")
        watch = Watch(progress)
        with whole_folder(out) as folder:
            trainer = make_trainer(tokens, tokenizer, config, model, folder, seed)
            trainer.add_callback(watch)
            run(trainer)
            save(trainer.model, tokenizer, folder)
    metrics = {
        **watch.first_and_last(),
        **{name: watch.mean(name) for name in ("accuracy", "logratio_chosen", "logratio_rejected")},
        "seconds": time.monotonic() - started,
    }
    return Trained(out, metrics, len(tokens), left_out)


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
        "max_length": config.max_length,
        "precompute_ref_log_probs": True,
        "precompute_ref_batch_size": config.batch,
    }
    with reading(model):
        return SoftDPOTrainer(
            model=checked(model),
            args=arguments(trl.DPOConfig, config, folder, seed, **more),
            train_dataset=Dataset.from_list(with_even_weights(tokens)),
            data_collator=PairCollator(pad_token_id=tokenizer.pad_token_id),
            processing_class=tokenizer,
            peft_config=adapter(config.lora, model, "CAUSAL_LM"),
        )
