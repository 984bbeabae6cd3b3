"""What a policy is rewarded by: the models, judges and functions that the experiment names."""

from pathlib import Path

from rlaif.constitution.principle import Constitution
from rlaif.experiment.config import OptimizeSection
from rlaif.experiment.context import Context
from rlaif.judges.early import Early
from rlaif.judges.reward import reward_of
from rlaif.training.optimize.functions import function_of
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
