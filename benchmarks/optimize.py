"""The sampling trainers against TRL's own, with the same options on the same prompts.

A random model, small enough for many steps, is trained by TRL's RLOO and GRPO as they are, by ours,
and by REINFORCE. The ways take turns on one thread, a few steps each, so that whatever else the
machine does weighs on each, and the medians of processor seconds of a step are compared; every
answer has the same length. Then the embedded model is trained by RLOO and REINFORCE with a judge
that takes 0.6 seconds: how the two compare, how much of that wait is hidden behind what the policy
has to read, and what 32 answers of 28 tokens take.
Prints a line per figure (name, value, target, ok or short) and writes `results/`. Needs the
embedded model; some five minutes on two cores. `--small` leaves the embedded model out.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch
import trl
from figures import Claim, keep
from steps import Steps
from transformers import AutoTokenizer

from rlaif.embedded.find import embedded_model
from rlaif.judges.early import Early
from rlaif.records import Prompt
from rlaif.training.common import Silent, arguments, repeatable, run
from rlaif.training.config import OptimizeConfig
from rlaif.training.folder import load_tokenizer
from rlaif.training.optimize.by_reward import Job, make_trainer
from rlaif.training.optimize.recipes import recipe_of
from rlaif.training.optimize.scorer import Scorer
from rlaif.training.tiny import write_random

ROUNDS, STEPS = 3, 3
SHORT, TOKENS = 12, 28
"""Tokens of an answer: of the small model, and of the embedded one."""
FEW, MANY = 8, 16
"""Answers in a step, likewise."""
JUDGED = 0.6
"""Seconds that the judge takes."""
PROMPTS = [Prompt.of(f"Say something kind about the number {n}.") for n in range(8)]


class TheirRLOO(Silent, trl.RLOOTrainer):  # type: ignore[misc]
    """TRL's trainer as it is."""


class TheirGRPO(Silent, trl.GRPOTrainer):  # type: ignore[misc]
    """TRL's trainer as it is."""


THEIRS: dict[str, Any] = {"rloo": TheirRLOO, "grpo": TheirGRPO}


def score(_: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
    """Count a letter."""
    return [float(text.count("e")) for text in texts]


def slow_score(prompts: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
    """Count a letter as slowly as a judge far away."""
    time.sleep(JUDGED)
    return score(prompts, texts)


def tokens_of(batch: int) -> int:
    """Give how long an answer is: the small model's batches are few, and their answers short."""
    return SHORT if batch == FEW else TOKENS


def configured(method: str, batch: int, steps: int) -> OptimizeConfig:
    """Sample answers of one length, with a KL to a reference."""
    return OptimizeConfig.model_validate(
        {
            "method": method,
            "batch": batch,
            "samples": 4,
            "steps": steps,
            "beta": 0.05,
            "lora": None,
            "precision": "float32",
            "max_new_tokens": tokens_of(batch),
            "extra": {
                "generation_kwargs": {"min_new_tokens": tokens_of(batch)},
                "save_strategy": "no",
            },
        }
    )


def ours(
    method: str, model: Path, folder: Path, batch: int, steps: int, reward: Any = score
) -> Any:
    """Make our trainer."""
    job = Job(
        PROMPTS,
        Scorer(PROMPTS, reward),
        load_tokenizer(model),
        configured(method, batch, steps),
        model,
    )
    return make_trainer(job, folder, 0)


def theirs(method: str, model: Path, folder: Path, batch: int, steps: int) -> Any:
    """Make TRL's trainer, with the options that ours hands to it."""
    mine = ours(method, model, folder, batch, steps)
    recipe = recipe_of(configured(method, batch, steps))
    options = {
        "beta": 0.05,
        "num_generations": 4,
        "max_completion_length": tokens_of(batch),
        "temperature": 1.0,
        **recipe.options,
    }
    config = configured(method, batch, steps)

    def reward(completions: list[list[dict[str, str]]], **_: Any) -> list[float | None]:
        return score((), [completion[0]["content"] for completion in completions])

    return THEIRS[method](
        model=str(model),
        reward_funcs=reward,
        args=arguments(recipe.arguments, config, folder, 0, **options),
        train_dataset=mine.train_dataset,
        processing_class=mine.processing_class,
    )


def in_turn(trainers: dict[str, Any]) -> dict[str, float]:
    """Train each a few steps, round after round; give the median seconds of a step."""
    watches = {name: Steps(time.process_time) for name in trainers}
    for name, trainer in trainers.items():
        trainer.add_callback(watches[name])
    for _ in range(ROUNDS):
        for trainer in trainers.values():
            run(trainer)
    # The first step of each round warms up.
    return {
        name: median(s for number, s in enumerate(watch.seconds) if number % STEPS)
        for name, watch in watches.items()
    }


def small(folder: Path) -> list[Claim]:
    """Compare ways on the small model."""
    # The embedded model's vocabulary: reading out its words is much of a step.
    words = AutoTokenizer.from_pretrained(embedded_model())
    model = write_random(folder / "model", words, hidden=64, layers=6)
    trainers = {
        "TRL's RLOO": theirs("rloo", model, folder / "a", FEW, STEPS),
        "RLOO": ours("rloo", model, folder / "b", FEW, STEPS),
        "TRL's GRPO": theirs("grpo", model, folder / "c", FEW, STEPS),
        "GRPO": ours("grpo", model, folder / "d", FEW, STEPS),
        "REINFORCE": ours("reinforce", model, folder / "e", FEW, STEPS),
    }
    took = in_turn(trainers)
    for name, seconds in took.items():
        print(f"{name}: {seconds:.3f} s of processor a step")
    return [
        Claim("RLOO's step to TRL's", took["RLOO"] / took["TRL's RLOO"], 1.03, is_most=True),
        Claim("GRPO's step to TRL's", took["GRPO"] / took["TRL's GRPO"], 1.03, is_most=True),
        Claim("REINFORCE's step to RLOO's", took["REINFORCE"] / took["RLOO"], 0.9, is_most=True),
    ]


def embedded(folder: Path) -> list[Claim]:
    """Compare RLOO and REINFORCE on the embedded model, with a judge to wait for."""
    model, took, waits = embedded_model(), {}, []
    for method in ("rloo", "reinforce"):
        watch = Steps(time.process_time)
        trainer = ours(method, model, folder / method, MANY, 3, Early(slow_score))
        trainer.add_callback(watch)
        run(trainer)
        took[method] = min(watch.seconds[1:])
        waits += watch.waited[1:] if method == "rloo" else []
        seconds = 32 / MANY * took[method]
        print(f"{method}: {seconds:.1f} s of processor for 32 answers of {TOKENS} tokens")
    hidden = 1 - median(waits) / JUDGED
    ratio = took["reinforce"] / took["rloo"]
    return [
        Claim("REINFORCE's step to RLOO's, embedded model", ratio, 0.9, is_most=True),
        Claim("of the judge's 0.6 s, hidden", hidden, 0.8),
    ]


def main() -> int:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="leave the embedded model out")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name, repeatable(0):
        claims = small(Path(name))
        torch.set_num_threads(2)
        claims += [] if asked.small else embedded(Path(name))
    return keep("optimize", claims, threads=torch.get_num_threads())


if __name__ == "__main__":
    raise SystemExit(main())
