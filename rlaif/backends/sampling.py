"""Draws of tokens that depend on a request's own seed, and on nothing else in its batch."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import LogitsProcessor, StoppingCriteria

from rlaif.records import Request, Sampling

_LIKELIEST = 1024


class SeededDraw(LogitsProcessor):  # type: ignore[misc]
    """Turns the greedy choice into a draw from each row's own generator (the Gumbel-max trick).

    The likeliest token after adding Gumbel noise is a sample of the softmax; the noise depends on
    the row's seed, the step and the token alone.
    """

    def __init__(self, requests: Sequence[Request], prompt: int) -> None:
        """Draw for these requests, after a prompt of so many tokens."""
        self._sampling = [request.sampling for request in requests]
        self._prompt = prompt

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Leave one token to choose in each drawn row of (batch, vocabulary) scores."""
        step = input_ids.shape[1] - self._prompt
        for row, sampling in enumerate(self._sampling):
            if sampling.temperature > 0:
                token = drawn(scores[row].float(), sampling, step)
                scores[row] = float("-inf")
                scores[row, token] = 0.0
        return scores


def drawn(logits: torch.Tensor, sampling: Sampling, step: int) -> torch.Tensor:
    """Draw one token of (vocabulary,) logits, the same on every device."""
    generator = torch.Generator()
    generator.manual_seed((sampling.seed * 1_000_003 + step) % 2**63)
    # A number for each token of the vocabulary, so that a token's luck does not depend on which
    # others are kept.
    uniform = torch.rand(len(logits), generator=generator, dtype=torch.float64)
    kept, places = nucleus(logits / sampling.temperature, sampling.top_p)
    gumbel = -torch.log(-torch.log(uniform[places.cpu()].clamp(min=1e-300)))
    return places[(kept.cpu() + gumbel).argmax()]


def nucleus(logits: torch.Tensor, top_p: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Give the logits, and the places, of the smallest set of tokens that holds `top_p`."""
    # Sorting a whole vocabulary takes as long as a small model's step, and few tokens count.
    for size in (min(_LIKELIEST, len(logits)), len(logits)):
        ordered, places = logits.topk(size)
        shares = torch.exp(ordered - logits.logsumexp(-1))
        below = shares.cumsum(-1) - shares < top_p
        if not below.all():
            break
    return ordered[below], places[below]


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
