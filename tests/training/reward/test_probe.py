"""A fitted score: the base stays, the fit is the one minimum, and the folder is like any other."""

import math
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification

from rlaif.errors import InputError
from rlaif.records import Prompt
from rlaif.training.config import Probe, RewardConfig, Trained
from rlaif.training.reward import RewardModel, train_reward_model
from tests.training.conftest import preferring_yes

CONFIG = RewardConfig(probe=Probe(layers=1, ridge=0.1), held_out=0.2)
LABELS = [preferring_yes(number) for number in range(24)]


@pytest.fixture(scope="module")
def fitted(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train_reward_model(LABELS, CONFIG, tiny_model, tmp_path_factory.mktemp("probe") / "rm")


def test_a_fitted_score_knows_prompts_that_it_never_saw(fitted: Trained) -> None:
    assert fitted.metrics["accuracy"] == 1.0
    assert fitted.metrics["loss_first"] == pytest.approx(math.log(2))
    assert fitted.metrics["loss_last"] < 0.6
    prompts = [Prompt.of(f"unseen {number}") for number in range(4)]
    yes, no = (RewardModel(fitted.path)(prompts, [text] * 4) for text in ("Yes!", "No."))
    assert all(one > other for one, other in zip(yes, no, strict=True))


def test_the_base_stays_as_it_was_without_its_later_layers(
    fitted: Trained, tiny_model: Path
) -> None:
    before, after = (
        load_file(folder / "model.safetensors") for folder in (tiny_model, fitted.path)
    )
    kept = [name for name in after if name != "score.weight"]
    assert {name.split(".")[2] for name in kept if ".layers." in name} == {"0"}
    for name in kept:
        assert torch.equal(after[name], before[name].to(torch.bfloat16))
    model = AutoModelForSequenceClassification.from_pretrained(fitted.path)
    assert model.config.num_hidden_layers == 1


def test_the_fit_is_where_the_labels_and_the_ridge_pull_alike(
    tiny_model: Path, tmp_path: Path
) -> None:
    # At the minimum, ridge · w = −∂loss/∂w: a weaker ridge gives longer weights and a lower loss.
    losses, lengths = [], []
    for ridge in (10.0, 1.0, 0.1):
        config = RewardConfig(probe=Probe(layers=1, ridge=ridge), held_out=0)
        done = train_reward_model(LABELS, config, tiny_model, tmp_path / str(ridge))
        losses.append(done.metrics["loss_last"])
        weights = load_file(done.path / "model.safetensors")["score.weight"]
        lengths.append(weights.norm().item())
    assert losses == sorted(losses, reverse=True)
    assert lengths == sorted(lengths)


def test_neither_the_seed_nor_the_order_of_the_labels_changes_a_fit(
    tiny_model: Path, tmp_path: Path
) -> None:
    config = CONFIG.model_copy(update={"held_out": 0.0})
    asked = ([LABELS[0].prompt] * 2, ["Yes!", "No."])
    one = train_reward_model(LABELS, config, tiny_model, tmp_path / "a", seed=0)
    other = train_reward_model(LABELS[::-1], config, tiny_model, tmp_path / "b", seed=9)
    first, second = (RewardModel(done.path)(*asked) for done in (one, other))
    assert first == pytest.approx(second, abs=0.02)


def test_several_heads_are_fitted_each_to_its_own_draw(tiny_model: Path, tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"heads": 3, "combine": "lower"})
    done = train_reward_model(LABELS, config, tiny_model, tmp_path / "rm")
    heads = load_file(done.path / "heads" / "score.safetensors")["score"]
    assert heads.std(0).max() > 1e-3
    assert done.metrics["accuracy"] == 1.0


def test_what_cannot_be_fitted_is_told(tiny_model: Path, tmp_path: Path) -> None:
    config = RewardConfig(probe=Probe(layers=9))
    with pytest.raises(InputError, match=r"probe\.layers: 9, but .* has 2 layers"):
        train_reward_model(LABELS, config, tiny_model, tmp_path / "rm")
    with pytest.raises(ValidationError, match="a fit has no chance in it"):
        RewardConfig(probe=Probe(), members=2)
