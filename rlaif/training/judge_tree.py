"""Ask many questions after one reply in one row: the reply is read once, no question sees another.

Each question is a branch: it sees the shared opening and itself, at the positions it would have if
it were alone, so that its answer is the one that a single question would get.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

SYSTEM = "You judge replies by one statement at a time."
PROMPT_CHARACTERS = 600
"""Of a longer conversation the judge is shown the end."""
REPLY_CHARACTERS = 700
"""Of a longer reply the judge is shown the beginning."""
_USER = (
    "Read the exchange and say whether the statement that follows it is true of the reply. "
    "Answer with one word, Yes or No.\n\n<prompt>\n{prompt}\n</prompt>\n\n"
    "<reply>\n{reply}\n</reply>\n\nStatement: {statement}"
)
_BETWEEN = "Statement:"
_WIDTHS = 64


class Row(NamedTuple):
    """A shared opening and its branches, as token ids."""

    opening: list[int]
    branches: list[list[int]]


class Packed(NamedTuple):
    """A batch of rows as tensors; `ends` are the places that the answers are read at."""

    ids: torch.Tensor
    positions: torch.Tensor
    mask: torch.Tensor
    ends: tuple[torch.Tensor, torch.Tensor]


def judge_messages(prompt: str, reply: str, statement: str) -> list[dict[str, str]]:
    """Write the question to the judge; the one place that knows its wording."""
    user = _USER.format(prompt=shown_prompt(prompt), reply=shown_reply(reply), statement=statement)
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": user}]


def shown_prompt(prompt: str) -> str:
    """Cut a conversation to what the judge is shown of it."""
    return prompt.strip()[-PROMPT_CHARACTERS:]


def shown_reply(reply: str) -> str:
    """Cut a reply to what the judge is shown of it."""
    return reply.strip()[:REPLY_CHARACTERS]


def rendered(tokenizer: PreTrainedTokenizerBase, prompt: str, reply: str, statement: str) -> str:
    """Render one question in the model's own chat template, up to where the answer starts."""
    messages = judge_messages(prompt, reply, statement)
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return str(text)


def row(
    tokenizer: PreTrainedTokenizerBase, prompt: str, reply: str, statements: Sequence[str]
) -> Row:
    """Tokenise the opening once and each statement as a branch."""
    marked = rendered(tokenizer, prompt, reply, "\u241f")
    opening, _, closing = marked.rpartition(" \u241f")
    branches = [
        tokenizer.encode(f" {statement}{closing}", add_special_tokens=False)
        for statement in statements
    ]
    return Row(tokenizer.encode(opening, add_special_tokens=False), branches)


def pack(rows: Sequence[Row], padding: int, device: str | torch.device = "cpu") -> Packed:
    """Lay rows side by side with a mask that keeps branches from seeing each other."""
    longest = max(len(r.opening) + sum(map(len, r.branches)) for r in rows)
    # A few widths instead of hundreds: CPU kernels are made anew for every shape.
    width = -(-longest // _WIDTHS) * _WIDTHS
    ids = torch.full((len(rows), width), padding)
    positions = torch.zeros((len(rows), width), dtype=torch.long)
    segments = torch.full((len(rows), width), -1)
    where: list[tuple[int, int]] = []
    for index, r in enumerate(rows):
        start = len(r.opening)
        ids[index, :start] = torch.tensor(r.opening)
        positions[index, :start] = torch.arange(start)
        segments[index, :start] = 0
        at = start
        for number, branch in enumerate(r.branches, start=1):
            end = at + len(branch)
            ids[index, at:end] = torch.tensor(branch)
            positions[index, at:end] = torch.arange(start, start + len(branch))
            segments[index, at:end] = number
            where.append((index, end - 1))
            at = end
    mask = _mask(segments)
    lines, columns = zip(*where, strict=True)
    ends = (torch.tensor(lines, device=device), torch.tensor(columns, device=device))
    return Packed(ids.to(device), positions.to(device), mask.to(device), ends)


def _mask(segments: torch.Tensor) -> torch.Tensor:
    """Let each place see the opening and its own branch, never what comes later."""
    queries, keys = segments[:, :, None], segments[:, None, :]
    earlier = torch.ones(segments.shape[1], segments.shape[1], dtype=torch.bool).tril()
    seen = ((keys == 0) | (keys == queries)) & earlier
    return seen[:, None]


def answer_logits(model: PreTrainedModel, packed: Packed) -> torch.Tensor:
    """Give each branch's next-token logits, one line a branch, in the order of the rows."""
    core: Any = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = core.get_decoder()(
        input_ids=packed.ids,
        attention_mask=packed.mask,
        position_ids=packed.positions,
        use_cache=False,
    ).last_hidden_state
    logits: torch.Tensor = core.get_output_embeddings()(hidden[packed.ends])
    return logits.float()


def answer_ids(tokenizer: PreTrainedTokenizerBase) -> tuple[int, int]:
    """Give the tokens that Yes and No start with."""
    yes, no = (tokenizer.encode(word, add_special_tokens=False)[0] for word in ("Yes", "No"))
    return yes, no
