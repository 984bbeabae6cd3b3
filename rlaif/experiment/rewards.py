"""What a policy is rewarded by: the models, judges and functions that the experiment names."""

import math
from collections.abc import Sequence
from pathlib import Path

from rlaif.constitution.principle import Constitution
from rlaif.evaluation.suites import load_suite
from rlaif.experiment.config import OptimizeSection, has_referee
from rlaif.experiment.context import Context
from rlaif.feedback.prompts import drawn
from rlaif.judges.early import Early
from rlaif.judges.reward import RatedReward, reward_of
from rlaif.records import Prompt
from rlaif.training.optimize.functions import function_of
from rlaif.training.optimize.looks import Versus, Watched
from rlaif.training.optimize.mixed import Mixed, Part
from rlaif.training.reward import Reward, RewardModel
from rlaif.training.rewards import OWN, RewardPart


def mixed_reward(run: Context, config: OptimizeSection) -> Mixed:
    """Load every part of the reward; names and functions first, which may be wrong."""
    functions = {part.title: function_of(part) for part in config.parts if part.function}
    rules = {part.title: run.rules_of(part.judge) for part in config.parts if part.judge}
    parts = []
    for part in config.parts:
        if part.title in functions:
            reward: Reward = functions[part.title]
        elif part.title in rules:
            reward = _judge(run, config, rules[part.title])
        else:
            reward = RewardModel(model_of(run, part))
        parts.append(Part(reward, part))
    return Mixed(parts, config.mix, config.clip_reward)


def watched_by(run: Context, config: OptimizeSection, samples: Path) -> Watched | None:
    """Give what the monitor looks at, and the judge that is not the reward, where there is one.

    `samples` is the file of what the policy says at each look.
    """
    if config.monitor is None:
        return None
    count = config.monitor.prompts
    prompts = drawn(run.train, min(count, len(run.train)), f"monitor {run.experiment.seed}")
    benign = load_suite("benign")[:count] if config.monitor.needs_benign else []
    judge = _versus(run) if has_referee(run.experiment.models, config) else None
    return Watched(prompts, benign, judge, samples)


def _versus(run: Context) -> Versus:
    """Say how much answers are liked: rated by themselves, or against those of the start."""
    judge = run.judge("referee")
    reward = reward_of(judge, run.constitution, conditions=run.conditions("referee"))
    if isinstance(reward, RatedReward):
        return lambda prompts, now, _: [
            None if score is None else 1 / (1 + math.exp(-score)) for score in reward(prompts, now)
        ]

    def against(
        prompts: Sequence[Prompt], now: Sequence[str], start: Sequence[str]
    ) -> list[float | None]:
        nets = reward([*prompts, *prompts], [*now, *start])[: len(now)]
        return [None if net is None else (net + 1) / 2 for net in nets]

    return against


def model_of(run: Context, part: RewardPart) -> Path:
    """Give the folder of the reward model that a part names."""
    if part.model == OWN:
        return run.finished("reward") / "model"
    return run.beside(Path(part.model or ""))


def _judge(run: Context, config: OptimizeSection, rules: Constitution) -> Reward:
    reward = reward_of(
        run.judge(constitution=rules),
        rules,
        conditions=run.conditions(constitution=rules),
        opponents=config.opponents,
    )
    is_elsewhere = all(spec.kind == "openai" for spec in run.judges("judge"))
    return Early(reward) if is_elsewhere else reward
