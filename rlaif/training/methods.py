"""What single methods can be told; loads no torch."""

from typing import Literal

from pydantic import Field

from rlaif.records import Record

THEIRS = (
    "f_alpha_divergence_coef",
    "f_divergence_type",
    "label_smoothing",
    "ld_alpha",
    "loss_type",
    "loss_weights",
    "precompute_ref_log_probs",
    "sync_ref_model",
    "use_weighting",
)
"""Options in `extra` that are of TRL's own DPO loss, which is then taken; it has no soft labels."""
Baseline = Literal["none", "mean", "learned"]


class Critic(Record):
    """A head on the policy that learns what an answer will earn."""

    weight: float = Field(default=0.1, ge=0.0)
    """How much its loss counts beside the policy's; at 0 it learns nothing."""
    learning_rate: float | None = Field(default=None, gt=0.0)
    """Its own highest learning rate; the policy's where none is given."""


class PPO(Record):
    """Proximal policy optimization (Schulman et al. 2017, arXiv 1707.06347)."""

    clip: float = Field(default=0.2, gt=0.0)
    """How far an answer's probability may move from what it was drawn with, as a share."""
    value_clip: float | None = Field(default=0.2, gt=0.0)
    """How far the critic may move from what it said when the answer was drawn; null for any."""
    discount: float = Field(default=1.0, gt=0.0, le=1.0)
    """What a reward is worth a token earlier (gamma)."""
    smoothing: float = Field(default=0.95, ge=0.0, le=1.0)
    """How far an advantage looks ahead (λ of GAE): 1 trusts rewards, 0 trusts the critic."""
    whiten: bool = True
    """Give the advantages of each draw mean 0 and deviation 1."""
    passes: int = Field(default=1, ge=1)
    """Times that an answer is learned from."""
    updates: int = Field(default=1, ge=1)
    """Updates made from what is drawn at once, each from another part of it."""


class Stop(Record):
    """When to stop before a policy is spoiled; what is not named stops nothing."""

    judge_drop: float | None = Field(default=None, gt=0.0, le=1.0)
    """The judge that is not the reward likes the policy so much less than it did at its best."""
    kl: float | None = Field(default=None, gt=0.0)
    """Answers are so many nats from the starting policy, in the mean."""
    distinct: float | None = Field(default=None, gt=0.0, lt=1.0)
    """Of the word pairs of all answers, fewer than this share are distinct."""
    benign_help_drop: float | None = Field(default=None, gt=0.0, le=1.0)
    """So much less of what is harmless to help with is helped with than at the start."""


class Monitor(Record):
    """Look at a fixed sample of prompts again and again while a policy is trained by a reward.

    A judge that is not the reward sees what the reward may have missed: a reward that goes on
    rising while the judge falls is being gamed (Gao et al. 2022, arXiv 2210.10760).
    """

    every: int = Field(default=50, ge=1)
    """Updates between two looks."""
    prompts: int = Field(default=16, ge=1)
    """How many of the training prompts are looked at, and how many harmless ones."""
    stop: Stop = Stop()
    """When to stop; the best policy seen so far is what is written then. Where no look had one, the
    run fails."""

    @property
    def needs_benign(self) -> bool:
        """Say whether harmless prompts are asked too."""
        return self.stop.benign_help_drop is not None
