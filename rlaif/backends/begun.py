"""Prompts to go on from: what a batch of them shares is encoded once, and each prompt once."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from transformers import DynamicCache

from rlaif.backends.prefixes import Ids, shared
from rlaif.backends.scoring import padded
from rlaif.backends.sharing import may_share

_WORTHWHILE = 8  # tokens at the beginning that are sooner encoded apart


class Begun(NamedTuple):
    """Prompts laid out side by side, and the states of all but each one's last token."""

    ids: torch.Tensor
    """(prompts, longest), padded between what all share and the rest of each."""
    mask: torch.Tensor
    """(prompts, longest): 0 where padded."""
    cache: DynamicCache | None
    """None where nothing is shared, or the model's layers cannot be repeated so."""


def begin(model: Any, prompts: Sequence[Ids], pad: int) -> Begun:
    """Lay prompts out; encode their common beginning once, then each distinct prompt once."""
    places = {tuple(prompt): place for place, prompt in enumerate(prompts)}
    distinct = [prompts[place] for place in places.values()]
    common = _common(distinct)
    repeats = len(distinct) < len(prompts) and common > 0
    if not (repeats or (len(distinct) > 1 and common >= _WORTHWHILE)):
        common = 0
    if not common or not may_share(model.config):
        inputs = padded(prompts, pad, model.device)
        return Begun(inputs["input_ids"], inputs["attention_mask"], None)
    number = {prompt: line for line, prompt in enumerate(places)}
    lines = torch.tensor([number[tuple(prompt)] for prompt in prompts], device=model.device)
    ids, mask = _laid_out(distinct, common, pad, model.device)
    cache = _encoded(model, ids[:, :-1], mask[:, :-1], common)
    cache.batch_select_indices(lines)
    return Begun(ids[lines], mask[lines], cache)


def _common(prompts: Sequence[Ids]) -> int:
    """Count the tokens that all begin with, short of any prompt's last."""
    first, last = min(prompts), max(prompts)
    return min(shared(first, last), min(map(len, prompts)) - 1)


def _laid_out(
    prompts: Sequence[Ids], common: int, pad: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, prompts))
    ids, mask = [], []
    for prompt in prompts:
        gap = longest - len(prompt)
        ids.append([*prompt[:common], *[pad] * gap, *prompt[common:]])
        mask.append([*[1] * common, *[0] * gap, *[1] * (len(prompt) - common)])
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def _encoded(model: Any, ids: torch.Tensor, mask: torch.Tensor, common: int) -> DynamicCache:
    """Encode the common beginning of (prompts, tokens) once, then the rest of each."""
    cache = DynamicCache(config=model.config)
    with torch.inference_mode():
        model(input_ids=ids[:1, :common], past_key_values=cache, use_cache=True, logits_to_keep=1)
        cache.batch_select_indices(torch.zeros(len(ids), dtype=torch.long, device=ids.device))
        if ids.shape[1] > common:
            model(
                input_ids=ids[:, common:],
                attention_mask=mask,
                position_ids=(mask.cumsum(-1) - 1)[:, common:].clamp(min=0),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
    return cache
