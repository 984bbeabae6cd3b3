import pytest
import torch
from transformers import AutoModelForCausalLM

from rlaif.records import Prompt
from rlaif.training.dataset import messages_of, prompt_ids
from rlaif.training.draws import How, draw
from rlaif.training.folder import load_tokenizer
from rlaif.training.tiny import make_tiny_model

PROMPTS = [Prompt.of("one"), Prompt.of("a longer question")]


def test_answers_stand_by_prompt_and_the_seed_repeats_them(tiny_model) -> None:
    how = How(samples=3, max_new_tokens=5, batch=4)
    drawn = draw(tiny_model, PROMPTS, how, 7)
    assert [one.prompt.text for one in drawn] == ["one"] * 3 + ["a longer question"] * 3
    assert all(1 <= one.tokens <= 5 for one in drawn)
    assert drawn == draw(tiny_model, PROMPTS, how, 7)
    assert drawn != draw(tiny_model, PROMPTS, how, 8)


def test_a_policy_has_not_moved_from_itself(tiny_model) -> None:
    drawn = draw(tiny_model, PROMPTS, How(4, 6), 0, start=tiny_model)
    assert [one.moved for one in drawn] == [0.0] * 8


def test_how_far_it_moved_is_the_difference_of_log_probabilities(tiny_model, tmp_path) -> None:
    other = make_tiny_model(tmp_path / "other", seed=5)
    tokenizer = load_tokenizer(tiny_model)
    models = [AutoModelForCausalLM.from_pretrained(m) for m in (other, tiny_model)]
    # The two prompts differ in length, so that one row is padded.
    for one in draw(other, PROMPTS, How(4, 6), 1, start=tiny_model):
        before = prompt_ids(tokenizer, messages_of(one.prompt))
        after = tokenizer(one.text, add_special_tokens=False)["input_ids"]
        after += [tokenizer.eos_token_id] * (one.tokens - len(after))
        if len(after) != one.tokens or one.tokens - len(tokenizer(one.text)["input_ids"]) > 1:
            continue  # bytes that are no text
        logps = []
        for model in models:
            with torch.no_grad():
                out = model(torch.tensor([before + after])).logits[0].log_softmax(-1)
            at = range(len(before) - 1, len(before) + len(after) - 1)
            logps.append(sum(out[place, t].item() for place, t in zip(at, after, strict=True)))
        if tokenizer.decode(after, skip_special_tokens=True) == one.text and "�" not in one.text:
            assert one.moved == pytest.approx(logps[0] - logps[1], abs=1e-3)
