"""What a reward model can begin from: a causal model, a reward model, an encoder's classifier."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from rlaif.errors import InputError
from rlaif.records import Prompt
from rlaif.training.config import LoRA, Probe, RewardConfig
from rlaif.training.reward import RewardModel, train_reward_model
from tests.training.conftest import preferring_yes

LABELS = [preferring_yes(number) for number in range(24)]
ASKED = ([Prompt.of("never asked")] * 2, ["Yes!", "No."])


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of two layers with a classifier of two labels, over bytes."""
    folder = tmp_path_factory.mktemp("bert")
    tokens = ["[PAD]", "[CLS]", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(
        models.WordPiece(
            {token: number for number, token in enumerate(tokens)},
            unk_token="a",
            continuing_subword_prefix="",
        )
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", cls_token="[CLS]"
    ).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(tokens),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    torch.manual_seed(0)
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("lora", [LoRA(r=4), None], ids=["adapter", "all weights"])
def test_an_encoders_classifier_becomes_a_reward_model(
    encoder: Path, tmp_path: Path, lora: LoRA | None
) -> None:
    config = RewardConfig(learning_rate=5e-3 if lora else 3e-3, steps=40, lora=lora, batch=12)
    done = train_reward_model(LABELS, config, encoder, tmp_path / "rm")
    yes, no = RewardModel(done.path)(*ASKED)
    assert yes > no
    assert done.metrics["loss_last"] < done.metrics["loss_first"]
    # Others' reward models bring no layout: what they can read is the bound.
    (done.path / "reward.json").unlink()
    assert RewardModel(done.path)(ASKED[0], ["Yes!" * 200, "No."])[0] is None


def test_a_score_that_is_no_single_layer_takes_no_heads_and_no_fit(
    encoder: Path, tmp_path: Path
) -> None:
    for config, what in (
        (RewardConfig(heads=2, steps=1), "heads: this model's score is no single layer"),
        (RewardConfig(probe=Probe()), "probe: this model's score is no single layer"),
    ):
        with pytest.raises(InputError, match=what):
            train_reward_model(LABELS, config, encoder, tmp_path / "rm")


def test_a_reward_model_goes_on_from_the_score_that_it_had(
    tiny_model: Path, tmp_path: Path
) -> None:
    config = RewardConfig(learning_rate=1e-2, steps=6, lora=None, held_out=0)
    first = train_reward_model(LABELS, config, tiny_model, tmp_path / "first")
    still = config.model_copy(update={"learning_rate": 1e-12, "steps": 1})
    again = train_reward_model(LABELS, still, first.path, tmp_path / "again")
    before, after = (load_file(done.path / "model.safetensors") for done in (first, again))
    assert before["score.weight"].equal(after["score.weight"])
    assert RewardModel(again.path)(*ASKED) == RewardModel(first.path)(*ASKED)
