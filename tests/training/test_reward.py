from pathlib import Path

import pytest
import torch
import trl
from datasets import Dataset
from transformers import AutoModelForSequenceClassification

from rlaif.errors import MissingModelError, StageError
from rlaif.records import Prompt
from rlaif.training.common import Silent, arguments, repeatable
from rlaif.training.config import LoRA, RewardConfig, Trained
from rlaif.training.dataset import preference_rows, reward_tokens
from rlaif.training.folder import load_tokenizer
from rlaif.training.reward import (
    RewardModel,
    SoftPairCollator,
    SoftRewardTrainer,
    score,
    train_reward_model,
    wilson,
)

CONFIG = RewardConfig(learning_rate=1e-2, epochs=6, lora=LoRA(r=4))


@pytest.fixture(scope="module")
def trained(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    from tests.training.conftest import preferring_yes  # noqa: PLC0415

    rows = [preferring_yes(number) for number in range(24)]
    out = tmp_path_factory.mktemp("reward") / "model"
    return train_reward_model(rows, CONFIG, tiny_model, out)


def test_what_is_preferred_scores_higher_on_prompts_never_seen(trained) -> None:
    prompts = [Prompt.of(f"unseen {number}") for number in range(8)]
    yes, no = (score(trained.path, prompts, [text] * 8) for text in ("Yes!", "No."))
    assert all(a > b for a, b in zip(yes, no, strict=True))


def test_accuracy_is_measured_on_held_out_prompts_with_an_interval(trained) -> None:
    metrics = trained.metrics
    assert trained.rows + metrics["n_held_out"] == 24
    assert metrics["n_held_out"] == 5
    assert metrics["accuracy_low"] < metrics["accuracy"] <= metrics["accuracy_high"] + 1e-9


def test_the_folder_is_one_that_transformers_loads_whole(trained) -> None:
    model, loading = AutoModelForSequenceClassification.from_pretrained(
        trained.path, output_loading_info=True
    )
    assert not loading["missing_keys"]
    assert not loading["unexpected_keys"]
    assert model.config.num_labels == 1
    assert not list(trained.path.glob("adapter*"))


def test_transformers_own_score_is_ours(trained) -> None:
    ours = RewardModel(trained.path)
    model = AutoModelForSequenceClassification.from_pretrained(trained.path, dtype=torch.float32)
    ids = torch.tensor([ours.tokens(Prompt.of("q"), "Yes!")])
    assert ours([Prompt.of("q")], ["Yes!"])[0] == pytest.approx(model(ids).logits.item(), abs=0.02)


def test_scoring_reads_the_text_that_training_read(trained, preferences) -> None:
    tokenizer = load_tokenizer(trained.path)
    rows, _ = reward_tokens(tokenizer, preference_rows(preferences), 999)
    reward = RewardModel(trained.path)
    for preference, row in zip(preferences, rows, strict=True):
        assert reward.tokens(preference.prompt, preference.chosen.text) == row["chosen_ids"]
        assert reward.tokens(preference.prompt, preference.rejected.text) == row["rejected_ids"]


def test_a_score_does_not_depend_on_its_neighbours(trained) -> None:
    prompts = [Prompt.of("q" * length) for length in (1, 40, 7)]
    texts = ["Yes!", "No." * 20, "Yes!"]
    together = RewardModel(trained.path, batch=3)(prompts, texts)
    alone = RewardModel(trained.path, batch=1)(prompts, texts)
    assert together == pytest.approx(alone, abs=0.02)


def test_what_is_too_long_to_read_is_an_abstention(trained) -> None:
    reward = RewardModel(trained.path, max_length=100)
    scores = reward([Prompt.of("q"), Prompt.of("q")], ["Yes!", "No." * 100])
    assert scores[0] is not None
    assert scores[1] is None


def loss_of(trainer_class, collator, rows, tokenizer, model, folder) -> float:
    config = RewardConfig(lora=None, precision="float32")
    with repeatable(0):
        trainer = trainer_class(
            model=str(model),
            args=arguments(trl.RewardConfig, config, folder, 0),
            train_dataset=Dataset.from_list(rows),
            data_collator=collator,
            processing_class=tokenizer,
        )
        batch = next(iter(trainer.get_train_dataloader()))
        loss: float = trainer.compute_loss(trainer.model, batch).item()
    return loss


def test_certain_labels_of_equal_weight_give_trls_own_loss(trained, preferences, tmp_path) -> None:
    class Theirs(Silent, trl.RewardTrainer):
        pass

    tokenizer = load_tokenizer(trained.path)
    sure = [row.model_copy(update={"p_chosen": 1.0}) for row in preferences[:8]]
    rows, _ = reward_tokens(tokenizer, preference_rows(sure), 999)
    ours = loss_of(
        SoftRewardTrainer,
        SoftPairCollator(pad_token_id=tokenizer.pad_token_id),
        rows,
        tokenizer,
        trained.path,
        tmp_path,
    )
    theirs = loss_of(Theirs, None, rows, tokenizer, trained.path, tmp_path)
    assert ours == pytest.approx(theirs, abs=1e-6)


def test_ties_alone_teach_that_all_are_alike(tiny_model, preferences, tmp_path) -> None:
    ties = [row.model_copy(update={"p_chosen": 0.5}) for row in preferences]
    tied = train_reward_model(ties, CONFIG, tiny_model, tmp_path / "ties")
    gap = difference(tied.path)
    sure = [row.model_copy(update={"p_chosen": 1.0}) for row in preferences]
    sure_gap = difference(train_reward_model(sure, CONFIG, tiny_model, tmp_path / "sure").path)
    assert abs(gap) < 0.3 < sure_gap
    # A tie has no right side, so it measures nothing.
    assert tied.metrics["n_held_out"] == 0
    assert "accuracy" not in tied.metrics


def difference(model: Path) -> float:
    yes, no = score(model, [Prompt.of("unseen")] * 2, ["Yes!", "No."])
    assert yes is not None
    assert no is not None
    return yes - no


def test_a_policy_is_refused_as_a_reward_model(tiny_model) -> None:
    with pytest.raises(MissingModelError, match="no single score"):
        RewardModel(tiny_model)


def test_no_preferences_are_nothing_to_train_on(tiny_model, tmp_path) -> None:
    with pytest.raises(StageError, match="no preferences to train on"):
        train_reward_model([], CONFIG, tiny_model, tmp_path / "reward")


def test_the_same_seed_gives_the_same_weights_to_the_bit(tiny_model, preferences, tmp_path) -> None:
    config = RewardConfig(learning_rate=1e-2, steps=2)
    files = []
    for name in ("a", "b"):
        out = train_reward_model(preferences, config, tiny_model, tmp_path / name, seed=5).path
        files.append((out / "model.safetensors").read_bytes())
    assert files[0] == files[1]


def test_wilsons_interval_is_the_textbooks() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 10)[0] == pytest.approx(0.0, abs=1e-12)
