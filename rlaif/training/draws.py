"""Answers drawn from a policy, each with how far the policy has moved where it says them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers

from rlaif.backends.device import own_device, unspread
from rlaif.records import Prompt
from rlaif.training.common import quiet
from rlaif.training.dataset import messages_of, prompt_ids
from rlaif.training.folder import checked, load_tokenizer, reading


class Draw(NamedTuple):
    """One answer."""

    prompt: Prompt
    text: str
    tokens: int
    """Its length, the end of the turn included."""
    moved: float
    """log π(answer) − log π₀(answer), in nats; its mean over answers of π is KL(π‖π₀)."""


class How(NamedTuple):
    """How answers are drawn."""

    samples: int
    """Answers to each prompt."""
    max_new_tokens: int
    temperature: float = 1.0
    batch: int = 128
    """Answers drawn at once."""


def draw(
    model: Path, prompts: Sequence[Prompt], how: How, seed: int, start: Path | None = None
) -> list[Draw]:
    """Draw answers to each prompt, those of one prompt beside each other.

    `start` is the policy that `moved` is measured from; without one it is 0.

    Raises:
        MissingModelError: for a model that is not there, or not complete.
    """
    with quiet():
        tokenizer = load_tokenizer(model)
        policy, first = _load(model), _load(start) if start else None
        transformers.set_seed(seed)
        asked = [prompt for prompt in prompts for _ in range(how.samples)]
        return [
            drawn
            for at in range(0, len(asked), how.batch)
            for drawn in _draw(policy, first, tokenizer, asked[at : at + how.batch], how)
        ]


def _load(model: Path) -> Any:
    with reading(model), unspread():
        loaded = transformers.AutoModelForCausalLM.from_pretrained(
            checked(model), dtype=torch.float32
        )
    return loaded.to(own_device()).eval()


def _draw(
    policy: Any, first: Any, tokenizer: Any, prompts: Sequence[Prompt], how: How
) -> Iterator[Draw]:
    ids = [prompt_ids(tokenizer, messages_of(prompt)) for prompt in prompts]
    asked = tokenizer.pad({"input_ids": ids}, padding_side="left", return_tensors="pt")
    asked = asked.to(policy.device)
    with torch.inference_mode():
        whole = policy.generate(
            **asked,
            max_new_tokens=how.max_new_tokens,
            do_sample=True,
            temperature=how.temperature,
            # As the trainers draw, whatever the model's folder recommends.
            top_k=0,
            top_p=1.0,
            pad_token_id=tokenizer.pad_token_id,
            synced_gpus=False,
        )
        answers = whole[:, asked["input_ids"].shape[1] :]
        ends = torch.isin(answers, _ends(policy, tokenizer))
        # All up to the first end, and with it.
        kept = (ends.cumsum(1) - ends.int()) == 0
        mask = torch.cat([asked["attention_mask"], kept.int()], dim=1)
        moved = torch.zeros(len(whole), device=whole.device)
        if first is not None:
            logps = [_logps(model, whole, mask, answers.shape[1]) for model in (policy, first)]
            moved = ((logps[0] - logps[1]) * kept).sum(1)
    sizes = kept.sum(1).tolist()
    for prompt, answer, size, far in zip(prompts, answers, sizes, moved.tolist(), strict=True):
        text = tokenizer.decode(answer[:size], skip_special_tokens=True)
        yield Draw(prompt, text, int(size), far)


def _ends(policy: Any, tokenizer: Any) -> torch.Tensor:
    named = policy.generation_config.eos_token_id
    ends = named if isinstance(named, list) else [named]
    known = [end for end in (*ends, tokenizer.eos_token_id) if end is not None]
    return torch.tensor(known, device=policy.device)


def _logps(model: Any, whole: torch.Tensor, mask: torch.Tensor, size: int) -> torch.Tensor:
    """Give the log-probability of each answer's tokens, (answers, size)."""
    places = (mask.cumsum(1) - 1).clamp(min=0)
    logits = model(
        input_ids=whole, attention_mask=mask, position_ids=places, logits_to_keep=size + 1
    ).logits[:, :-1]
    logps: torch.Tensor = logits.float().log_softmax(-1)
    return logps.gather(2, whole[:, -size:, None]).squeeze(2)
