"""What `torchrun` runs in `test_team.py`: every trainer, an experiment, and a failure at the end.

torchrun --nproc-per-node 2 -m tests.training.on_ranks FOLDER
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from accelerate.state import AcceleratorState
from peft import get_peft_model
from torch.distributed.fsdp import fully_shard
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    LlamaForCausalLM,
)

from rlaif.cli import main as command
from rlaif.cli.main import main
from rlaif.errors import BackendError, OutageError, StageError
from rlaif.ranks import rank, ranks
from rlaif.records import Prompt
from rlaif.training import team
from rlaif.training.common import adapter
from rlaif.training.config import LoRA, OptimizeConfig, RewardConfig, SFTConfig, Trained
from rlaif.training.folder import load_tokenizer, save, whole_folder
from rlaif.training.optimize import optimize_policy
from rlaif.training.reward import train_reward_model
from rlaif.training.reward.heads import widen
from rlaif.training.reward.member import write_member
from rlaif.training.sft import train_sft
from tests.training.conftest import preferring_yes

PROMPTS = [Prompt.of(f"question {number}") for number in range(8)]
ROWS = 16
HEADS = 2
SPREAD = ("reward", "dpo", "grpo")
"""Methods that are trained with spread weights too."""
_FSDP2 = {
    "ACCELERATE_USE_FSDP": "true",
    "FSDP_VERSION": "2",
    "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
    "FSDP_TRANSFORMER_CLS_TO_WRAP": "LlamaDecoderLayer",
    "FSDP_RESHARD_AFTER_FORWARD": "true",
    "FSDP_STATE_DICT_TYPE": "FULL_STATE_DICT",
}
SAMPLED = 4
"""Answers to a prompt."""


Train = Callable[[Path, Path, int], Trained]


class Run(NamedTuple):
    """A training run as one process saw it."""

    figures: list[float]
    """Each step's loss and norm of the gradient."""
    weights: str
    """A digest of every weight at the end."""
    counted: list[float]
    """What was counted of all processes' answers."""


