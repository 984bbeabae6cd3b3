"""KTO: learn from answers that are good or bad by themselves, each with a weight of its own.

TRL's trainer over tokenised rows. Its point of reference, how far the policy has gone in all, is
estimated on prompts with other prompts' answers; those and the reference's log-probabilities are
made once, so that the rows are shuffled before and keep their order.
"""

import time
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import torch
import trl
from datasets import Dataset
from trl.trainer.kto_trainer import DataCollatorForUnpairedPreference

from rlaif.ranks import ranks
from rlaif.training.checkpoints import keeping
from rlaif.training.common import Silent, adapter, arguments, need_rows, repeatable
from rlaif.training.config import OptimizeConfig, Progress, Trained
from rlaif.training.dataset import (
    answer_ids,
    end_of_turn,
    messages_of,
    prompt_ids,
    with_even_weights,
)
from rlaif.training.folder import checked, load_tokenizer, reading, tokens_read
from rlaif.training.optimize.losses import kto_losses
from rlaif.training.optimize.reference import add_reference, load_reference
from rlaif.training.session import Task, train_on
from rlaif.training.unpaired import Unpaired, balance, check_kinds, check_unpaired, shuffled

Row = dict[str, Any]

_REFERENCES = ("ref_logps", "ref_KL_logps")


class KTOCollator(DataCollatorForUnpairedPreference):  # type: ignore[misc]
    """TRL's, and keeps each row's weight."""

    def torch_call(self, examples: list[Row]) -> dict[str, Any]:
        """Make a batch: the rows, and their prompts with other prompts' answers."""
        batch: dict[str, Any] = super().torch_call(examples)
        batch["weight"] = torch.tensor([example["weight"] for example in examples])
        return batch


class WeightedKTOTrainer(Silent, trl.KTOTrainer):  # type: ignore[misc]
    """TRL's trainer over tokenised rows, with a weight a row."""

    _signature_columns: Any

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        return dataset

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        self._signature_columns = list(dict.fromkeys([*self._signature_columns, "weight"]))

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Write none beside a checkpoint."""

    def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:  # noqa: ARG002
        rows = range(len(dataset))
        batches = [list(rows[at : at + batch_size]) for at in range(0, len(rows), batch_size)]
        return add_reference(
            self, dataset, batches, _REFERENCES[: 1 + self.calculate_KL], self._ref
        )

    def _ref(self, model: Any, rows: list[Row]) -> list[torch.Tensor]:
        batch = self._prepare_inputs(self.data_collator(rows))
        return [_logps(model, batch, part) for part in ("", "KL_")[: 1 + self.calculate_KL]]

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> Any:  # noqa: FBT001
        weights, good = inputs.pop("weight"), inputs["label"].bool()
        if "ref_logps" not in inputs:
            # An option in `extra` keeps a reference beside the policy: TRL's own loss, no weights.
            return super()._compute_loss(model, inputs, return_outputs)
        kl = torch.zeros((), device=weights.device)
        if self.calculate_KL:
            with torch.no_grad():
                gone = (_logps(model, inputs, "KL_") - inputs["ref_KL_logps"]).mean()
            kl = self.accelerator.gather(gone).mean().clamp(min=0)
        ratios = _logps(model, inputs, "") - inputs["ref_logps"]
        self._note(ratios.detach(), good, kl)
        sides = torch.where(good, self.desirable_weight, self.undesirable_weight)
        return (weights * sides * kto_losses(ratios, good, kl, self.beta)).mean()

    def _note(self, ratios: torch.Tensor, good: torch.Tensor, kl: torch.Tensor) -> None:
        metrics = self._metrics["train" if self.model.training else "eval"]
        metrics["kl"].append(kl.item())
        ratios, good = self.accelerator.gather((ratios, good))
        for name, side in (("logratio_good", good), ("logratio_bad", ~good)):
            if side.any():
                metrics[name].append(ratios[side].mean().item())


def _logps(model: Any, batch: dict[str, Any], part: str) -> torch.Tensor:
    """Give the log-probability of each row's answer, (rows,)."""
    ids = batch[f"{part}input_ids"]
    labels = ids.masked_fill(batch[f"{part}completion_mask"] == 0, -100)
    outputs = model(
        input_ids=ids,
        attention_mask=batch[f"{part}attention_mask"],
        labels=labels,
        fused_lm_head=True,
        use_cache=False,
    )
    logps: torch.Tensor = outputs.log_probs.sum(-1)
    return logps


