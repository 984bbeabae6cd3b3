"""Rows that are longer than what a model reads, whatever `max_length` would let in."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from transformers import BertConfig, RobertaConfig

from rlaif.records import Prompt
from rlaif.training.config import OptimizeConfig, RewardConfig, SFTConfig
from rlaif.training.folder import tokens_read
from rlaif.training.optimize import optimize_policy
from rlaif.training.reward import train_reward_model
from rlaif.training.sft import train_sft
from tests.training.conftest import preferring_yes

ONE: dict[str, Any] = {"steps": 1, "lora": None}
PAIRS = [preferring_yes(number) for number in range(8)]
PROMPTS = [Prompt.of("question 1"), Prompt.of("a question of very many letters, in truth")]


@pytest.fixture
def short(tiny_model: Path, tmp_path: Path) -> Path:
    """A model that reads a question, and four tokens behind it."""
    folder = tmp_path / "short"
    shutil.copytree(tiny_model, folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["max_position_embeddings"] = 34
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def trained(method: str, model: Path, out: Path) -> Any:
    if method == "sft":
        rows = [(prompt, "Yes!") for prompt in PROMPTS]
        return train_sft(rows, SFTConfig(**ONE), model, out)
    if method == "reward":
        return train_reward_model(PAIRS, RewardConfig(held_out=0.0, **ONE), model, out)
    if method == "rloo":
        config = OptimizeConfig(method="rloo", max_new_tokens=4, **ONE)
        return optimize_policy(
            config, model, out, prompts=PROMPTS, reward=lambda _, texts: [1.0] * len(texts)
        )
    return optimize_policy(OptimizeConfig(method=method, **ONE), model, out, preferences=PAIRS)


@pytest.mark.parametrize("method", ["sft", "reward", "dpo", "ipo", "kto", "rloo"])
def test_they_are_left_out_and_counted_and_it_is_said_why(method, short, tmp_path) -> None:
    done = trained(method, short, tmp_path / "out")
    assert done.rows > 0
    assert done.left_out["too long"] > 0
    [note] = done.notes
    assert note == f"max_length: {short} reads 34 tokens at most, so that longer rows were left out"


def test_what_the_config_leaves_out_by_itself_is_no_news(tiny_model, tmp_path) -> None:
    config = OptimizeConfig(method="dpo", max_length=34, **ONE)
    done = optimize_policy(config, tiny_model, tmp_path / "out", preferences=PAIRS)
    assert done.left_out["too long"] > 0
    assert done.notes == ()


def test_places_that_begin_behind_the_paddings_are_fewer(tiny_model, tmp_path) -> None:
    for config, places in ((BertConfig(), 512), (RobertaConfig(max_position_embeddings=514), 512)):
        folder = tmp_path / config.model_type
        shutil.copytree(tiny_model, folder)
        config.save_pretrained(folder)
        assert tokens_read(folder, 1024) == places
        assert tokens_read(folder, 100) == 100
