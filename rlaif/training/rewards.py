"""What a reward is made of, as an experiment file says it; loads no torch."""

from typing import Literal, Self

from pydantic import Field, model_validator

from rlaif.records import Record
from rlaif.resources import did_you_mean

OWN = "run"
"""In a part: the run's own reward model, or its own constitution."""
FUNCTIONS = ("length", "refusal", "variety")
"""What can be counted of a text by name."""
Mixing = Literal["sum", "product"]


class RewardPart(Record):
    """One part of a reward: a model, a judge or a function, and how much it counts."""

    model: str | None = None
    """A reward model's folder; `run` is the one that the section `reward` trains."""
    judge: str | None = None
    """What the judge goes by: `run` is the experiment's constitution, or name one of its
    principles, another constitution's file, or a shipped one."""
    function: str | None = None
    """What is counted of the text: `length` (less 1 for each time it is `most` words too long),
    `refusal` (1 for a text that declines), `variety` (the share of word pairs that are new), or
    `module:name` of your own, called with prompts and texts."""
    name: str = ""
    """What it is called in the figures; its kind where none is given."""
    weight: float = Field(default=1.0, allow_inf_nan=False)
    """How much it counts; below 0 it is held against the answer. In a product, its power."""
    clip: float | None = Field(default=None, gt=0.0)
    """Scores beyond this many points from 0 count as this many."""
    whiten: bool = False
    """Take each step's mean from the scores and divide by their deviation, so that parts of
    different scales count alike."""
    most: int | None = Field(default=None, ge=1)
    """For `length`: the words that cost nothing."""

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        named = [kind for kind in ("model", "judge", "function") if getattr(self, kind)]
        if len(named) != 1:
            raise ValueError("name one of `model`, `judge` and `function`")
        if self.function and ":" not in self.function and self.function not in FUNCTIONS:
            near = did_you_mean(self.function, list(FUNCTIONS))
            raise ValueError(f"no function {self.function!r}{near}; your own is `module:name`")
        if (self.function == "length") != (self.most is not None):
            raise ValueError("`function: length` needs `most`, the words that cost nothing")
        return self

    @property
    def title(self) -> str:
        """What it is called in the figures."""
        if self.name or self.function:
            return self.name or str(self.function).rpartition(":")[2]
        kind, of = ("model", self.model) if self.model else ("judge", self.judge)
        return kind if of == OWN else f"{kind}-{str(of).rstrip('/').rpartition('/')[2]}"


def check_parts(parts: tuple[RewardPart, ...], mix: Mixing) -> None:
    """Make sure that parts can stand beside each other.

    Raises:
        ValueError: for two of one name, or a product that is none.
    """
    titles = [part.title for part in parts]
    twice = next((title for title in titles if titles.count(title) > 1), None)
    if twice:
        raise ValueError(f"rewards: two parts are called {twice!r}; give one a `name`")
    factors = [part for part in parts if not part.function]
    if mix == "product" and (not factors or any(part.weight <= 0 for part in factors)):
        raise ValueError("mix: product needs models or judges, each of a weight above 0")
