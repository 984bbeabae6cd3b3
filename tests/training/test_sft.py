import shutil

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from rlaif.errors import MissingModelError, StageError
from rlaif.records import Prompt
from rlaif.training.config import LoRA, SFTConfig
from rlaif.training.dataset import messages_of, prompt_ids
from rlaif.training.sft import train_sft

PROMPT = Prompt.of("How are you?")
ROWS = [(PROMPT, "Very well.")] * 16
FULL = SFTConfig(lora=None, learning_rate=1e-2, epochs=20)
SHORT = SFTConfig(learning_rate=1e-2, steps=2)


def test_a_model_learns_its_sentence_by_heart_and_stops_after_it(tiny_model, tmp_path) -> None:
    trained = train_sft(ROWS, FULL, tiny_model, tmp_path / "sft")
    assert trained.metrics["loss_last"] < 0.1 * trained.metrics["loss_first"]
    tokenizer = AutoTokenizer.from_pretrained(trained.path)
    model = AutoModelForCausalLM.from_pretrained(trained.path)
    before = prompt_ids(tokenizer, messages_of(PROMPT))
    drawn = model.generate(torch.tensor([before]), max_new_tokens=20, do_sample=False)
    assert tokenizer.decode(drawn[0, len(before) :]) == "Very well.<|im_end|>"


def test_an_adapter_is_merged_into_a_folder_without_one(tiny_model, tmp_path) -> None:
    config = SFTConfig(lora=LoRA(r=4), learning_rate=1e-2, epochs=2)
    trained = train_sft(ROWS, config, tiny_model, tmp_path / "sft")
    assert trained.rows == 16
    assert not list(trained.path.glob("adapter*"))
    before = AutoModelForCausalLM.from_pretrained(tiny_model).state_dict()
    after = AutoModelForCausalLM.from_pretrained(trained.path).state_dict()
    assert before.keys() == after.keys()
    moved = [name for name in after if not torch.equal(before[name].bfloat16(), after[name])]
    assert moved
    assert all(name.endswith("_proj.weight") for name in moved)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_to_the_bit(tiny_model, tmp_path) -> None:
    files = []
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        trained = train_sft(ROWS, SHORT, tiny_model, tmp_path / name, seed=seed)
        files.append((trained.path / "model.safetensors").read_bytes())
    assert files[0] == files[1]
    assert files[0] != files[2]


def test_progress_is_told_of_every_step(tiny_model, tmp_path, capfd) -> None:
    told: list[tuple[int, int]] = []
    train_sft(
        ROWS,
        SHORT,
        tiny_model,
        tmp_path / "sft",
        progress=lambda step, total, _: told.append((step, total)),
    )
    assert told == [(1, 2), (2, 2)]
    assert capfd.readouterr() == ("", "")


def test_a_run_whose_loss_is_no_number_keeps_nothing(tiny_model, tmp_path) -> None:
    broken = shutil.copytree(tiny_model, tmp_path / "broken")
    model = AutoModelForCausalLM.from_pretrained(broken)
    torch.nn.init.constant_(model.model.norm.weight, torch.nan)
    model.save_pretrained(broken)
    with pytest.raises(StageError, match="nothing was kept"):
        train_sft(ROWS, SHORT, broken, tmp_path / "sft")
    assert [path.name for path in tmp_path.iterdir()] == ["broken"]


def test_nothing_short_enough_to_train_on_says_how_many(tiny_model, tmp_path) -> None:
    with pytest.raises(StageError, match=r"no answers to train on .*16 too long"):
        train_sft(ROWS, SFTConfig(max_length=5), tiny_model, tmp_path / "sft")
    assert not list(tmp_path.iterdir())


def test_a_model_that_is_not_there_is_one_line(tmp_path) -> None:
    with pytest.raises(MissingModelError, match="no such model folder"):
        train_sft(ROWS, SHORT, tmp_path / "absent", tmp_path / "sft")
