"""Prompts to go on from: what a batch of them shares is encoded once, and each prompt once."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch.nn.functional import pad as wider
from transformers import DynamicCache

from rlaif.backends.prefixes import Ids, shared
from rlaif.backends.scoring import padded
from rlaif.backends.sharing import may_share

_WORTHWHILE = 8  # tokens at the beginning that are sooner encoded apart
_LESS, _FEWER = 0.7, 64  # of a batch's tokens: what encoding it in two parts must come to


class Begun(NamedTuple):
    """Prompts laid out side by side, and the states of all but each one's last token."""

    ids: torch.Tensor
    """(prompts, longest), padded between what all share and the rest of each."""
    mask: torch.Tensor
    """(prompts, longest): 0 where padded."""
    cache: DynamicCache | None
    """None where nothing is shared, or the model's layers cannot be repeated so."""


def begin(model: Any, prompts: Sequence[Ids], pad: int) -> Begun:
    """Lay prompts out; encode what they share once, then each distinct prompt once."""
    distinct = [list(prompt) for prompt in sorted(set(map(tuple, prompts)))]
    common = _common(distinct)
    repeats = len(distinct) < len(prompts) and common > 0
    shares = repeats or (len(distinct) > 1 and common >= _WORTHWHILE)
    if not shares or not may_share(model.config):
        inputs = padded(prompts, pad, model.device)
        return Begun(inputs["input_ids"], inputs["attention_mask"], None)
    ids, mask, cache = _side_by_side([_part(model, part, pad) for part in _parts(distinct)], pad)
    number = {tuple(prompt): line for line, prompt in enumerate(distinct)}
    lines = torch.tensor([number[tuple(prompt)] for prompt in prompts], device=model.device)
    cache.batch_select_indices(lines)
    return Begun(ids[lines], mask[lines], cache)


def _parts(prompts: list[Ids]) -> list[list[Ids]]:
    """Cut sorted prompts where neighbours share least, as long as that saves much."""
    if len(prompts) == 1:
        return [prompts]
    at = min(range(1, len(prompts)), key=lambda n: shared(prompts[n - 1], prompts[n]))
    parts, whole = [prompts[:at], prompts[at:]], _tokens(prompts)
    if sum(map(_tokens, parts)) > min(_LESS * whole, whole - _FEWER):
        return [prompts]
    return [*_parts(parts[0]), *_parts(parts[1])]


def _tokens(prompts: Sequence[Ids]) -> int:
    """Count the tokens that are encoded for prompts with one common beginning, padding too."""
    common = _common(prompts)
    return common + len(prompts) * (max(map(len, prompts)) - common)


_Part = tuple[torch.Tensor, torch.Tensor, DynamicCache]
"""Ids, mask and states of prompts with one common beginning."""


def _part(model: Any, prompts: Sequence[Ids], pad: int) -> _Part:
    common = _common(prompts)
    ids, mask = _laid_out(prompts, common, pad, model.device)
    return ids, mask, _encoded(model, ids[:, :-1], mask[:, :-1], common)


def _side_by_side(parts: Sequence[_Part], pad: int) -> _Part:
    """Put parts below each other, the shorter ones padded on the left."""
    if len(parts) == 1:
        return parts[0]
    longest = max(ids.shape[1] for ids, _, _ in parts)
    gaps = [longest - ids.shape[1] for ids, _, _ in parts]

    def below(rows: Iterable[torch.Tensor], fill: int = 0, after: int = 0) -> torch.Tensor:
        """Join rows of parts; `after` is how many dimensions stand after the tokens'."""
        return torch.cat(
            [
                wider(each, (*[0] * 2 * after, gap, 0), value=fill)
                for each, gap in zip(rows, gaps, strict=True)
            ]
        )

    layers = zip(*(cache.layers for _, _, cache in parts), strict=True)
    states = [
        (
            below((one.keys for one in layer), after=1),
            below((one.values for one in layer), after=1),
        )
        for layer in layers
    ]
    ids = below((ids for ids, _, _ in parts), fill=pad)
    return ids, below(mask for _, mask, _ in parts), DynamicCache(states)


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
