"""Two answers to one prompt as one row, the prompt encoded once.

A row holds the prompt, then both answers side by side. Each answer's tokens see the prompt and
their own answer alone, at the places that they have there, so that every log-probability is what
two rows would give; a prompt as long as its answers takes a third less arithmetic.
"""

from collections.abc import Sequence
from typing import Any

import torch

from rlaif.training.packing import mask_of

Batch = dict[str, torch.Tensor]

_IGNORED = -100
CLOSE, CLOSE_IN_HALF = 1e-4, 0.02
"""Nats a token by which a shared row may differ from two, by rounding."""


def pack(rows: Sequence[dict[str, Any]], padding: int) -> Batch:
    """Lay out tokenised pairs, one a row.

    Gives `input_ids`, `position_ids`, `shift_labels` and `side` (0 the chosen answer, 1 the
    rejected one, -1 neither), each (rows, tokens), and `sees` (rows, 1, tokens, tokens): which
    token sees which.
    """
    packed = [_lay_out(row) for row in rows]
    size = max(len(row["input_ids"]) for row in packed)
    fill = {"input_ids": padding, "position_ids": 0, "shift_labels": _IGNORED, "side": -1}
    batch = {
        name: torch.tensor([row[name] + [value] * (size - len(row[name])) for row in packed])
        for name, value in fill.items()
    }
    # Padding sees itself: attention over nothing is not a number.
    sees = torch.eye(size, dtype=torch.bool).repeat(len(rows), 1, 1)
    for row, seen in zip(packed, sees, strict=True):
        prompt, end = row["begins"]
        count = len(row["input_ids"])
        seen[:count, :count] |= torch.ones(count, count, dtype=torch.bool).tril()
        seen[end:count, prompt:end] = False
    return {**batch, "sees": sees[:, None]}


def _lay_out(row: dict[str, Any]) -> dict[str, Any]:
    """Lay out one pair; the prompt's last token stands before each answer, which it predicts."""
    prompt, last = row["prompt_ids"][:-1], row["prompt_ids"][-1]
    ids, positions = list(prompt), list(range(len(prompt)))
    labels, sides = [_IGNORED] * len(prompt), [-1] * len(prompt)
    begins = []
    for side, name in enumerate(("chosen_ids", "rejected_ids")):
        answer = row[name]
        begins.append(len(ids))
        ids += [last, *answer[:-1]]
        positions += range(len(prompt), len(prompt) + len(answer))
        labels += answer
        sides += [side] * len(answer)
    return {
        "input_ids": ids,
        "position_ids": positions,
        "shift_labels": labels,
        "side": sides,
        "begins": begins,
    }


def answer_logps(model: Any, batch: Batch, config: Any = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Give the log-probability of each chosen and each rejected answer, (pairs,) each.

    Reads what `pack` made, or the rows of TRL's collator. The model has TRL's fused head, which
    reads the places with a label alone; `config` is the model's, where a wrapper hides it.
    """
    return sums_of(read_answers(model, batch, config).log_probs, batch)


def read_answers(model: Any, batch: Batch, config: Any = None) -> Any:
    """Give what the model's head says of each place: 0 where there is no label."""
    if "sees" in batch:
        how = {
            "position_ids": batch["position_ids"],
            "attention_mask": mask_of(config or model.config, batch["sees"]),
            "shift_labels": batch["shift_labels"],
        }
    else:
        labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, _IGNORED)
        how = {"attention_mask": batch["attention_mask"], "labels": labels}
    return model(input_ids=batch["input_ids"], **how, fused_lm_head=True, use_cache=False)


def sums_of(values: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Add up the places of each chosen and each rejected answer."""
    if "sees" in batch:
        sides = [torch.where(batch["side"] == side, values, 0.0) for side in (0, 1)]
    else:
        sides = list(values.chunk(2))
    return sides[0].sum(dim=1), sides[1].sum(dim=1)
