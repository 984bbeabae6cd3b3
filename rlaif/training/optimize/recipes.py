"""Each method's trainer, and what our config says in the words of TRL's."""

from collections.abc import Callable
from typing import Any, NamedTuple

import trl

from rlaif.errors import InputError
from rlaif.training.config import OptimizeConfig
from rlaif.training.optimize.baseline import RunningMean
from rlaif.training.optimize.online import OnlineDPOTrainer
from rlaif.training.optimize.own import OwnConfig
from rlaif.training.optimize.ppo import PPOTrainer
from rlaif.training.optimize.reinforce import ReinforceTrainer
from rlaif.training.optimize.rollouts import GRPOTrainer, RLOOTrainer


def _nothing(_: Any, __: OptimizeConfig) -> None:
    """Leave a trainer as it is."""


class Recipe(NamedTuple):
    """A method's trainer, the options it takes, what it is told of them, and the rest."""

    trainer: Any
    arguments: Any
    options: dict[str, Any]
    finish: Callable[[Any, OptimizeConfig], None] = _nothing


def recipe_of(config: OptimizeConfig) -> Recipe:
    """Give the recipe of the method that a config names."""
    match config.method:
        case "grpo":
            each = "normalize_then_sum" if config.normalise == "each" else "sum_then_normalize"
            scale = "group" if config.normalise == "group" else "none"
            options = {"scale_rewards": scale, "multi_objective_aggregation": each}
            return Recipe(GRPOTrainer, trl.GRPOConfig, options)
        case "reinforce":
            plain = {"scale_rewards": "none"}
            return Recipe(ReinforceTrainer, OwnConfig, plain, _finish_reinforce)
        case "ppo":
            return Recipe(PPOTrainer, OwnConfig, _of_ppo(config), _finish_ppo)
        case "online-dpo":
            plain = {"scale_rewards": "none"}
            return Recipe(OnlineDPOTrainer, trl.GRPOConfig, plain, _finish_online)
        case _:
            return Recipe(RLOOTrainer, trl.RLOOConfig, {})


def _finish_online(trainer: OnlineDPOTrainer, config: OptimizeConfig) -> None:
    trainer.how = config


def _of_ppo(config: OptimizeConfig) -> dict[str, Any]:
    return {
        "scale_rewards": "none",
        "loss_type": "dapo",
        "epsilon": config.ppo.clip,
        "num_iterations": config.ppo.passes,
        "steps_per_generation": config.passes,
    }


def _finish_ppo(trainer: PPOTrainer, config: OptimizeConfig) -> None:
    trainer.how, trainer.critic = config.ppo, config.critic
    trainer.add_critic(config.critic.learning_rate)


def _finish_reinforce(trainer: ReinforceTrainer, config: OptimizeConfig) -> None:
    args = trainer.args
    if args.gradient_accumulation_steps % (args.steps_per_generation * args.num_iterations):
        raise InputError(
            "extra: reinforce learns from each answer once, before the policy moves; leave "
            "steps_per_generation and num_iterations alone, or take `method: ppo`"
        )
    trainer.kl_in_loss, trainer.critic = config.kl_in == "loss", config.critic
    if config.baseline == "learned":
        trainer.add_critic(config.critic.learning_rate)
    elif config.baseline == "mean":
        trainer.baseline = RunningMean()
