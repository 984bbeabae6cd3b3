"""Online DPO: the best of a group against its worst, and nothing of groups that say nothing."""

import math

import pytest
import torch
from transformers import AutoModelForCausalLM

from rlaif.records import Prompt
from rlaif.training.common import repeatable
from rlaif.training.config import LoRA, OptimizeConfig
from rlaif.training.folder import load_tokenizer
from rlaif.training.optimize.by_reward import Job, make_trainer
from rlaif.training.optimize.online import best_and_worst
from rlaif.training.optimize.scorer import Scorer
from tests.training.optimize.test_dpo import moved

PROMPTS = [Prompt.of(f"question {number}") for number in range(4)]
CONFIG = OptimizeConfig(
    method="online-dpo",
    steps=1,
    batch=16,
    samples=4,
    beta=0.3,
    learning_rate=2e-2,
    schedule="constant",
    lora=None,
    precision="float32",
    max_new_tokens=10,
)
NONE = math.nan


def count_of_e(_, texts) -> list[float | None]:
    return [float(text.count("e")) for text in texts]


def by_letters(_, texts) -> list[float | None]:
    return [float(len(text)) for text in texts]


def test_the_best_stands_against_the_worst_and_ties_and_silence_count_for_nothing() -> None:
    rewards = torch.tensor(
        [[1.0, 3.0, 2.0], [NONE, 0.0, -1.0], [2.0, 2.0, 2.0], [NONE, 5.0, NONE], [NONE] * 3]
    )
    best, worst, kept = best_and_worst(rewards)
    assert kept.tolist() == [1, 1, 0, 0, 0]
    assert best[:2].tolist() == [1, 4]
    assert worst[:2].tolist() == [0, 5]


def a_trainer(model, folder, reward=count_of_e, config=CONFIG):
    tokenizer = load_tokenizer(model)
    job = Job(PROMPTS, Scorer(PROMPTS, reward), tokenizer, config, model)
    with repeatable(0):
        trainer = make_trainer(job, folder, 0)
    trainer.model.train()
    return trainer, tokenizer


@pytest.mark.parametrize("lora", [None, LoRA(r=4)])
def test_the_loss_of_what_was_sampled_is_dpos(tiny_model, tmp_path, lora) -> None:
    config = CONFIG.model_copy(update={"lora": lora})
    trainer, _ = a_trainer(tiny_model, tmp_path, by_letters, config)
    trainer.current_gradient_accumulation_steps = 1
    batch = next(iter(trainer.get_train_dataloader()))
    pairs = trainer._prepare_inputs(batch)
    assert pairs["chosen_ids"].shape[0] == 4
    start = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    before = trainer.compute_loss(trainer.model, pairs).item()
    assert before == pytest.approx(math.log(2), abs=1e-5)
    assert pairs["weight"].mean().item() == pytest.approx(1)
    moved(trainer)

    def log_probability(model, row: int, side: str) -> float:
        prompt = pairs["prompt_ids"][row][pairs["prompt_mask"][row].bool()]
        answer = pairs[f"{side}_ids"][row][pairs[f"{side}_mask"][row].bool()]
        with torch.no_grad():
            logits = model(torch.cat([prompt, answer])[None]).logits[0].float().log_softmax(-1)
        return logits[len(prompt) - 1 : -1].gather(1, answer[:, None]).sum().item()

    by_hand = 0.0
    for row in range(4):
        ratios = [
            log_probability(trainer.model, row, side) - log_probability(start, row, side)
            for side in ("chosen", "rejected")
        ]
        weight = pairs["weight"][row].item()
        by_hand += weight * math.log1p(math.exp(-0.3 * (ratios[0] - ratios[1]))) / 4
    assert trainer.compute_loss(trainer.model, pairs).item() == pytest.approx(by_hand, abs=1e-4)
    # A model of random weights hardly prefers one word to another.
    words = len(load_tokenizer(tiny_model))
    assert trainer._metrics["train"]["entropy"][0] == pytest.approx(math.log(words), rel=0.02)


def test_a_pair_stays_whole_through_shuffling_and_splitting(tiny_model, tmp_path) -> None:
    config = CONFIG.model_copy(update={"batch": 4, "gradient_accumulation": 4})
    trainer, tokenizer = a_trainer(tiny_model, tmp_path, by_letters, config)
    batch = next(iter(trainer.get_train_dataloader()))
    for _ in range(4):
        pairs = trainer._prepare_inputs(batch)
        trainer._step += 1
        assert pairs["chosen_ids"].shape[0] == 1
        counts = [
            len(tokenizer.decode(pairs[f"{side}_ids"][0], skip_special_tokens=True))
            for side in ("chosen", "rejected")
        ]
        assert counts[0] > counts[1] or pairs["weight"][0] == 0


def test_pairs_that_are_dropped_leave_the_step_to_the_others(tiny_model, tmp_path) -> None:
    def of_one_prompt(prompts, texts) -> list[float | None]:
        return [
            float(len(text)) + at if prompt.text == "question 1" else None
            for at, (prompt, text) in enumerate(zip(prompts, texts, strict=True))
        ]

    trainer, _ = a_trainer(tiny_model, tmp_path, of_one_prompt)
    pairs = trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))
    assert sorted(pairs["weight"].tolist()) == [0, 0, 0, 4]


def test_a_judge_of_ties_alone_moves_nothing(tiny_model, tmp_path) -> None:
    trainer, _ = a_trainer(tiny_model, tmp_path, lambda _, texts: [1.0] * len(texts))
    trainer.current_gradient_accumulation_steps = 1
    pairs = trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))
    trainer.compute_loss(trainer.model, pairs).backward()
    assert max(w.grad.abs().max().item() for w in trainer.model.parameters()) == 0.0


def test_groups_are_held_whole_in_a_pass() -> None:
    with pytest.raises(ValueError, match="batch: online-dpo takes whole groups"):
        OptimizeConfig(method="online-dpo", batch=2, samples=4, gradient_accumulation=2)
