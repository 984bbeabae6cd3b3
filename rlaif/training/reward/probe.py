"""A score fitted on what the base says of an answer: its weights stay, its later layers go.

A thousand labels teach a whole model little more than how long a good answer is. What a middle
layer knows of the answer is there already, and one vector reads it (Alain and Bengio 2016, arXiv
1610.01644). The vector minimises the labels' own loss and a ridge, which has one minimum, so that
the seed and the order of the labels change nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from datasets import Dataset
from torch import nn
from transformers import AutoModelForSequenceClassification

from rlaif.backends.device import own_device, unspread
from rlaif.errors import InputError
from rlaif.training.common import half_where_fast, quiet
from rlaif.training.config import Probe, Progress, RewardConfig
from rlaif.training.folder import checked, merged, reading
from rlaif.training.reward.collator import Batch, labels_of
from rlaif.training.reward.trainer import loss_of, right_of

_BATCH = 16
_STEPS = 300


class Fitted(NamedTuple):
    """A model with the score that was fitted."""

    model: Any
    metrics: dict[str, float]


def fit_probe(
    model: Path,
    tokenizer: Any,
    answers: Dataset,
    groups: Dataset,
    config: RewardConfig,
    progress: Progress | None = None,
) -> Fitted:
    """Read every answer once, and fit the score to the groups' labels.

    Raises:
        InputError: for more layers than the base has, or a score that is no single layer.
    """
    assert config.probe
    cut = _cut(model, config.probe, tokenizer)
    rows = sorted({row for several in groups["answers"] for row in several})
    said = _said(cut, answers[rows]["ids"], tokenizer, progress).double()
    spread = said.std(0).clamp(min=1e-6)
    labels = labels_of(list(groups), {row: place for place, row in enumerate(rows)})
    weights, metrics = _fit(said / spread, labels, config)
    score = nn.Linear(said.shape[1], config.heads, bias=False)
    with torch.no_grad():
        score.weight.copy_(weights / spread)
    cut.score = score.to(cut.device)
    return Fitted(merged(cut), metrics)


def _cut(name: Path, probe: Probe, tokenizer: Any) -> Any:
    """Load the base up to the layer that is read, with nothing between that and the reader."""
    device = own_device()
    config = transformers.AutoConfig.from_pretrained(checked(name), num_labels=1)
    text = config.get_text_config()
    layers = probe.layers or text.num_hidden_layers
    if layers > text.num_hidden_layers:
        raise InputError(f"probe.layers: {layers}, but {name} has {text.num_hidden_layers} layers")
    text.num_hidden_layers = layers
    if getattr(text, "layer_types", None):
        text.layer_types = text.layer_types[:layers]
    text.pad_token_id = tokenizer.pad_token_id
    with quiet(), reading(name), unspread():
        model = AutoModelForSequenceClassification.from_pretrained(
            checked(name), config=config, dtype=half_where_fast(), ignore_mismatched_sizes=True
        )
    if not isinstance(getattr(model, "score", None), nn.Linear):
        raise InputError("probe: this model's score is no single layer; train an adapter instead")
    model.score = nn.Identity()
    model.to(device)
    return model.eval()


def _said(
    model: Any, ids: Sequence[Sequence[int]], tokenizer: Any, progress: Progress | None
) -> torch.Tensor:
    """Give what stands where each answer's score is read, (answers, hidden), in float32."""
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    said = torch.empty(len(ids), model.config.get_text_config().hidden_size)
    steps = range(0, len(order), _BATCH)
    for step, start in enumerate(steps, start=1):
        part = order[start : start + _BATCH]
        padded = tokenizer.pad(
            {"input_ids": [ids[row] for row in part]}, padding_side="right", return_tensors="pt"
        )
        how = {name: padded[name].to(model.device) for name in ("input_ids", "attention_mask")}
        with torch.inference_mode():
            said[part] = model(**how, use_cache=False).logits.float().cpu()
        if progress:
            progress(step, len(steps), {})
    return said


def _fit(
    said: torch.Tensor, labels: Batch, config: RewardConfig
) -> tuple[torch.Tensor, dict[str, float]]:
    """Minimise the mean over heads of the labels' loss and the ridge; (heads, hidden)."""
    assert config.probe
    weights = torch.zeros(config.heads, said.shape[1], dtype=said.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=_STEPS, line_search_fn="strong_wolfe")
    ridge, losses = config.probe.ridge, []

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        loss = loss_of(said @ weights.T, labels, config.centring)
        losses.append(loss.item())
        whole = loss + ridge / 2 * (weights**2).sum(1).mean()
        whole.backward()
        return whole

    optimizer.step(step)
    scores = (said @ weights.T).detach().mean(1)
    metrics = {
        "loss_first": losses[0],
        "loss_last": losses[-1],
        "steps": float(len(losses)),
        "accuracy_train": right_of(scores, labels).mean().item(),
    }
    return weights.detach().float(), metrics
