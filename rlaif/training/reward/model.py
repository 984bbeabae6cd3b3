"""A trained reward model: reads answers as its training did, and scores them."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import AutoModelForSequenceClassification

from rlaif.backends.device import own_device, unspread
from rlaif.errors import InputError, MissingModelError
from rlaif.records import Prompt
from rlaif.resources import did_you_mean
from rlaif.training.common import half_where_fast, quiet
from rlaif.training.folder import checked, reading, tokens_read
from rlaif.training.reward.heads import read_heads
from rlaif.training.reward.layout import Layout, Read, reward_tokenizer, tokens_of

Reward = Callable[[Sequence[Prompt], Sequence[str]], Sequence[float | None]]
"""Scores one text per prompt, higher is better; None is an abstention, which trains nothing."""
MEMBERS = "members"
"""The folder, in a reward model's, of an ensemble's other models."""


class RewardModel:
    """Scores answers with a trained reward model; called, it is a `Reward`.

    One that reads a principle scores by the mean of all that it was trained on; `under` scores by
    one of them, or by a principle in other words.
    """

    def __init__(self, model: Path, *, max_length: int | None = None, batch: int = 16) -> None:
        """Read the model from its folder; what it is told here goes before its `reward.json`.

        Raises:
            MissingModelError: for a folder without a whole reward model.
        """
        layout = Layout.read(model) or Layout()
        most = tokens_read(model, layout.max_length if max_length is None else max_length)
        self.layout = layout = layout.model_copy(update={"max_length": most})
        with quiet(), reading(model):
            self._tokenizer = reward_tokenizer(model)
        others = [model / MEMBERS / str(number) for number in range(1, layout.members)]
        self._models = [_load(folder, layout.heads) for folder in (model, *others)]
        self._batch = batch

    @property
    def principles(self) -> dict[str, str]:
        """The principles that it was trained to score by: id and words."""
        return self.layout.principles

    def tokens(self, prompt: Prompt, text: str, principle: str | None = None) -> list[int] | None:
        """Give the tokens the model reads: the ones that it was trained on; None for too many."""
        [tokens] = tokens_of(self._tokenizer, [Read(prompt, text, principle)], self.layout)
        return tokens.ids

    def __call__(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
        """Score each text as the answer to its prompt; None where the two are too long."""
        if not self.principles:
            return self._under(None, prompts, texts)
        return means(self.by_principle(prompts, texts))

    def by_principle(
        self, prompts: Sequence[Prompt], texts: Sequence[str]
    ) -> dict[str, list[float | None]]:
        """Score each text by each principle that the model was trained to score by."""
        return {name: self._under(words, prompts, texts) for name, words in self.principles.items()}

    def under(self, principle: str) -> Reward:
        """Score by one principle: the id of one that it knows, or a principle's words.

        Raises:
            InputError: for a model that reads no principle, or what looks like an id and is none.
        """
        if not self.principles:
            raise InputError("the model reads no principle; train one with `by_principle: true`")
        if principle not in self.principles and " " not in principle.strip():
            near = did_you_mean(principle, list(self.principles))
            raise InputError(f"{principle}: no principle of this model{near}")
        return partial(self._under, self.principles.get(principle, principle))

    def scores(self, rows: Sequence[Sequence[int]]) -> list[float]:
        """Score whole conversations that are tokens already."""
        scores = [0.0] * len(rows)
        order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
        for start in range(0, len(order), self._batch):
            part = order[start : start + self._batch]
            for row, score in zip(part, self._scores([rows[row] for row in part]), strict=True):
                scores[row] = score
        return scores

    def _under(
        self, principle: str | None, prompts: Sequence[Prompt], texts: Sequence[str]
    ) -> list[float | None]:
        asked = [Read(*each, principle) for each in zip(prompts, texts, strict=True)]
        rows = [tokens.ids for tokens in tokens_of(self._tokenizer, asked, self.layout)]
        scores: list[float | None] = [None] * len(rows)
        fit = [(row, ids) for row, ids in enumerate(rows) if ids is not None]
        for (row, _), score in zip(fit, self.scores([ids for _, ids in fit]), strict=True):
            scores[row] = score
        return scores

    def _scores(self, rows: list[Sequence[int]]) -> list[float]:
        padded = self._tokenizer.pad({"input_ids": rows}, padding_side="right", return_tensors="pt")
        how = {name: padded[name] for name in ("input_ids", "attention_mask")}
        by_member: list[torch.Tensor] = []
        with torch.inference_mode():
            for model in self._models:
                placed = {name: tensor.to(model.device) for name, tensor in how.items()}
                logits = model(**placed, use_cache=False).logits.float().cpu()
                by_member += logits.unbind(1)  # a head each
        combined = combine(torch.stack(by_member), self.layout.combine, self.layout.spread)
        scores: list[float] = (combined - self.layout.zero).tolist()
        return scores


def _load(folder: Path, heads: int) -> Any:
    device = own_device()
    with quiet(), reading(folder), unspread():
        model = AutoModelForSequenceClassification.from_pretrained(
            checked(folder), dtype=half_where_fast()
        )
    if model.config.num_labels != 1:
        raise MissingModelError(f"{folder}: gives no single score; name a reward model's folder")
    if heads > 1:
        model.score = read_heads(folder, heads)
    model.to(device).eval()
    # bfloat16 would round scores to a hundredth, and close answers to a tie.
    head = (model.score if hasattr(model, "score") else model.classifier).float()
    head.register_forward_pre_hook(lambda _, args: (args[0].float(),))
    return model


def combine(
    scores: torch.Tensor, how: Literal["mean", "min", "lower"], spread: float
) -> torch.Tensor:
    """Make the scores of an ensemble's members, (members, answers), one for each answer.

    `lower` is the mean less `spread` standard deviations (of n, not n − 1), a reward that a policy
    cannot raise by what the members do not agree on (Coste et al. 2023, arXiv 2310.02743).
    """
    if how == "min":
        return scores.min(0).values
    mean = scores.mean(0)
    return mean - spread * scores.std(0, correction=0) if how == "lower" else mean


def means(by_principle: dict[str, list[float | None]]) -> list[float | None]:
    """Give each answer's mean over principles; None where one of them gives none."""
    found: list[float | None] = []
    for scores in zip(*by_principle.values(), strict=True):
        known = [score for score in scores if score is not None]
        found.append(sum(known) / len(known) if len(known) == len(scores) else None)
    return found


def score(model: Path, prompts: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
    """Score texts with the reward model in a folder."""
    return RewardModel(model)(prompts, texts)
