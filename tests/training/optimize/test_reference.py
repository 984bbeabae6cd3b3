import pytest
import torch
from transformers import AutoTokenizer

from rlaif.errors import InputError, MissingModelError
from rlaif.training.config import LoRA, OptimizeConfig
from rlaif.training.optimize.dpo import train_dpo
from tests.tiny import make_tiny_model
from tests.training.optimize.test_dpo import a_trainer

NAMED = OptimizeConfig(lora=None, precision="float32")


@pytest.mark.parametrize("lora", [LoRA(r=4), None])
def test_a_reference_that_is_named_is_the_one_that_is_read(
    tiny_model, preferences, tmp_path, lora
) -> None:
    other = make_tiny_model(tmp_path / "other", seed=7)
    config = NAMED.model_copy(update={"reference": str(other), "lora": lora})
    trainer, _, _ = a_trainer(tiny_model, preferences[:6], tmp_path / "one", config)
    start, _, _ = a_trainer(other, preferences[:6], tmp_path / "two", NAMED)
    for column in ("ref_chosen_logps", "ref_rejected_logps"):
        read, wanted = (each.train_dataset[column][:] for each in (trainer, start))
        assert torch.tensor(read) == pytest.approx(torch.tensor(wanted), abs=1e-4)
    assert trainer.ref_model is None


def test_a_reference_that_is_not_there_is_one_line(tiny_model, preferences, tmp_path) -> None:
    config = NAMED.model_copy(update={"reference": str(tmp_path / "nowhere")})
    with pytest.raises(MissingModelError, match="nowhere: no such model folder"):
        train_dpo(preferences, config, tiny_model, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_reference_of_other_tokens_is_refused(tiny_model, preferences, tmp_path) -> None:
    other = make_tiny_model(tmp_path / "other")
    tokenizer = AutoTokenizer.from_pretrained(other)
    tokenizer.add_tokens(["more"])
    tokenizer.save_pretrained(other)
    config = NAMED.model_copy(update={"reference": str(other)})
    with pytest.raises(InputError, match="reads other tokens than the policy"):
        train_dpo(preferences, config, tiny_model, tmp_path / "out")
