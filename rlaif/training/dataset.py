"""From records to what trainers read; rows that cannot be trained on are counted, never lost."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from transformers import PreTrainedTokenizerBase

from rlaif.errors import StageError
from rlaif.records import Preference, Prompt

Row = TypeVar("Row")


def messages_of(prompt: Prompt) -> list[dict[str, str]]:
    """Write a prompt as the plain messages that chat templates take."""
    return [{"role": message.role, "content": message.content} for message in prompt.messages]


def conversation_ids(tokenizer: PreTrainedTokenizerBase, prompt: Prompt, reply: str) -> list[int]:
    """Tokenise a prompt with its reply: the one text that reward models train on and score."""
    messages = [*messages_of(prompt), {"role": "assistant", "content": reply}]
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def prompt_ids(tokenizer: PreTrainedTokenizerBase, prompt: Prompt) -> list[int]:
    """Tokenise a prompt up to where the assistant's answer starts, as sampling does."""
    text = tokenizer.apply_chat_template(
        messages_of(prompt), tokenize=False, add_generation_prompt=True
    )
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def preference_rows(preferences: Iterable[Preference]) -> list[dict[str, Any]]:
    """Write preferences in TRL's conversational columns, with `p_chosen` and `weight`.

    Raises:
        StageError: for a pair of equal replies, which teaches nothing; names the row.
    """
    rows = []
    for preference in preferences:
        if preference.chosen.text == preference.rejected.text:
            raise StageError(f"preference {preference.id}: both replies are the same text")
        rows.append(
            {
                "prompt": messages_of(preference.prompt),
                "chosen": [{"role": "assistant", "content": preference.chosen.text}],
                "rejected": [{"role": "assistant", "content": preference.rejected.text}],
                "p_chosen": preference.p_chosen,
                "weight": preference.weight,
            }
        )
    return rows


def split_by_prompt(
    rows: Sequence[Row], share: float, seed: int, prompt_of: Callable[[Row], str]
) -> tuple[list[Row], list[Row]]:
    """Split rows so that no prompt is on both sides; a prompt's own text decides its side.

    Args:
        rows: what is split.
        share: how much of the prompts goes to the second part, roughly.
        seed: another seed is another split.
        prompt_of: a row's prompt.
    """
    train: list[Row] = []
    kept: list[Row] = []
    for row in rows:
        digest = hashlib.sha256(f"{seed}:{prompt_of(row)}".encode()).digest()
        is_kept = int.from_bytes(digest[:4]) / 2**32 < share
        (kept if is_kept else train).append(row)
    return train, kept


def short_enough(
    rows: Iterable[Row], longest: int, length_of: Callable[[Row], int]
) -> tuple[list[Row], Counter[str]]:
    """Leave out the rows that are too long, and count them."""
    left_out: Counter[str] = Counter()
    kept = []
    for row in rows:
        if length_of(row) > longest:
            left_out["too long"] += 1
        else:
            kept.append(row)
    return kept, left_out
