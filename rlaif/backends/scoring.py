"""The probability of what comes next after many prompts, each prompt encoded whole."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import torch

from rlaif.backends.prefixes import Ids

Scored = tuple[int, list[float]]
"""The number of a path, and its targets' log-probabilities."""


class Scorer(Protocol):
    """What gives the probability of tokens to come."""

    def logprobs(self, paths: Sequence[Ids], targets: Sequence[Ids]) -> Iterator[Scored]:
        """Give each path's targets' log-probabilities of coming next; each path once, any order."""
        ...


class Padded:
    """Encodes every path whole, in padded batches: slow, and right for any model."""

    def __init__(self, model: Any, *, batch: int, tokens: int) -> None:
        """Score with a model, in batches of so many paths, and of so many tokens at most."""
        self._model = model
        self._batch = batch
        self._tokens = tokens

    def logprobs(self, paths: Sequence[Ids], targets: Sequence[Ids]) -> Iterator[Scored]:
        """Give each path's targets' log-probabilities of coming next; each path once, any order."""
        order = sorted(range(len(paths)), key=lambda number: len(paths[number]))
        while order:
            # Longest first, so that the first of a batch says how many fit.
            fit = max(1, min(self._batch, self._tokens // len(paths[order[-1]])))
            numbers, order = order[-fit:], order[:-fit]
            inputs = padded([paths[number] for number in numbers], 0, self._model.device)
            with torch.inference_mode():
                logits = self._model(**inputs, logits_to_keep=1).logits[:, -1]
                scored = list(read(logits, [(number, targets[number]) for number in numbers]))
            yield from scored


def read(logits: torch.Tensor, asked: Sequence[tuple[int, Ids]]) -> Iterator[Scored]:
    """Read log-probabilities, over the whole vocabulary, from (paths, vocabulary) logits.

    Args:
        logits: a line for each path.
        asked: each path's number and the tokens to read.
    """
    logits = logits.float()
    lines = [line for line, (_, tokens) in enumerate(asked) for _ in tokens]
    places = [token for _, tokens in asked for token in tokens]
    values = iter((logits[lines, places] - logits.logsumexp(-1)[lines]).tolist())
    for number, tokens in asked:
        yield number, [next(values) for _ in tokens]


def padded(paths: Sequence[Ids], pad: int, device: torch.device) -> dict[str, torch.Tensor]:
    """Pad on the left: ids, mask and positions, each (paths, longest)."""
    longest = max(len(path) for path in paths)
    ids = torch.tensor([[pad] * (longest - len(path)) + list(path) for path in paths])
    mask = torch.tensor([[0] * (longest - len(path)) + [1] * len(path) for path in paths])
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    named = {"input_ids": ids, "attention_mask": mask, "position_ids": positions}
    return {name: tensor.to(device) for name, tensor in named.items()}
