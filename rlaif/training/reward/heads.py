"""Several heads on one trunk: an ensemble at the price of one model.

Each head begins with weights of its own and learns from its own draw of the prompts, double or
nothing (Owen and Eckles 2012, arXiv 1106.2125): heads that saw the same would soon say the same.
The folder's own score is their mean, which every tool reads; the heads stand beside it.
"""

import random
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from rlaif.errors import InputError, MissingModelError

FILE = Path("heads", "score.safetensors")
"""In a reward model's folder, the weights of each head: `score`, (heads, hidden).

In a folder of its own, since vLLM takes every file of weights beside the model's for a part of it.
"""


def draws_of(chance: str, heads: int) -> list[float]:
    """Draw how often a prompt counts for each head: twice or not at all; nothing for one head.

    >>> draws_of("0:prompt", 4)
    [2.0, 0.0, 0.0, 2.0]
    """
    if heads == 1:
        return []
    drawn = random.Random(f"heads:{chance}")
    return [2.0 * drawn.getrandbits(1) for _ in range(heads)]


def widen(model: Any, heads: int) -> None:
    """Give a classifier, or an adapter's model of one, so many heads with weights of their own.

    Raises:
        InputError: for a model whose score is more than one linear layer.
    """
    bare = model.get_base_model() if hasattr(model, "get_base_model") else model
    score: Any = getattr(bare, "score", None)
    if hasattr(score, "modules_to_save"):  # peft keeps the untrained one beside it
        score.original_module = _wider(score.original_module, heads, bare.config)
        for name, own in score.modules_to_save.items():
            score.modules_to_save[name] = _wider(own, heads, bare.config)
    elif isinstance(score, nn.Linear):
        bare.score = _wider(score, heads, bare.config)
    else:
        raise InputError("heads: this model's score is no single layer; take `members` instead")


def _wider(score: nn.Linear, heads: int, config: Any) -> nn.Linear:
    weight = score.weight
    wide = nn.Linear(score.in_features, heads, bias=False, device=weight.device, dtype=weight.dtype)
    nn.init.normal_(wide.weight, std=config.get_text_config().initializer_range)
    return wide.requires_grad_(weight.requires_grad)


def narrow(model: Any, folder: Path) -> None:
    """Keep a merged model's heads in a file of their own, and leave it their mean as its score."""
    heads = model.score.weight.detach().float().cpu()
    (folder / FILE).parent.mkdir()
    save_file({"score": heads.contiguous()}, folder / FILE)
    mean = nn.Linear(heads.shape[1], 1, bias=False, dtype=model.score.weight.dtype)
    with torch.no_grad():
        mean.weight.copy_(heads.mean(0, keepdim=True))
    model.score = mean.to(model.score.weight.device)


def read_heads(folder: Path, heads: int) -> nn.Linear:
    """Read the heads that stand beside a model's own score.

    Raises:
        MissingModelError: where they are not there, or are not so many.
    """
    path = folder / FILE
    if not path.is_file():
        raise MissingModelError(f"{path}: not there, and reward.json names {heads} heads; copy it")
    weight = load_file(path)["score"]
    if len(weight) != heads:
        raise MissingModelError(f"{path}: {len(weight)} heads, and reward.json names {heads}")
    score = nn.Linear(weight.shape[1], heads, bias=False)
    score.load_state_dict({"weight": weight})
    return score
