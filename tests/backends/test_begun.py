from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from rlaif.backends.begun import begin

SHARED = list(range(10, 22))
PROMPTS = [[*SHARED, 3, 4, 5], [*SHARED, 6], [*SHARED, 3, 4, 5], [*SHARED, 3, 9, 7, 8, 2]]


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> torch.nn.Module:
    return AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32).eval()


def next_logits(model: torch.nn.Module, prompts: list[list[int]]) -> torch.Tensor:
    """Go on from what is begun, as generation does: by each prompt's last token."""
    ids, mask, cache = begin(model, prompts, pad=0)
    assert cache is not None
    with torch.inference_mode():
        return model(
            input_ids=ids[:, -1:],
            attention_mask=mask,
            position_ids=(mask.sum(-1, keepdim=True) - 1),
            past_key_values=cache,
        ).logits[:, -1]


@pytest.mark.parametrize("prompts", [PROMPTS, PROMPTS[:1] * 3, [SHARED, [*SHARED, 5]]])
def test_what_comes_next_is_what_comes_after_the_prompt_alone(
    model: torch.nn.Module, prompts: list[list[int]]
) -> None:
    logits = next_logits(model, prompts)
    for line, prompt in enumerate(prompts):
        with torch.inference_mode():
            alone = model(torch.tensor([prompt])).logits[0, -1]
        assert torch.allclose(logits[line], alone, atol=1e-4)


def test_the_common_beginning_is_encoded_once_and_each_prompt_once(
    model: torch.nn.Module,
) -> None:
    seen: list[tuple[int, ...]] = []
    hook = model.register_forward_pre_hook(
        lambda _module, _args, given: seen.append(tuple(given["input_ids"].shape)),
        with_kwargs=True,
    )
    try:
        begin(model, PROMPTS, pad=0)
    finally:
        hook.remove()
    assert seen == [(1, 12), (3, 4)]


def test_prompts_that_share_next_to_nothing_are_padded_on_the_left(model: torch.nn.Module) -> None:
    ids, mask, cache = begin(model, [[10, 3], [10, 4, 5]], pad=0)
    assert cache is None
    assert ids.tolist() == [[0, 10, 3], [10, 4, 5]]
    assert mask.tolist() == [[0, 1, 1], [1, 1, 1]]


def test_a_prompt_that_is_the_beginning_of_another_keeps_its_last_token(
    model: torch.nn.Module,
) -> None:
    ids, mask, cache = begin(model, [SHARED, [*SHARED, 5, 6]], pad=0)
    assert cache is not None
    assert cache.get_seq_length() == ids.shape[1] - 1 == 13
    assert mask.sum(-1).tolist() == [12, 14]


def test_prompts_of_two_kinds_are_encoded_apart_and_stand_side_by_side(
    model: torch.nn.Module,
) -> None:
    one, other = list(range(20, 110)), list(range(120, 200))
    prompts = [[*SHARED, *kind, *end] for end in ([3], [4, 5], [6]) for kind in (one, other)]
    seen: list[tuple[int, ...]] = []
    hook = model.register_forward_pre_hook(
        lambda _module, _args, given: seen.append(tuple(given["input_ids"].shape)),
        with_kwargs=True,
    )
    try:
        begin(model, prompts, pad=0)
    finally:
        hook.remove()
    assert seen == [(1, 102), (3, 1), (1, 92), (3, 1)]
    logits = next_logits(model, prompts)
    for line, prompt in enumerate(prompts):
        with torch.inference_mode():
            alone = model(torch.tensor([prompt])).logits[0, -1]
        assert torch.allclose(logits[line], alone, atol=1e-4)