def kto_tokens(
    tokenizer: Any, rows: Iterable[Unpaired], max_length: int
) -> tuple[list[Row], dict[str, int]]:
    """Tokenise; give the rows that fit, and count the others."""
    ending = end_of_turn(tokenizer)
    tokens, long = [], 0
    for row in rows:
        prompt = prompt_ids(tokenizer, messages_of(row.prompt))
        answer = answer_ids(tokenizer, row.text, ending)
        if len(prompt) + len(answer) > max_length:
            long += 1
            continue
        ids = {"prompt_ids": prompt, "completion_ids": answer}
        tokens.append({**ids, "label": row.good, "weight": row.weight})
    return tokens, {"too long": long}


def with_others_answers(rows: Sequence[Row], batch: int, max_length: int) -> list[Row]:
    """Put beside each prompt the answer to another one, of the same batch where there is one."""
    paired = []
    for place, row in enumerate(rows):
        start = place - place % batch
        size = min(batch, len(rows) - start)
        # The one before it in its batch, the last before the first: each answer is taken once.
        around = (start + (place - start - step) % size for step in range(1, size))
        others = chain(around, range(start - 1, -1, -1))
        other = next(
            (at for at in others if rows[at]["prompt_ids"] != row["prompt_ids"]), place - 1
        )
        room = max_length - len(row["prompt_ids"])
        paired.append({**row, "KL_completion_ids": rows[other]["completion_ids"][:room]})
    return paired


def train_kto(
    rows: Sequence[Unpaired],
    config: OptimizeConfig,
    model: Path,
    out: Path,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trained:
    """Make good answers likelier than they were, and bad ones less likely; write `out`.

    Raises:
        InputError: for an empty answer, or answers of one kind alone.
        StageError: when there is nothing to train on, or the loss stops being a number.
    """
    started = time.monotonic()
    check_unpaired(rows)
    with repeatable(seed):
        tokenizer = load_tokenizer(model)
        most = tokens_read(model, config.max_length)
        tokens, left_out = kto_tokens(tokenizer, shuffled(rows, seed), most)
        need_rows(len(tokens), left_out, "answers")
        check_kinds([row["label"] for row in tokens])
        task = Task(tokens, tokenizer, left_out, config, model, out, seed, started)
        trained = train_on(task, make_trainer, ("kl", "logratio_good", "logratio_bad"), progress)
    return trained._replace(notes=(*trained.notes, *_notes(config, tokens)))


def _notes(config: OptimizeConfig, tokens: Sequence[Row]) -> tuple[str, ...]:
    reads_late = not config.extra.get("precompute_ref_log_probs", True)
    if reads_late and len({row["weight"] for row in tokens}) > 1:
        return (
            "extra.precompute_ref_log_probs: false brings TRL's own loss, which takes all rows "
            "alike; their weights counted for nothing",
        )
    return ()


def make_trainer(
    tokens: list[Row], tokenizer: Any, config: OptimizeConfig, model: Path, folder: Path, seed: int
) -> WeightedKTOTrainer:
    """Put the trainer together; the reference is read here, before anything moves."""
    most = tokens_read(model, config.max_length)
    good, bad = balance((row["label"], row["weight"]) for row in tokens)
    more = {
        "beta": config.beta,
        "max_length": most,
        "precompute_ref_log_probs": True,
        "precompute_ref_batch_size": config.batch,
        "desirable_weight": good,
        "undesirable_weight": bad,
        **keeping(config),
    }
    args = arguments(trl.KTOConfig, config, folder, seed, **more)
    # A batch of all processes is rotated as one, so that their number changes nothing.
    at_once = config.batch * ranks()
    rows = with_others_answers(with_even_weights(tokens), at_once, most)
    with reading(model):
        return WeightedKTOTrainer(
            model=checked(model),
            ref_model=load_reference(config.reference, tokenizer, args.model_init_kwargs["dtype"]),
            args=args,
            train_dataset=Dataset.from_list(rows),
            data_collator=KTOCollator(pad_token_id=tokenizer.pad_token_id),
            processing_class=tokenizer,
            peft_config=adapter(config.lora, model, "CAUSAL_LM"),
        )
