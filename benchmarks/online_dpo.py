"""Our online DPO against TRL's experimental one: the same answers drawn, judged and learned from.

A random model of six layers draws two answers of one length to each of eight prompts, a function
scores them, and the policy takes a step of DPO near its start. Both take turns on one thread, a few
steps each, and the medians of processor seconds of a step are compared. Prints a line per figure
(name, value, target, ok or short) and writes `results/`. A minute on a core.
"""

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from datasets import Dataset
from figures import Claim, keep
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, TrainerCallback
from trl.experimental.online_dpo import OnlineDPOConfig, OnlineDPOTrainer

from rlaif.records import Prompt
from rlaif.training.common import Silent, arguments, quiet, run
from rlaif.training.config import OptimizeConfig
from rlaif.training.dataset import messages_of
from rlaif.training.folder import load_tokenizer
from rlaif.training.optimize.by_reward import Job, make_trainer
from rlaif.training.optimize.scorer import Scorer

ROUNDS, STEPS, TOKENS = 3, 3, 16
PROMPTS = [Prompt.of(f"Say something kind about the number {number}.") for number in range(8)]


class Theirs(Silent, OnlineDPOTrainer):  # type: ignore[misc]
    """TRL's trainer as it is."""


class Steps(TrainerCallback):  # type: ignore[misc]
    """Takes the processor time of each step."""

    def __init__(self) -> None:
        """Begin with none."""
        self.seconds: list[float] = []
        self._since = 0.0

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Begin a step."""
        self._since = time.process_time()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """End it."""
        self.seconds.append(time.process_time() - self._since)


def length(_: Any, texts: list[str]) -> list[float | None]:
    """Score by length, so that hardly two answers tie."""
    return [float(len(text)) for text in texts]


def config(batch: int) -> OptimizeConfig:
    """Draw answers of one length, and stay near the start."""
    return OptimizeConfig.model_validate(
        {
            "method": "online-dpo",
            "batch": batch,
            "samples": 2,
            "steps": STEPS,
            "lora": None,
            "precision": "float32",
            "max_new_tokens": TOKENS,
            "extra": {"generation_kwargs": {"min_new_tokens": TOKENS}, "save_strategy": "no"},
        }
    )


def ours(model: Path, folder: Path) -> Any:
    """Make our trainer: a pass holds both answers to each prompt."""
    answers = 2 * len(PROMPTS)
    job = Job(PROMPTS, Scorer(PROMPTS, length), load_tokenizer(model), config(answers), model)
    return make_trainer(job, folder, 0)


def theirs(model: Path, folder: Path) -> Any:
    """Make TRL's trainer: a pass counts prompts."""

    def reward(completions: list[list[dict[str, str]]], **_: Any) -> list[float | None]:
        return length(None, [completion[0]["content"] for completion in completions])

    more = {"beta": 0.1, "max_new_tokens": TOKENS, "temperature": 1.0, "missing_eos_penalty": None}
    return Theirs(
        model=str(model),
        reward_funcs=reward,
        args=arguments(OnlineDPOConfig, config(len(PROMPTS)), folder, 0, **more),
        train_dataset=Dataset.from_list([{"prompt": messages_of(each)} for each in PROMPTS]),
        processing_class=load_tokenizer(model),
    )


def make_model(folder: Path) -> Path:
    """Write a random model of six layers that reads bytes."""
    folder.mkdir()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    reads = Tokenizer(
        models.WordPiece({each: at for at, each in enumerate(alphabet)}, unk_token="a")
    )
    reads.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            pre_tokenizers.Split(Regex("."), behavior="isolated"),
        ]
    )
    reads.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=reads, eos_token="<end>", pad_token="<pad>"
    )
    tokenizer.chat_template = (
        "{% for message in messages %}{{ message.role }}: {{ message.content }}<end>{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    torch.manual_seed(0)
    shape = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=96,
        intermediate_size=256,
        num_hidden_layers=6,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.eos_token_id,
    )
    LlamaForCausalLM(shape).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def online_dpo(folder: Path) -> list[Claim]:
    """Let both take turns."""
    model = make_model(folder / "model")
    trainers = {
        "TRL's online DPO": theirs(model, folder / "theirs"),
        "online DPO": ours(model, folder / "ours"),
    }
    watches = {name: Steps() for name in trainers}
    for name, trainer in trainers.items():
        trainer.add_callback(watches[name])
    for _ in range(ROUNDS):
        for trainer in trainers.values():
            run(trainer)
    took = {}
    for name, watch in watches.items():
        # The first step of each round warms up.
        took[name] = median(s for number, s in enumerate(watch.seconds) if number % STEPS)
        print(f"{name}: {took[name]:.3f} s of processor a step")
    ratio = took["online DPO"] / took["TRL's online DPO"]
    return [Claim("online DPO's step to TRL's", ratio, 1.0, is_most=True)]


if __name__ == "__main__":
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place, quiet():
        raise SystemExit(keep("online_dpo", online_dpo(Path(place))))
