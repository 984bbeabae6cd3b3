import math

import pytest
import torch
import trl
from datasets import Dataset
from transformers import AutoModelForCausalLM

from rlaif.errors import StageError
from rlaif.training.common import Silent, arguments, repeatable
from rlaif.training.config import LoRA, OptimizeConfig
from rlaif.training.dataset import dpo_tokens, messages_of, preference_rows, prompt_ids
from rlaif.training.folder import load_tokenizer
from rlaif.training.optimize.dpo import make_trainer, train_dpo

CONFIG = OptimizeConfig(learning_rate=1e-2, epochs=4, lora=LoRA(r=4))
EXACT = OptimizeConfig(lora=None, precision="float32", beta=0.5)


def log_probability(model, tokenizer, prompt, text: str) -> float:
    before = prompt_ids(tokenizer, messages_of(prompt))
    after = tokenizer(text + "<|im_end|>", add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        logits = model(torch.tensor([before + after])).logits[0].float().log_softmax(-1)
    places = range(len(before) - 1, len(before) + len(after) - 1)
    return sum(logits[place, token].item() for place, token in zip(places, after, strict=True))


@pytest.mark.parametrize("lora", [LoRA(r=4), None])
def test_what_is_preferred_becomes_likelier_against_what_is_not(
    tiny_model, preferences, tmp_path, lora
) -> None:
    config = CONFIG.model_copy(update={"lora": lora})
    trained = train_dpo(preferences, config, tiny_model, tmp_path / "dpo")
    tokenizer = load_tokenizer(trained.path)
    before, after = (
        AutoModelForCausalLM.from_pretrained(path) for path in (tiny_model, trained.path)
    )
    for row in preferences[:6]:
        margins = [
            log_probability(model, tokenizer, row.prompt, row.chosen.text)
            - log_probability(model, tokenizer, row.prompt, row.rejected.text)
            for model in (before, after)
        ]
        assert margins[1] > margins[0]
    assert trained.metrics["accuracy"] > 0.9
    assert trained.metrics["logratio_chosen"] > trained.metrics["logratio_rejected"]


@pytest.mark.parametrize("lora", [LoRA(r=4), None])
def test_the_reference_is_the_policy_that_training_starts_from(
    tiny_model, preferences, tmp_path, lora
) -> None:
    config = OptimizeConfig(lora=lora, precision="float32")
    trainer, tokens, tokenizer = a_trainer(tiny_model, preferences, tmp_path, config)
    batch = next(iter(trainer.get_train_dataloader()))
    assert trainer.compute_loss(trainer.model, batch).item() == pytest.approx(math.log(2), abs=1e-6)
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    expected = log_probability(model, tokenizer, preferences[3].prompt, preferences[3].chosen.text)
    assert trainer.train_dataset[3]["ref_chosen_logps"] == pytest.approx(expected, abs=1e-3)
    assert len(trainer.train_dataset) == len(tokens)


def a_trainer(model, preferences, folder, config):
    tokenizer = load_tokenizer(model)
    tokens, _ = dpo_tokens(tokenizer, preference_rows(preferences), 999)
    with repeatable(0):
        return make_trainer(tokens, tokenizer, config, model, folder, 0), tokens, tokenizer


def moved(trainer) -> None:
    with torch.no_grad():
        for weight in trainer.model.parameters():
            weight.add_(
                0.05 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
            )


def test_certain_labels_of_equal_weight_give_trls_own_loss(
    tiny_model, preferences, tmp_path
) -> None:
    class Theirs(Silent, trl.DPOTrainer):
        pass

    sure = [row.model_copy(update={"p_chosen": 1.0}) for row in preferences[:8]]
    trainer, _, tokenizer = a_trainer(tiny_model, sure, tmp_path, EXACT)
    with repeatable(0):
        theirs = Theirs(
            model=str(tiny_model),
            args=arguments(trl.DPOConfig, EXACT, tmp_path, 0, beta=0.5),
            train_dataset=Dataset.from_list(
                [
                    {key: row[key] for key in ("prompt", "chosen", "rejected")}
                    for row in preference_rows(sure)
                ]
            ),
            processing_class=tokenizer,
        )
        losses = []
        for one in (trainer, theirs):
            moved(one)
            batch = one.data_collator([one.train_dataset[row] for row in range(8)])
            # TRL's rows end in the template's line break; ours stop where sampling does.
            if one is theirs:
                last = batch["completion_mask"].cumsum(1).argmax(1)
                batch["completion_mask"][torch.arange(16), last] = 0
            losses.append(one.compute_loss(one.model, batch).item())
    assert losses[0] != pytest.approx(math.log(2), abs=1e-3)
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)


