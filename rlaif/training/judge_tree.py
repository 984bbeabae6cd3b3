"""Ask many questions after one reply in one row: the reply is read once, no question sees another.

Each question is a branch: it sees the shared opening and itself, at the positions it would have if
it were alone, so that its answer is the one that a single question would get.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from rlaif.templates import Template

Ask = Literal["absolute", "compare", "score"]
"""How a judge is asked, by the name of the shipped template that asks so."""
SIDES: dict[Ask, tuple[str, str]] = {
    "absolute": ("Yes", "No"),
    "compare": ("A", "B"),
    "score": ("9", "2"),
}
"""What is answered where the statement is true of the reply (of the first), and where it is not.

A score's ends are left for what is beyond doubt, and a 10 is two tokens to many tokenizers.
"""
PROMPT_CHARACTERS = 600
"""Of a longer conversation the judge is shown the end."""
REPLY_CHARACTERS = 700
"""Of a longer reply the judge is shown the beginning."""
_MARK = "\u241f"
_WIDTHS = 64


class Shown(NamedTuple):
    """What a judge is shown before it is asked; `other` is the second reply of a comparison."""

    prompt: str
    reply: str
    other: str = ""


class Row(NamedTuple):
    """A shared opening and its branches, as token ids."""

    opening: list[int]
    branches: list[list[int]]


class Packed(NamedTuple):
    """A batch of rows as tensors."""

    ids: torch.Tensor
    positions: torch.Tensor
    segments: torch.Tensor
    """Of each place: 0 in the opening, the number of its branch, or -1 where a row is filled up."""
    ends: tuple[torch.Tensor, torch.Tensor]
    """The places that the answers are read at: rows, and columns."""

    def on(self, device: str | torch.device) -> "Packed":
        """Move the tensors to a device."""
        lines, columns = self.ends
        return Packed(
            self.ids.to(device),
            self.positions.to(device),
            self.segments.to(device),
            (lines.to(device), columns.to(device)),
        )


@cache
def _template(ask: Ask) -> Template:
    return Template.load(ask)


def judge_messages(shown: Shown, statement: str, ask: Ask = "absolute") -> list[dict[str, str]]:
    """Write the question to the judge, in the words of the template that asks it."""
    prompt, reply = shown_prompt(shown.prompt), shown_reply(shown.reply)
    other = shown_reply(shown.other)
    replies = {"first": reply, "second": other} if ask == "compare" else {"reply": reply}
    request = _template(ask).render("", {"prompt": prompt, "principle": statement, **replies})
    return [{"role": each.role, "content": each.content} for each in request.messages]


def shown_prompt(prompt: str) -> str:
    """Cut a conversation to what the judge is shown of it."""
    return prompt.strip()[-PROMPT_CHARACTERS:]


def shown_reply(reply: str) -> str:
    """Cut a reply to what the judge is shown of it."""
    return reply.strip()[:REPLY_CHARACTERS]


def rendered(
    tokenizer: PreTrainedTokenizerBase, shown: Shown, statement: str, ask: Ask = "absolute"
) -> str:
    """Render one question in the model's own chat template, up to where the answer starts."""
    messages = judge_messages(shown, statement, ask)
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return str(text)


def row(
    tokenizer: PreTrainedTokenizerBase,
    shown: Shown,
    statements: Sequence[str],
    ask: Ask = "absolute",
) -> Row:
    """Tokenise the opening once and each statement as a branch."""
    marked = rendered(tokenizer, shown, _MARK, ask)
    # The statement stands last: what is shown may hold the mark, too.
    opening, _, closing = marked.rpartition(f" {_MARK}")
    texts = [opening, *(f" {statement}{closing}" for statement in statements)]
    first, *branches = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return Row(first, branches)


def pack(rows: Sequence[Row], padding: int, device: str | torch.device = "cpu") -> Packed:
    """Lay rows side by side with a mask that keeps branches from seeing each other."""
    longest = max(len(r.opening) + sum(map(len, r.branches)) for r in rows)
    # A few widths instead of hundreds: CPU kernels are made anew for every shape.
    width = -(-longest // _WIDTHS) * _WIDTHS
    ids, positions, segments = [], [], []
    where: list[tuple[int, int]] = []
    for index, r in enumerate(rows):
        opened = len(r.opening)
        line, places, parts = list(r.opening), list(range(opened)), [0] * opened
        for number, branch in enumerate(r.branches, start=1):
            line += branch
            places += range(opened, opened + len(branch))
            parts += [number] * len(branch)
            where.append((index, len(line) - 1))
        rest = width - len(line)
        ids.append(line + [padding] * rest)
        positions.append(places + [0] * rest)
        segments.append(parts + [-1] * rest)
    lines, columns = zip(*where, strict=True)
    ends = (torch.tensor(lines), torch.tensor(columns))
    made = Packed(torch.tensor(ids), torch.tensor(positions), torch.tensor(segments), ends)
    return made.on(device)


def _mask(segments: torch.Tensor) -> torch.Tensor:
    """Let each place see the opening and its own branch, never what comes later."""
    queries, keys = segments[:, :, None], segments[:, None, :]
    width = segments.shape[1]
    earlier = torch.ones(width, width, dtype=torch.bool, device=segments.device).tril()
    seen = ((keys == 0) | (keys == queries)) & earlier
    return seen[:, None]


def answer_logits(model: PreTrainedModel, packed: Packed) -> torch.Tensor:
    """Give each branch's next-token logits, one line a branch, in the order of the rows."""
    core: Any = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = core.get_decoder()(
        input_ids=packed.ids,
        attention_mask=_mask(packed.segments),
        position_ids=packed.positions,
        use_cache=False,
    ).last_hidden_state
    logits: torch.Tensor = core.get_output_embeddings()(hidden[packed.ends])
    return logits.float()


def answer_ids(tokenizer: PreTrainedTokenizerBase, ask: Ask = "absolute") -> tuple[int, int]:
    """Give the tokens that the two answers start with: where it is true, and where it is not."""
    yes, no = (tokenizer.encode(word, add_special_tokens=False)[0] for word in SIDES[ask])
    return yes, no
