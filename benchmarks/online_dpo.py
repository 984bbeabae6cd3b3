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
from steps import Steps
from trl.experimental.online_dpo import OnlineDPOConfig, OnlineDPOTrainer

from rlaif.records import Prompt
from rlaif.training.common import Silent, arguments, quiet, run
from rlaif.training.config import OptimizeConfig
from rlaif.training.dataset import messages_of
from rlaif.training.folder import load_tokenizer
from rlaif.training.optimize.by_reward import Job, make_trainer
from rlaif.training.optimize.scorer import Scorer
from rlaif.training.tiny import tiny_tokenizer, write_random

ROUNDS, STEPS, TOKENS = 3, 3, 16
PROMPTS = [Prompt.of(f"Say something kind about the number {number}.") for number in range(8)]


class Theirs(Silent, OnlineDPOTrainer):  # type: ignore[misc]
    """TRL's trainer as it is."""


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


def online_dpo(folder: Path) -> list[Claim]:
    """Let both take turns."""
    model = write_random(folder / "model", tiny_tokenizer(), hidden=96, layers=6)
    trainers = {
        "TRL's online DPO": theirs(model, folder / "theirs"),
        "online DPO": ours(model, folder / "ours"),
    }
    watches = {name: Steps(time.process_time) for name in trainers}
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
