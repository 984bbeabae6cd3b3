"""The reward model: preferences in, whoever labelled them; a score for any answer out."""

from rlaif.training.reward.measure import wilson
from rlaif.training.reward.model import Reward, RewardModel, score
from rlaif.training.reward.train import Beside, train_reward_model

__all__ = ["Beside", "Reward", "RewardModel", "score", "train_reward_model", "wilson"]