def test_the_loss_of_a_soft_weighted_pair_is_the_formulas(
    tiny_model, preferences, tmp_path
) -> None:
    pair = [
        preferences[0].model_copy(update={"p_chosen": 0.75, "weight": 3.0}),
        preferences[1].model_copy(update={"p_chosen": 1.0, "weight": 1.0}),
    ]
    trainer, _, _ = a_trainer(tiny_model, pair, tmp_path, EXACT)
    moved(trainer)
    batch = trainer.data_collator([trainer.train_dataset[row] for row in (0, 1)])
    loss = trainer.compute_loss(trainer.model, batch).item()
    tokenizer = load_tokenizer(tiny_model)
    start = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    by_hand = 0.0
    for row, p, weight in zip(pair, (0.75, 1.0), (1.5, 0.5), strict=True):
        ratios = [
            log_probability(trainer.model, tokenizer, row.prompt, text)
            - log_probability(start, tokenizer, row.prompt, text)
            for text in (row.chosen.text, row.rejected.text)
        ]
        d = 0.5 * (ratios[0] - ratios[1])
        by_hand += weight * (p * math.log1p(math.exp(-d)) + (1 - p) * math.log1p(math.exp(d))) / 2
    assert loss == pytest.approx(by_hand, abs=1e-4)


def test_ties_do_not_move_a_policy_from_its_start(tiny_model, preferences, tmp_path) -> None:
    ties = [row.model_copy(update={"p_chosen": 0.5}) for row in preferences[:8]]
    trainer, _, _ = a_trainer(tiny_model, ties, tmp_path, EXACT)
    batch = next(iter(trainer.get_train_dataloader()))
    trainer.compute_loss(trainer.model, batch).backward()
    gradients = [weight.grad.abs().max().item() for weight in trainer.model.parameters()]
    assert max(gradients) < 1e-5


def test_the_same_seed_gives_the_same_weights_to_the_bit(tiny_model, preferences, tmp_path) -> None:
    config = OptimizeConfig(learning_rate=1e-2, steps=2)
    files = []
    for name in ("a", "b"):
        out = train_dpo(preferences, config, tiny_model, tmp_path / name, seed=5).path
        files.append((out / "model.safetensors").read_bytes())
    assert files[0] == files[1]


def test_no_preferences_are_nothing_to_train_on(tiny_model, tmp_path) -> None:
    with pytest.raises(StageError, match="no preferences to train on"):
        train_dpo([], CONFIG, tiny_model, tmp_path / "dpo")


def test_training_prints_nothing(tiny_model, preferences, tmp_path, capfd) -> None:
    config = OptimizeConfig(steps=1)
    train_dpo(preferences, config, tiny_model, tmp_path / "dpo")
    assert capfd.readouterr() == ("", "")


def test_a_model_that_reads_no_mask_reads_two_rows_to_a_pair(
    tiny_model, preferences, tmp_path, monkeypatch
) -> None:
    # All that comes before is seen, the other answer too.
    monkeypatch.setattr("rlaif.training.optimize.pairs.mask_of", lambda _, sees: sees.mT | sees)
    trainer, _, _ = a_trainer(tiny_model, preferences[:4], tmp_path, EXACT)
    assert "sees" not in next(iter(trainer.get_train_dataloader()))


def test_a_model_that_reads_a_mask_reads_a_pair_in_one_row(
    tiny_model, preferences, tmp_path
) -> None:
    trainer, _, _ = a_trainer(tiny_model, preferences[:4], tmp_path, EXACT)
    assert "sees" in next(iter(trainer.get_train_dataloader()))


def test_ipo_on_certain_labels_is_trls_own(tiny_model, preferences, tmp_path) -> None:
    sure = [row.model_copy(update={"p_chosen": 1.0}) for row in preferences[:8]]
    losses = []
    for changed in ({"method": "ipo"}, {"extra": {"loss_type": ["ipo"]}}):
        config = EXACT.model_copy(update=changed)
        trainer, _, _ = a_trainer(tiny_model, sure, tmp_path / str(len(losses)), config)
        moved(trainer)
        batch = trainer.data_collator([trainer.train_dataset[row] for row in range(8)])
        assert ("sees" in batch) is (not losses)
        losses.append(trainer.compute_loss(trainer.model, batch).item())
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_an_option_of_trls_own_loss_brings_that_loss_and_says_so(
    tiny_model, preferences, tmp_path
) -> None:
    config = OptimizeConfig(steps=1, extra={"loss_type": ["hinge"]})
    trained = train_dpo(preferences, config, tiny_model, tmp_path / "dpo")
    assert trained.metrics["loss_first"] == pytest.approx(1.0, abs=1e-3)
    assert trained.notes == (
        "extra.loss_type is of TRL's own loss, which takes each label as certain and all rows "
        "alike",
    )


@pytest.mark.parametrize(("how", "p"), [("conservative", 0.66), ("robust", 0.75)])
def test_smoothing_changes_the_labels_that_the_loss_reads(
    tiny_model, preferences, tmp_path, how, p
) -> None:
    smoothed = EXACT.model_copy(update={"label_smoothing": 0.1, "smoothing": how})
    losses = []
    for config, label in ((smoothed, 0.7), (EXACT, p)):
        labelled = [row.model_copy(update={"p_chosen": label}) for row in preferences[:4]]
        trainer, _, _ = a_trainer(tiny_model, labelled, tmp_path / str(len(losses)), config)
        moved(trainer)
        batch = trainer.data_collator([trainer.train_dataset[row] for row in range(4)])
        losses.append(trainer.compute_loss(trainer.model, batch).item())
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
