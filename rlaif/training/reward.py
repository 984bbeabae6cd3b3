"""The reward model: preferences in, whoever labelled them; a score for any answer out."""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import trl
from datasets import Dataset
from transformers import AutoModelForSequenceClassification
from trl.trainer.reward_trainer import DataCollatorForPreference

from rlaif.errors import MissingModelError
from rlaif.records import Preference, Prompt
from rlaif.training.common import (
    Silent,
    Watch,
    adapter,
    arguments,
    half_where_fast,
    need_rows,
    on_cpu,
    quiet,
    repeatable,
    run,
    soft_loss,
)
from rlaif.training.config import Progress, RewardConfig, Trained
from rlaif.training.dataset import (
    conversation_ids,
    messages_of,
    preference_rows,
    reward_tokens,
    split_by_prompt,
    with_even_weights,
)
from rlaif.training.folder import checked, load_tokenizer, reading, save, whole_folder
from rlaif.training.split import note_split

Reward = Callable[[Sequence[Prompt], Sequence[str]], Sequence[float | None]]
"""Scores one text per prompt, higher is better; None is an abstention, which trains nothing."""

_LABELS = ("p_chosen", "weight")


class SoftPairCollator(DataCollatorForPreference):  # type: ignore[misc]
    """Pads pairs as TRL does, and keeps each row's probability and weight."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """Make a batch: the chosen rows, then the rejected ones."""
        batch: dict[str, Any] = super().torch_call(examples)
        for name in _LABELS:
            batch[name] = torch.tensor([example[name] for example in examples])
        return batch


class SoftRewardTrainer(Silent, trl.RewardTrainer):  # type: ignore[misc]
    """TRL's trainer over tokenised rows, with the soft, weighted loss."""

    _signature_columns: Any

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        return dataset

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        self._signature_columns = list(dict.fromkeys([*self._signature_columns, *_LABELS]))

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,  # noqa: FBT001, FBT002 - as the base class has it
        **_: Any,
    ) -> Any:
        """Compare the scores of the two halves of the batch."""
        outputs = model(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False
        )
        chosen, rejected = outputs.logits.squeeze(-1).float().chunk(2)
        loss = soft_loss(chosen - rejected, inputs["p_chosen"], inputs["weight"])
        if self.args.center_rewards_coefficient is not None:
            loss = loss + self.args.center_rewards_coefficient * ((chosen + rejected) ** 2).mean()
        with torch.no_grad():
            right = self.accelerator.gather((chosen > rejected).float()).mean().item()
        self._metrics["train" if self.model.training else "eval"]["accuracy"].append(right)
        return (loss, outputs) if return_outputs else loss


def train_reward_model(
    preferences: Sequence[Preference],
    config: RewardConfig,
    model: Path,
    out: Path,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trained:
    """Train a model whose score is higher for what is preferred; write it, whole, to `out`.

    Raises:
        StageError: when there is nothing to train on, or the loss stops being a number.
        MissingModelError: for a model that is not there, or not complete.
    """
    started = time.monotonic()
    train, held_out = split_by_prompt(preferences, config.held_out, seed)
    with repeatable(seed):
        tokenizer = load_tokenizer(model)
        tokens, long = reward_tokens(tokenizer, preference_rows(train), config.max_length)
        left_out = {"too long": long}
        need_rows(len(tokens), left_out, "preferences")
        watch = Watch(progress)
        with whole_folder(out) as folder:
            more = {"max_length": config.max_length}
            with reading(model):
                trainer = SoftRewardTrainer(
                    model=checked(model),
                    args=arguments(trl.RewardConfig, config, folder, seed, **more),
                    train_dataset=Dataset.from_list(with_even_weights(tokens)),
                    data_collator=SoftPairCollator(pad_token_id=tokenizer.pad_token_id),
                    processing_class=tokenizer,
                    peft_config=adapter(config.lora, model, "SEQ_CLS"),
                    callbacks=[watch],
                )
            run(trainer)
            save(trainer.model, tokenizer, folder)
            note_split(folder, train)
            # Measured on the folder as written, since that is what will score.
            measured = _measure(RewardModel(folder, max_length=config.max_length), held_out)
    metrics = {**watch.first_and_last(), "accuracy_train": watch.mean("accuracy"), **measured}
    return Trained(out, {**metrics, "seconds": time.monotonic() - started}, len(tokens), left_out)


class RewardModel:
    """Scores answers with a trained reward model; called, it is a `Reward`."""

    def __init__(self, model: Path, *, max_length: int = 1024, batch: int = 16) -> None:
        """Read the model from its folder."""
        with quiet(), reading(model):
            self._tokenizer = load_tokenizer(model)
            self._model = AutoModelForSequenceClassification.from_pretrained(
                checked(model), dtype=half_where_fast()
            )
        if self._model.config.num_labels != 1:
            raise MissingModelError(f"{model}: gives no single score; name a reward model's folder")
        self._model.to("cpu" if on_cpu() else torch.accelerator.current_accelerator()).eval()
        # bfloat16 would round scores to a hundredth, and close answers to a tie.
        self._model.score.float().register_forward_pre_hook(lambda _, args: (args[0].float(),))
        self._max_length, self._batch = max_length, batch

    def tokens(self, prompt: Prompt, text: str) -> list[int]:
        """Give the tokens the model reads: the ones that it was trained on."""
        return conversation_ids(self._tokenizer, messages_of(prompt), text)

    def __call__(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
        """Score each text as the answer to its prompt; None where the two are too long."""
        rows = [self.tokens(prompt, text) for prompt, text in zip(prompts, texts, strict=True)]
        scores: list[float | None] = [None] * len(rows)
        order = sorted((len(ids), row) for row, ids in enumerate(rows))
        fit = [row for length, row in order if length <= self._max_length]
        for start in range(0, len(fit), self._batch):
            part = fit[start : start + self._batch]
            for row, score in zip(part, self._scores([rows[row] for row in part]), strict=True):
                scores[row] = score
        return scores

    def _scores(self, rows: list[list[int]]) -> list[float]:
        padded = self._tokenizer.pad({"input_ids": rows}, padding_side="right", return_tensors="pt")
        with torch.inference_mode():
            logits = self._model(**padded.to(self._model.device), use_cache=False).logits
        scores: list[float] = logits.squeeze(-1).float().tolist()
        return scores


def score(model: Path, prompts: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
    """Score texts with the reward model in a folder."""
    return RewardModel(model)(prompts, texts)


def _measure(reward: RewardModel, rows: Sequence[Preference]) -> dict[str, float]:
    """Say how often the model agrees with labels it never saw, with a 95 % interval."""
    # A tie has no right side.
    decided = [row for row in rows if row.p_chosen > 0.5]
    prompts = [row.prompt for row in decided]
    chosen = reward(prompts, [row.chosen.text for row in decided])
    rejected = reward(prompts, [row.rejected.text for row in decided])
    scored = [
        (a, b) for a, b in zip(chosen, rejected, strict=True) if a is not None and b is not None
    ]
    if not scored:
        return {"n_held_out": 0.0}
    right = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in scored)
    low, high = wilson(right, len(scored))
    return {
        "accuracy": right / len(scored),
        "accuracy_low": low,
        "accuracy_high": high,
        "n_held_out": float(len(scored)),
    }


def wilson(right: float, n: int) -> tuple[float, float]:
    """Give Wilson's 95 % interval of a share.

    >>> [round(bound, 3) for bound in wilson(8, 10)]
    [0.49, 0.943]
    """
    z = 1.959964
    share, spread = right / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return middle - half, middle + half
