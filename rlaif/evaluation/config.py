"""How an evaluation is made: which suites, how replies are drawn, which traits are counted."""

from typing import Literal

from pydantic import Field, field_validator

from rlaif.embedded.traits import TRAITS
from rlaif.records import Record
from rlaif.resources import did_you_mean

Want = Literal["up", "down", "same"]
"""Which way a figure should move."""

LENGTH = "length"
"""A measure of its own: the mean number of words, where every other is a share of replies."""


class Measure(Record):
    """A trait that is counted by code in the replies to some prompts."""

    trait: str
    """What is counted: a trait's name, such as `brief`, or `length`."""
    suite: str | None = None
    """Only replies to prompts of this suite, or with this tag; all where none is given."""
    want: Want = "up"
    """Which way the experiment wants it to move; `same` guards what must not change."""
    principle: str | None = None
    """The principle that asks for it, so that the report can put the two side by side."""

    @field_validator("trait")
    @classmethod
    def _is_known(cls, trait: str) -> str:
        if trait != LENGTH and trait not in TRAITS:
            raise ValueError(f"no such trait{did_you_mean(trait, [LENGTH, *TRAITS])}")
        return trait


class EvaluateConfig(Record):
    """How policies are put side by side."""

    suites: tuple[str, ...] = Field(default=("harmful", "benign", "helpful"), min_length=1)
    """Shipped suites by name, files of prompts, or `holdout`: the prompts kept aside."""
    limit: int | None = Field(default=None, ge=1)
    """Use this many prompts of each suite, from its start; all where none is given."""
    samples: int = Field(default=1, ge=1)
    """Replies to each prompt from each policy."""
    max_tokens: int = Field(default=48, ge=1)
    """The longest reply, in tokens."""
    temperature: float = Field(default=0.8, ge=0.0)
    """0 takes the likeliest token each time."""
    top_p: float = Field(default=0.95, gt=0.0, le=1.0)
    """The smallest set of tokens with this much probability is drawn from."""
    measures: dict[str, Measure] = Field(default_factory=dict)
    """Rows of the table beside those that are always there, by the name they are shown under."""
    win_rate: bool = True
    """Ask the referee which of two policies' replies follows the constitution better."""
    judged: int | None = Field(default=None, ge=1)
    """Judge this many pairs of each suite and policy, spread over its prompts; all where none."""
    rounds: int = Field(default=2000, ge=1000)
    """Rounds of the bootstrap behind each interval."""
