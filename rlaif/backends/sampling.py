"""Draws of tokens that depend on a request's own seed, and on nothing else in its batch."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import LogitsProcessor, StoppingCriteria

from rlaif.records import Request, Sampling

_LIKELIEST = 1024
_MASK = 2**64 - 1
_STEPS = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


class SeededDraw(LogitsProcessor):  # type: ignore[misc]
    """Turns the greedy choice into a draw by each row's own luck (the Gumbel-max trick).

    The likeliest token after adding Gumbel noise is a sample of the softmax; the noise depends on
    the row's seed, the step and the token alone.
    """

    def __init__(self, requests: Sequence[Request], prompt: int) -> None:
        """Draw for these requests, after a prompt of so many tokens."""
        self._prompt = prompt
        self._rows = [n for n, each in enumerate(requests) if each.sampling.temperature > 0]
        self._sampling = [requests[row].sampling for row in self._rows]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Leave one token to choose in each drawn row of (batch, vocabulary) scores."""
        if self._rows:
            rows = torch.tensor(self._rows, device=scores.device)
            step = input_ids.shape[1] - self._prompt
            tokens = drawn(scores[rows].float(), self._sampling, step)
            scores[rows] = float("-inf")
            scores[rows, tokens] = 0.0
        return scores


def drawn(logits: torch.Tensor, sampling: Sequence[Sampling], step: int) -> torch.Tensor:
    """Draw a token for each line of (lines, vocabulary) logits, on every device the same."""
    heat = torch.tensor([each.temperature for each in sampling], device=logits.device)
    enough = torch.tensor([each.top_p for each in sampling], device=logits.device)
    kept, places = nucleus(logits / heat[:, None], enough)
    keys = torch.tensor([_key(each.seed, step) for each in sampling], device=logits.device)
    chosen = (kept + _gumbel(keys, places)).argmax(-1)
    return places.gather(-1, chosen[:, None])[:, 0]


def nucleus(logits: torch.Tensor, top_p: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Find the smallest set of tokens that holds `top_p`, (lines,), of each line's probability.

    Gives logits, -inf outside the set, and the tokens that they are of, both (lines, likeliest).
    """
    # Sorting a whole vocabulary takes as long as a small model's step, and few tokens count.
    for size in (min(_LIKELIEST, logits.shape[-1]), logits.shape[-1]):
        ordered, places = logits.topk(size)
        shares = torch.exp(ordered - logits.logsumexp(-1, keepdim=True))
        below = shares.cumsum(-1) - shares < top_p[:, None]
        if not below.all(-1).any():
            break
    return ordered.masked_fill(~below, float("-inf")), places


def _key(seed: int, step: int) -> int:
    """Mix a seed and a step into 64 bits, as a signed number."""
    mixed = _mixed_number((_mixed_number(seed & _MASK) + step * _STEPS[0]) & _MASK)
    return mixed - 2**64 if mixed >= 2**63 else mixed


def _mixed_number(value: int) -> int:
    """Mix 64 bits (SplitMix64; Steele et al. 2014, "Fast Splittable Pseudorandom Generators")."""
    value = ((value ^ value >> 30) * _STEPS[1]) & _MASK
    value = ((value ^ value >> 27) * _STEPS[2]) & _MASK
    return value ^ value >> 31


def _gumbel(keys: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Give a Gumbel draw for each line's key and each token, whichever others are kept."""
    mixed = keys[:, None] + places * (_STEPS[0] - 2**64)
    for shift, step in ((30, _STEPS[1]), (27, _STEPS[2])):
        mixed = (mixed ^ _shifted(mixed, shift)) * (step - 2**64)
    bits = _shifted(mixed ^ _shifted(mixed, 31), 11)
    uniform = (bits.double() + 0.5) * 2.0**-53
    return -torch.log(-torch.log(uniform)).float()


def _shifted(bits: torch.Tensor, count: int) -> torch.Tensor:
    """Shift to the right and fill with zeros; torch fills with the sign."""
    return (bits >> count) & ((1 << (64 - count)) - 1)


class Done(StoppingCriteria):  # type: ignore[misc]
    """Ends each row at its own request's limit or stop text, though the batch may go on."""

    def __init__(self, requests: Sequence[Request], prompt: int, tokenizer: Any) -> None:
        """Look at what these requests' rows hold after a prompt of so many tokens."""
        self._limits = torch.tensor([request.sampling.max_tokens for request in requests])
        self._stops = {
            row: request.sampling.stop
            for row, request in enumerate(requests)
            if request.sampling.stop
        }
        self._prompt = prompt
        self._tokenizer = tokenizer

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:  # noqa: ARG002
        """Say of each row whether it is done, (batch,)."""
        done = self._limits <= input_ids.shape[1] - self._prompt
        for row, stops in self._stops.items():
            text = self._tokenizer.decode(input_ids[row, self._prompt :], skip_special_tokens=True)
            done[row] |= any(stop in text for stop in stops)
        return done.to(input_ids.device)
