"""QLoRA for real, on the CPU: what is written is what was trained."""

import importlib.util

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from rlaif.errors import InputError
from rlaif.records import Prompt
from rlaif.training.config import LoRA, OptimizeConfig, RewardConfig, SFTConfig
from rlaif.training.folder import merged
from rlaif.training.optimize.by_reward import train_by_reward
from rlaif.training.optimize.dpo import train_dpo
from rlaif.training.quantised import is_quantised, quantisation, train_in_full
from rlaif.training.reward import train_reward_model
from rlaif.training.sft import train_sft
from tests.training.optimize.test_dpo import a_trainer

FEW = LoRA(r=4, bits=4)
needs_bitsandbytes = pytest.mark.skipif(
    importlib.util.find_spec("bitsandbytes") is None, reason="needs bitsandbytes"
)


def test_without_the_library_it_is_one_line_that_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"lora.bits: 4 needs bitsandbytes: pip install") as told:
        quantisation(FEW, "float32")
    assert "\n" not in str(told.value)


def test_without_bits_a_model_is_loaded_as_ever() -> None:
    assert quantisation(LoRA(), "float32") == quantisation(None, "float32") == {}


@needs_bitsandbytes
def test_what_is_written_says_what_the_trained_model_said(
    tiny_model, preferences, tmp_path
) -> None:
    config = OptimizeConfig(lora=LoRA(r=4, bits=4, layers_from=1), precision="float32")
    trainer, _, tokenizer = a_trainer(tiny_model, preferences[:4], tmp_path, config)
    assert is_quantised(trainer.model)
    train_in_full(trainer.model)
    with torch.no_grad():
        for name, weight in trainer.model.named_parameters():
            if "lora_B" in name:
                weight.add_(0.02)
    ids = torch.tensor([tokenizer("How do I boil an egg?")["input_ids"]])
    with torch.no_grad():
        before = trainer.model.eval()(input_ids=ids).logits
        whole = merged(trainer.model)
        after = whole(input_ids=ids).logits
    assert not is_quantised(whole)
    assert (before - after).abs().max().item() < 1e-4
    start = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    assert (start(input_ids=ids).logits - after).abs().max().item() > 5e-2


@needs_bitsandbytes
def test_what_is_trained_is_held_in_float32(tiny_model, preferences, tmp_path) -> None:
    config = OptimizeConfig(lora=LoRA(r=4, bits=8), precision="float32")
    trainer, _, _ = a_trainer(tiny_model, preferences[:4], tmp_path, config)
    train_in_full(trainer.model)
    trained = [weight for weight in trainer.model.parameters() if weight.requires_grad]
    assert {weight.dtype for weight in trained} == {torch.float32}
    assert not is_quantised(merged(trainer.model))


@needs_bitsandbytes
@pytest.mark.slow
def test_every_trainer_takes_it(tiny_model, preferences, tmp_path) -> None:
    few = {"lora": FEW, "steps": 2, "batch": 4}
    rows = [(Prompt.of(f"question {number}"), "Yes!") for number in range(8)]
    train_sft(rows, SFTConfig(**few), tiny_model, tmp_path / "sft")
    train_dpo(preferences, OptimizeConfig(**few), tiny_model, tmp_path / "dpo")
    online = OptimizeConfig(**few, method="online-dpo", max_new_tokens=4)
    asked = [row.prompt for row in preferences[:4]]
    train_by_reward(
        asked,
        lambda _, texts: [float(len(text)) for text in texts],
        online,
        tiny_model,
        tmp_path / "online",
    )
    train_reward_model(preferences, RewardConfig(**few), tiny_model, tmp_path / "reward")
    for name in ("sft", "dpo", "online"):
        AutoModelForCausalLM.from_pretrained(tmp_path / name)
    reward = AutoModelForSequenceClassification.from_pretrained(tmp_path / "reward")
    assert reward.score.weight.shape[0] == 1
