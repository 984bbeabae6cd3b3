"""The folder of a reward model, in the hands of other tools: transformers, TRL and vLLM."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import trl
from datasets import Dataset
from safetensors import safe_open
from transformers import AutoModelForSequenceClassification

from rlaif.records import Prompt
from rlaif.training.common import Silent, quiet
from rlaif.training.config import LoRA, RewardConfig, Trained
from rlaif.training.reward import RewardModel, train_reward_model
from rlaif.training.reward.layout import reward_tokenizer
from tests.training.conftest import preferring_yes

ASKED = [("Hi", "Yes!"), ("Hi", "No."), ("Is it late?", "Yes!" * 9)]
HOW = {"bf16": False, "use_cpu": True, "report_to": "none", "disable_tqdm": True, "seed": 0,
       "save_strategy": "no", "logging_steps": 1}  # fmt: skip


class Rewards(Silent, trl.RewardTrainer):
    pass


class Grpo(Silent, trl.GRPOTrainer):
    pass


@pytest.fixture(scope="module", params=[1, 2], ids=["one head", "two heads"])
def trained(
    request: pytest.FixtureRequest, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Trained:
    config = RewardConfig(
        learning_rate=1e-2, steps=8, lora=LoRA(r=4), held_out=0, heads=request.param
    )
    labels = [preferring_yes(number) for number in range(24)]
    return train_reward_model(labels, config, tiny_model, tmp_path_factory.mktemp("rm") / "rm")


@pytest.fixture
def ours(trained: Trained) -> list[float | None]:
    prompts, texts = zip(*ASKED, strict=True)
    return RewardModel(trained.path)([Prompt.of(prompt) for prompt in prompts], texts)


def messages(prompt: str, reply: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": reply}]


def test_transformers_gives_our_scores_by_the_chat_template_alone(
    trained: Trained, ours: list[float | None]
) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(trained.path, dtype=torch.float32)
    tokenizer = reward_tokenizer(trained.path)
    rows = [tokenizer.apply_chat_template(messages(*each), tokenize=False) for each in ASKED]
    batch = tokenizer(rows, padding=True, return_tensors="pt", add_special_tokens=False)
    with torch.no_grad():
        scores = model(**batch).logits.squeeze(-1).tolist()
    assert scores == pytest.approx(ours, abs=0.02)


def test_trls_trainer_goes_on_from_the_folder_with_our_scores(
    trained: Trained, ours: list[float | None], tmp_path: Path
) -> None:
    rows = [{"prompt": messages(p, r)[:1], "chosen": messages(p, r)[1:],
             "rejected": messages(p, "Hm")[1:]} for p, r in ASKED]  # fmt: skip
    with quiet():
        trainer = Rewards(
            model=str(trained.path),
            args=trl.RewardConfig(str(tmp_path), model_init_kwargs={"dtype": "float32"}, **HOW),
            train_dataset=Dataset.from_list(rows),
        )
        # TRL's own rows: its chat template, its tokens.
        ids = [torch.tensor([row["chosen_ids"]]) for row in trainer.train_dataset]
        with torch.no_grad():
            scores = [trainer.model(one).logits.item() for one in ids]
        assert scores == pytest.approx(ours, abs=0.02)
        trainer.train()


def test_grpo_scores_by_the_folders_path_as_by_our_callable(
    trained: Trained, tiny_model: Path, tmp_path: Path
) -> None:
    reward = RewardModel(trained.path)
    seen: list[float | None] = []

    def ours(prompts: list[Any], completions: list[Any], **_: Any) -> list[float | None]:
        asked = [Prompt.of(prompt[-1]["content"]) for prompt in prompts]
        scores = reward(asked, [completion[-1]["content"] for completion in completions])
        seen.extend(scores)
        return scores

    with quiet():
        trainer = Grpo(
            model=str(tiny_model),
            reward_funcs=[str(trained.path), ours],
            args=trl.GRPOConfig(
                str(tmp_path), num_generations=4, per_device_train_batch_size=4, max_steps=1,
                max_completion_length=8, model_init_kwargs={"dtype": "float32"}, **HOW,
            ),
            train_dataset=Dataset.from_list([{"prompt": messages(p, r)[:1]} for p, r in ASKED]),
        )  # fmt: skip
        trainer.train()
    [logged] = [
        log for log in trainer.state.log_history if f"rewards/{trained.path.name}/mean" in log
    ]
    assert len(seen) == 4
    assert logged[f"rewards/{trained.path.name}/mean"] == pytest.approx(
        logged["rewards/ours/mean"], abs=0.02
    )
    assert logged["rewards/ours/mean"] == pytest.approx(sum(seen) / 4, abs=1e-5)


def test_the_folder_is_what_vllm_takes_for_a_classifier_of_one_raw_score(trained: Trained) -> None:
    """vLLM is not installed here; these are what its loader and pooler read.

    A `*ForSequenceClassification` beside a causal model that it knows becomes a pooling model with
    a linear `score` on the last token; with one label its `/classify` gives a sigmoid, unless the
    config says that the problem is a regression. Its loader reads every `*.safetensors` in the
    folder, and nothing below it.
    """
    config = json.loads((trained.path / "config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["LlamaForSequenceClassification"]
    assert config["problem_type"] == "regression"
    assert len(config.get("id2label", {0: ""})) == 1
    names = {}
    for file in trained.path.glob("*.safetensors"):
        with safe_open(file, "pt") as weights:
            names |= {name: weights.get_slice(name).get_shape() for name in weights.keys()}  # noqa: SIM118
    assert names.pop("score.weight") == [1, config["hidden_size"]]
    assert all(name.startswith("model.") for name in names)
    assert not [name for name in names if "lora" in name]
    tokenizer = reward_tokenizer(trained.path)
    assert tokenizer.chat_template
    # The last token is read by both: transformers passes over padding at the end of a row.
    ids = RewardModel(trained.path).tokens(Prompt.of("Hi"), "Yes!")
    assert ids
    assert ids[-1] != config["pad_token_id"]


def test_a_base_whose_padding_ends_each_answer_is_told_that_tools_read_two_places(
    tiny_model: Path, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny_model, base)
    template = base / "chat_template.jinja"
    text = template.read_text(encoding="utf-8")
    template.write_text(text.replace("<|im_end|>\n", "<|im_end|>"), encoding="utf-8")
    labels = [preferring_yes(number) for number in range(4)]
    done = train_reward_model(labels, RewardConfig(steps=1, held_out=0), base, tmp_path / "rm")
    [note] = done.notes
    assert note.startswith("each answer ends with the padding token <|im_end|>: ")
