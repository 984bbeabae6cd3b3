"""A trained reward model: reads answers as its training did, and scores them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification

from rlaif.errors import MissingModelError
from rlaif.records import Prompt
from rlaif.training.common import half_where_fast, on_cpu, quiet
from rlaif.training.folder import checked, reading
from rlaif.training.reward.layout import Layout, fitted, rendered, reward_tokenizer

Reward = Callable[[Sequence[Prompt], Sequence[str]], Sequence[float | None]]
"""Scores one text per prompt, higher is better; None is an abstention, which trains nothing."""


class RewardModel:
    """Scores answers with a trained reward model; called, it is a `Reward`."""

    def __init__(self, model: Path, *, max_length: int | None = None, batch: int = 16) -> None:
        """Read the model from its folder; what it is told here goes before its `reward.json`.

        Raises:
            MissingModelError: for a folder without a whole reward model.
        """
        with quiet(), reading(model):
            self._tokenizer = reward_tokenizer(model)
            self._model = AutoModelForSequenceClassification.from_pretrained(
                checked(model), dtype=half_where_fast()
            )
        if self._model.config.num_labels != 1:
            raise MissingModelError(f"{model}: gives no single score; name a reward model's folder")
        self._model.to("cpu" if on_cpu() else torch.accelerator.current_accelerator()).eval()
        # bfloat16 would round scores to a hundredth, and close answers to a tie.
        head = head_of(self._model).float()
        head.register_forward_pre_hook(lambda _, args: (args[0].float(),))
        layout = Layout.read(model) or Layout()
        if max_length is not None:
            layout = layout.model_copy(update={"max_length": max_length})
        self._layout, self._batch = layout, batch

    def tokens(self, prompt: Prompt, text: str) -> list[int] | None:
        """Give the tokens the model reads: the ones that it was trained on; None for too many."""
        return self._read([prompt], [text])[0]

    def __call__(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
        """Score each text as the answer to its prompt; None where the two are too long."""
        rows = self._read(prompts, texts)
        scores: list[float | None] = [None] * len(rows)
        fit = [(row, ids) for row, ids in enumerate(rows) if ids is not None]
        for (row, _), score in zip(fit, self.scores([ids for _, ids in fit]), strict=True):
            scores[row] = score
        return scores

    def scores(self, rows: Sequence[Sequence[int]]) -> list[float]:
        """Score whole conversations that are tokens already."""
        scores = [0.0] * len(rows)
        order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
        for start in range(0, len(order), self._batch):
            part = order[start : start + self._batch]
            for row, score in zip(part, self._scores([rows[row] for row in part]), strict=True):
                scores[row] = score
        return scores

    def _read(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> list[list[int] | None]:
        if not prompts:
            return []
        read = zip(rendered(self._tokenizer, prompts, texts), prompts, strict=True)
        return [fitted(self._tokenizer, ids, prompt, self._layout) for ids, prompt in read]

    def _scores(self, rows: list[Sequence[int]]) -> list[float]:
        padded = self._tokenizer.pad({"input_ids": rows}, padding_side="right", return_tensors="pt")
        with torch.inference_mode():
            logits = self._model(**padded.to(self._model.device), use_cache=False).logits
        scores: list[float] = logits.squeeze(-1).float().tolist()
        return scores


def head_of(model: Any) -> torch.nn.Module:
    """Give what makes a score of a model's reading: `score`, or in an encoder `classifier`."""
    head: torch.nn.Module = model.score if hasattr(model, "score") else model.classifier
    return head


def score(model: Path, prompts: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
    """Score texts with the reward model in a folder."""
    return RewardModel(model)(prompts, texts)
