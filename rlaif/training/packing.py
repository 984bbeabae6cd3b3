"""Several answers to one prompt as one row, the prompt encoded once.

A row holds what the answers begin with, then what is each one's own. An answer's tokens see the
beginning and their own answer alone, at the places that they have there, so that every score is
what rows of their own would give. It takes a model whose every layer sees all tokens before, by a
mask that can be given (sdpa or plain attention); any other reads a row for each answer.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from transformers.modeling_outputs import SequenceClassifierOutput

from rlaif.backends.sharing import may_share

Ids = Sequence[int]


class Row(NamedTuple):
    """Answers laid out behind their common beginning."""

    ids: list[int]
    positions: list[int]
    begins: list[int]
    """Where each answer's own tokens begin."""
    shared: int
    """Tokens that all answers begin with."""


def lay_out(answers: Sequence[Ids]) -> Row:
    """Lay out whole token sequences, prompt and answer; each keeps a token of its own at least."""
    shared = min(common(answers), *(len(answer) - 1 for answer in answers))
    row = Row(list(answers[0][:shared]), list(range(shared)), [], shared)
    for answer in answers:
        row.begins.append(len(row.ids))
        row.ids.extend(answer[shared:])
        row.positions.extend(range(shared, len(answer)))
    return row


def common(answers: Sequence[Ids]) -> int:
    """Count the tokens that all begin with.

    >>> common([[1, 2, 3], [1, 2, 4, 5]])
    2
    """
    # What the first and the last in order share, all between them share.
    low, high = min(map(list, answers)), max(map(list, answers))
    for place, (one, other) in enumerate(zip(low, high, strict=False)):
        if one != other:
            return place
    return min(len(low), len(high))


def pack(prompts: Sequence[Sequence[Ids]], padding: int) -> dict[str, torch.Tensor]:
    """Lay out the answers to each prompt as one row.

    Gives `input_ids` and `position_ids`, (rows, tokens); `sees`, (rows, 1, tokens, tokens), which
    token sees which; and `ends`, (answers, 2), the row and the place that each answer's score is
    read at, in order: its last token that is no padding token, as transformers reads it.
    """
    packed = [lay_out(answers) for answers in prompts]
    size = max(len(row.ids) for row in packed)
    # Padding sees itself: attention over nothing is not a number.
    sees = torch.eye(size, dtype=torch.bool).repeat(len(packed), 1, 1)
    ends = []
    for number, row in enumerate(packed):
        for begin, end in zip(row.begins, [*row.begins[1:], len(row.ids)], strict=True):
            sees[number, begin:end, : row.shared] = True
            sees[number, begin:end, begin:end] |= _before(end - begin)
            ends.append((number, _last(row, begin, end, padding)))
        sees[number, : row.shared, : row.shared] |= _before(row.shared)
    return {
        "input_ids": _padded([row.ids for row in packed], size, padding),
        "position_ids": _padded([row.positions for row in packed], size, 0),
        "sees": sees[:, None],
        "ends": torch.tensor(ends),
    }


def _before(size: int) -> torch.Tensor:
    return torch.ones(size, size, dtype=torch.bool).tril()


def _last(row: Row, begin: int, end: int, padding: int) -> int:
    """Find an answer's last token that is no padding token, in its own part or before it."""
    places = (*range(end - 1, begin - 1, -1), *range(row.shared - 1, -1, -1))
    return next((place for place in places if row.ids[place] != padding), begin)


def _padded(rows: Sequence[list[int]], size: int, fill: int) -> torch.Tensor:
    return torch.tensor([row + [fill] * (size - len(row)) for row in rows])


def mask_of(config: Any, sees: torch.Tensor) -> torch.Tensor:
    """Give what attention takes: truth values, or with plain attention what is added."""
    if config.get_text_config()._attn_implementation == "sdpa":
        return sees
    return torch.zeros(sees.shape, device=sees.device).masked_fill(
        ~sees, torch.finfo(torch.float16).min
    )


def can_pack(model: Any) -> bool:
    """Say whether a model's config lets several answers stand in a row."""
    return may_share(model.config) and hasattr(model, "score")


def add_packed_forward(model: Any) -> None:
    """Let a sequence classifier read packed rows too, where `ends` is given.

    Inside `forward`, as wrappers (an adapter's, a distributed trainer's) hook on to that alone.
    """
    plain = model.forward

    def forward(*args: Any, ends: torch.Tensor | None = None, **how: Any) -> Any:
        if ends is None:
            return plain(*args, **how)
        base = getattr(model, model.base_model_prefix)
        read = ("input_ids", "attention_mask", "position_ids", "use_cache")
        hidden = base(**{name: how[name] for name in read if name in how}).last_hidden_state
        rows, places = ends.unbind(1)
        return SequenceClassifierOutput(logits=model.score(hidden[rows, places]))

    model.forward = forward