def count_of_e(_: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
    return [float(text.count("e")) for text in texts]


def sft(model: Path, out: Path, share: int) -> Trained:
    rows = [(prompt, f"Yes{'!' * (number % 3)}") for number, prompt in enumerate(PROMPTS * 2)]
    return train_sft(rows, SFTConfig(batch=8 // share, **_exact()), model, out)


def reward(model: Path, out: Path, share: int) -> Trained:
    config = RewardConfig(batch=8 // share, held_out=0.0, checkpoint=1, **_exact())
    return train_reward_model([preferring_yes(n) for n in range(ROWS)], config, model, out)


def by_pairs(method: str) -> Train:
    def train(model: Path, out: Path, share: int) -> Trained:
        config = OptimizeConfig(method=method, batch=8 // share, **_exact())
        pairs = [preferring_yes(number) for number in range(ROWS)]
        return optimize_policy(config, model, out, preferences=pairs)

    return train


def by_groups(prompts: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
    """Score whole groups alone, and some answers not at all."""
    groups = [prompts[at : at + SAMPLED] for at in range(0, len(prompts), SAMPLED)]
    if any(len(group) < SAMPLED or len({p.id for p in group}) > 1 for group in groups):
        raise StageError("the answers to one prompt came apart")
    is_silent = [sum(map(ord, text)) % 5 == 0 for text in texts]
    counts = [float(text.count("e")) for text in texts]
    return [None if silent else n for silent, n in zip(is_silent, counts, strict=True)]


def rejection(model: Path, out: Path, share: int) -> Trained:
    config = OptimizeConfig(method="rejection", batch=8 // share, max_new_tokens=6, **_exact())

    def by_letters(_: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
        return [float(sum(map(ord, text))) for text in texts]

    return optimize_policy(config, model, out, prompts=PROMPTS, reward=by_letters)


def by_reward(method: str) -> Train:
    def train(model: Path, out: Path, share: int) -> Trained:
        config = by_reward_config(method, share)
        with answers_as_written():
            return optimize_policy(config, model, out, prompts=PROMPTS, reward=by_groups)

    return train


def by_reward_config(method: str, share: int) -> OptimizeConfig:
    return OptimizeConfig(
        method=method,
        batch=16 // share,
        samples=SAMPLED,
        steps=2,
        beta=0.05,
        max_new_tokens=6,
        patience=0.0,
        **_exact(),
    )


METHODS: dict[str, Train] = {
    "sft": sft,
    "reward": reward,
    "dpo": by_pairs("dpo"),
    "ipo": by_pairs("ipo"),
    "kto": by_pairs("kto"),
    "rloo": by_reward("rloo"),
    "grpo": by_reward("grpo"),
    "reinforce": by_reward("reinforce"),
    "ppo": by_reward("ppo"),
    "online-dpo": by_reward("online-dpo"),
    "rejection": rejection,
}


def _exact() -> dict[str, Any]:
    return {"lora": None, "precision": "float32", "learning_rate": 1e-2}


def train_all(model: Path, folder: Path) -> dict[str, Run]:
    """Train by every method, the batch shared among the processes; give what this one saw."""
    found = {}
    for name, train in METHODS.items():
        with watched() as runs:
            done = train(model, folder / name, ranks())
        counted = [float(done.rows), done.metrics.get("answers", 0.0), *done.left_out.values()]
        [found[name]] = [run._replace(counted=counted) for run in runs]
    return found


def train_spread(model: Path, folder: Path) -> None:
    """Train with weights that are spread over the processes, as `accelerate launch` says it."""
    before = dict(os.environ)
    os.environ.update(_FSDP2)
    AcceleratorState._reset_state()
    for name in SPREAD:
        METHODS[name](model, folder / name, ranks())
    os.environ.clear()
    os.environ.update(before)
    AcceleratorState._reset_state()


@contextmanager
def watched() -> Any:
    """Take down each training run's figures and last weights."""
    runs: list[Run] = []
    trains = transformers.Trainer.train

    def train(trainer: Any, *args: Any, **named: Any) -> Any:
        done = trains(trainer, *args, **named)
        seen = hashlib.sha256()
        for weight in trainer.model.parameters():
            seen.update(weight.detach().numpy().tobytes())
        logs = [log for log in trainer.state.log_history if "loss" in log]
        figures = [log[name] for log in logs for name in ("loss", "grad_norm")]
        runs.append(Run(figures, seen.hexdigest(), []))
        return done

    transformers.Trainer.train = train
    try:
        yield runs
    finally:
        transformers.Trainer.train = trains


@contextmanager
def answers_as_written() -> Any:
    """Answer by the prompt and by which of its answers it is, whatever the weights and the seed."""
    generates = LlamaForCausalLM.generate

    def generate(model: Any, input_ids: Any, attention_mask: Any, **_: Any) -> Any:
        rows = []
        for number, (ids, mask) in enumerate(zip(input_ids, attention_mask, strict=True)):
            seed = hashlib.sha256(f"{ids[mask.bool()].tolist()} {number % SAMPLED}".encode())
            drawn = torch.Generator().manual_seed(int.from_bytes(seed.digest()[:4]))
            answer = torch.randint(60, 90, (5,), generator=drawn)
            rows.append([*ids.tolist(), *answer.tolist(), model.config.eos_token_id])
        return torch.tensor(rows)

    LlamaForCausalLM.generate = generate
    try:
        yield
    finally:
        LlamaForCausalLM.generate = generates


def write_spread(model: Path, out: Path) -> None:
    """Spread a model's weights over the processes as FSDP2 does, and write it."""
    spread = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    for layer in spread.model.layers:
        fully_shard(layer)
    fully_shard(spread)
    with whole_folder(out) as folder:
        save(spread, load_tokenizer(model), folder)


def a_member(model: Path) -> Any:
    """A reward model of two heads and an adapter that has moved, the same wherever it is made."""
    torch.manual_seed(3)
    base = AutoModelForSequenceClassification.from_pretrained(
        model, num_labels=1, dtype=torch.float32
    )
    adapted = get_peft_model(base, adapter(LoRA(r=2), model, "SEQ_CLS"))
    widen(adapted, HEADS)
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    return adapted


def write_spread_member(model: Path, out: Path) -> None:
    """Spread such a model's weights over the processes as FSDP2 does, and write it."""
    spread = a_member(model)
    for layer in spread.base_model.model.model.layers:
        fully_shard(layer)
    fully_shard(spread)
    with whole_folder(out) as folder:
        write_member(spread, load_tokenizer(model), HEADS, folder)


def judge_goes_away(model: Path, folder: Path, method: str = "rloo") -> None:
    """Let one process's judge go away in the middle; then go on."""
    away = folder / "away" / method
    batches = iter(range(9))

    def goes_away(prompts: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
        if rank() == 1 and next(batches) == 1:
            raise BackendError("the judge is gone")
        return by_groups(prompts, texts)

    config = by_reward_config(method, ranks())
    with answers_as_written():
        try:
            optimize_policy(config, model, away, prompts=PROMPTS, reward=goes_away)
        except OutageError as error:
            kept = list(away.with_name(f".{method}.work").glob("checkpoint-1/whole"))
            # Not to stderr, where two processes' lines run into each other.
            (folder / f"away-{method}-{rank()}.txt").write_text(
                f"keeps {len(kept)}: {error}", "utf-8"
            )
        optimize_policy(config, model, away, prompts=PROMPTS, reward=by_groups)


def _fail_on_one(*_: Any) -> list[float | None]:
    if rank() == 1:
        raise StageError("the reward broke")
    return [1.0] * 8


def run() -> None:
    """Do everything; the experiment and the model lie in the folder already."""
    folder = Path(sys.argv[1])
    found = train_all(folder / "model", folder / "trained")
    (folder / f"rank-{rank()}.json").write_text(json.dumps(found), encoding="utf-8")
    judge_goes_away(folder / "model", folder)
    train_spread(folder / "model", folder / "spread")
    write_spread(folder / "model", folder / "gathered")
    write_spread_member(folder / "model", folder / "gathered-member")
    os.chdir(folder)
    # The processes stay a group for what comes after.
    team.leave, leave = lambda: None, team.leave
    code = main(["run", "tiny.yaml", "--until", "sft"])
    sys.stderr.write(f"{rank()} ends with {code}\n")
    team.leave = leave

    def fail(*_: Any, **__: Any) -> None:
        config = OptimizeConfig(method="rloo", batch=8, steps=2, max_new_tokens=4)
        optimize_policy(
            config, folder / "model", folder / "failed", prompts=PROMPTS, reward=_fail_on_one
        )

    command.app = fail
    sys.exit(main(["run"]))


if __name__ == "__main__":
    run()
