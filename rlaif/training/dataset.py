"""Records to training rows: one place decides which tokens a model sees, and what is left out."""

import random
from collections.abc import Iterable, Sequence
from typing import Any

from rlaif.errors import InputError, MissingModelError
from rlaif.records import Preference, Prompt, Revision
from rlaif.training.split import digest

Row = dict[str, Any]

_MARK = "≡answer≡"


def messages_of(prompt: Prompt) -> list[dict[str, str]]:
    """Give the conversation in the form that chat templates read."""
    return [{"role": turn.role, "content": turn.content} for turn in prompt.messages]


def sft_rows(pairs: Iterable[Revision | tuple[Prompt, str]]) -> list[Row]:
    """Give TRL's conversational prompt and completion rows.

    Raises:
        InputError: for an answer of nothing.
    """
    rows = []
    for pair in pairs:
        prompt, text = (pair.prompt, pair.after.text) if isinstance(pair, Revision) else pair
        if not text.strip():
            raise InputError(f"row {prompt.id}: the answer to imitate is empty; leave the row out")
        rows.append(
            {"id": prompt.id, "prompt": messages_of(prompt), "completion": [_assistant(text)]}
        )
    return rows


def preference_rows(preferences: Iterable[Preference]) -> list[Row]:
    """Give TRL's conversational preference rows, with each label's probability, weight and stamp.

    Raises:
        InputError: for a pair of equal texts, which holds no preference.
    """
    rows = []
    for preference in preferences:
        if preference.chosen.text == preference.rejected.text:
            raise InputError(
                f"row {preference.id}: chosen and rejected are the same text; leave the row out"
            )
        rows.append(
            {
                "id": preference.id,
                "prompt": messages_of(preference.prompt),
                "chosen": [_assistant(preference.chosen.text)],
                "rejected": [_assistant(preference.rejected.text)],
                "p_chosen": preference.p_chosen,
                "weight": preference.weight,
                "despite": list(preference.despite),
            }
        )
    return rows


def split_by_prompt(
    preferences: Sequence[Preference], share: float, seed: int
) -> tuple[list[Preference], list[Preference]]:
    """Split into training and held-out rows, all rows of one conversation on the same side."""
    # By the text, not the id: the same question under two ids would leak across.
    keys = [digest(preference.prompt) for preference in preferences]
    held_out = held_out_of(keys, share, seed)
    train = [row for row, key in zip(preferences, keys, strict=True) if key not in held_out]
    return train, [row for row, key in zip(preferences, keys, strict=True) if key in held_out]


def held_out_of(digests: Iterable[str], share: float, seed: int) -> set[str]:
    """Draw what is held out of conversations, by what stands for them."""
    drawn = sorted(set(digests))
    random.Random(f"{seed}:split").shuffle(drawn)
    return set(drawn[: round(len(drawn) * share)])


def prompt_ids(tokenizer: Any, messages: list[dict[str, str]]) -> list[int]:
    """Give the tokens that the policy reads before it answers, in training and in sampling."""
    _needs_template(tokenizer)
    whole = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return _ids(tokenizer, whole)


def answer_ids(tokenizer: Any, text: str, ending: str) -> list[int]:
    """Give the tokens of an answer and of the end of the turn, as sampling would draw them."""
    return _ids(tokenizer, text + ending)


def end_of_turn(tokenizer: Any) -> str:
    """Find what the chat template writes after an answer, such as `<|im_end|>`."""
    _needs_template(tokenizer)
    shown = [{"role": "user", "content": "?"}, _assistant(_MARK)]
    whole: str = tokenizer.apply_chat_template(shown, tokenize=False)
    # The template's line break after the mark is never sampled: generation has stopped by then.
    return whole.rpartition(_MARK)[2].strip() or str(tokenizer.eos_token)


def conversation_ids(
    tokenizer: Any, conversations: Sequence[list[dict[str, str]]], texts: Sequence[str]
) -> list[list[int]]:
    """Give the tokens that a reward model reads of each answer, in training and in scoring."""
    _needs_template(tokenizer)
    asked = zip(conversations, texts, strict=True)
    answered = [[*messages, _assistant(text)] for messages, text in asked]
    whole = tokenizer.apply_chat_template(answered, tokenize=False)
    # The template has written the special tokens already.
    ids: list[list[int]] = tokenizer(whole, add_special_tokens=False)["input_ids"]
    return ids


def sft_tokens(tokenizer: Any, rows: Sequence[Row], max_length: int) -> tuple[list[Row], int]:
    """Tokenise, the labels on the answer alone; give the rows that fit and count the others."""
    ending = end_of_turn(tokenizer)
    tokens = []
    for row in rows:
        prompt = prompt_ids(tokenizer, row["prompt"])
        answer = answer_ids(tokenizer, row["completion"][0]["content"], ending)
        labels = [-100] * len(prompt) + answer
        tokens.append({"input_ids": prompt + answer, "labels": labels, "length": len(labels)})
    return _that_fit(tokens, max_length)


def dpo_tokens(tokenizer: Any, rows: Sequence[Row], max_length: int) -> tuple[list[Row], int]:
    """Tokenise pairs for a policy; give the rows that fit and count the others."""
    ending = end_of_turn(tokenizer)
    tokens = []
    for row in rows:
        prompt = prompt_ids(tokenizer, row["prompt"])
        chosen = answer_ids(tokenizer, row["chosen"][0]["content"], ending)
        rejected = answer_ids(tokenizer, row["rejected"][0]["content"], ending)
        ids = {"prompt_ids": prompt, "chosen_ids": chosen, "rejected_ids": rejected}
        length = len(prompt) + max(len(chosen), len(rejected))
        tokens.append({**ids, **_label(row), "length": length})
    return _that_fit(tokens, max_length)


def with_even_weights(rows: Sequence[Row]) -> list[Row]:
    """Scale the weights to a mean of 1, so that they compare rows and leave the step size alone."""
    mean = sum(row["weight"] for row in rows) / max(1, len(rows))
    return [{**row, "weight": row["weight"] / mean} for row in rows]


def _that_fit(tokens: list[Row], max_length: int) -> tuple[list[Row], int]:
    kept = [row for row in tokens if row["length"] <= max_length]
    return kept, len(tokens) - len(kept)


def _label(row: Row) -> Row:
    return {"p_chosen": row["p_chosen"], "weight": row["weight"]}


def _assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def _ids(tokenizer: Any, text: str) -> list[int]:
    # The template has written the special tokens already.
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def _needs_template(tokenizer: Any) -> None:
    if not tokenizer.chat_template:
        raise MissingModelError(
            f"{tokenizer.name_or_path}: the model has no chat template; "
            "name an instruction-tuned model, or add chat_template.jinja to its folder"
        )
