"""How training is configured; light, so that a mistake in a file never waits for torch."""

from typing import Any, Literal

from pydantic import Field

from rlaif.records import Record


class LoRA(Record):
    """Train small matrices beside the weights instead of the weights."""

    rank: int = Field(default=16, ge=1)
    """The matrices' inner size."""
    alpha: int = Field(default=32, ge=1)
    """How much they count: the update is scaled by alpha / rank."""
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)


class TrainingConfig(Record):
    """What every trainer has in common."""

    epochs: float = Field(default=1.0, gt=0)
    """Passes over the rows."""
    learning_rate: float = Field(default=2e-4, gt=0)
    """The highest rate; it rises over a tenth of the steps, then falls to zero in a line."""
    batch: int = Field(default=8, ge=1)
    """Rows in one step on one device."""
    accumulate: int = Field(default=1, ge=1)
    """Steps gathered into one update."""
    max_length: int = Field(default=512, ge=8)
    """Tokens of a row; longer ones are left out, and counted."""
    lora: LoRA | None = LoRA()
    """`null` trains every weight."""
    extra: dict[str, Any] = Field(default_factory=dict)
    """Passed to TRL's own config as it is."""


class SFTConfig(TrainingConfig):
    """Supervised fine-tuning: imitate replies."""


class RewardConfig(TrainingConfig):
    """A reward model from preferences."""

    holdout: float = Field(default=0.15, ge=0.0, lt=1.0)
    """The share of prompts kept aside to measure accuracy on."""


class OptimizeConfig(TrainingConfig):
    """Move a policy by preferences (dpo) or by a reward (rloo)."""

    method: Literal["dpo", "rloo"] = "dpo"
    beta: float = Field(default=0.1, ge=0.0)
    """How dear it is to move away from the start: DPO's β, or the KL penalty in the reward."""
    reward: Literal["model", "judge"] = "judge"
    """What rloo is rewarded by: the trained reward model, or the judge itself."""
    steps: int = Field(default=20, ge=1)
    """rloo: updates in all."""
    samples: int = Field(default=4, ge=2)
    """rloo: replies drawn for each prompt; each is compared with the mean of the others."""
    max_new_tokens: int = Field(default=48, ge=1)
    """rloo: the longest reply drawn."""
    temperature: float = Field(default=0.9, gt=0.0)
    """rloo: how replies are drawn."""
