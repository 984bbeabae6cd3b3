"""What came of each method, seed by seed, and of its seeds together."""

from collections.abc import Sequence
from statistics import fmean, pstdev
from typing import NamedTuple

from rlaif.records import Record


class Outcome(Record):
    """One method from one seed."""

    method: str
    kind: str
    """When it draws what it learns from."""
    seed: int
    before: float
    """The start's mean reward, on the answers that the policy is measured by."""
    reward: float
    kl: float
    """KL(π‖π₀) of a whole answer, in nats."""
    tokens: int
    """Drawn to learn from."""
    asked: float
    """Tokens drawn for one answer when the policy is used."""
    draws: int = 1
    """Answers drawn for one when the policy is used; what choosing among them costs each time."""
    generation: float
    """Seconds of drawing."""
    rewarding: float
    """Seconds of waiting for the reward."""
    update: float
    """Seconds of all else: log-probabilities, gradients, reading and writing the model."""
    unscored: int = 0
    """Of the answers that measure the policy, those without a score: they count for nothing."""

    @property
    def gain(self) -> float:
        """How much the reward rose."""
        return self.reward - self.before

    @property
    def seconds(self) -> float:
        """All of its seconds."""
        return self.generation + self.rewarding + self.update


class Spread(NamedTuple):
    """A figure over seeds."""

    mean: float
    low: float
    high: float
    deviation: float
    """The standard deviation (of n)."""
    values: tuple[float, ...]


class Standing(NamedTuple):
    """One method over all its seeds."""

    method: str
    kind: str
    gain: Spread
    kl: Spread
    tokens: float
    asked: float
    draws: int
    generation: float
    rewarding: float
    update: float

    @property
    def seconds(self) -> float:
        """All of its seconds."""
        return self.generation + self.rewarding + self.update

    @property
    def gain_a_nat(self) -> float:
        """Reward gained for a nat of KL."""
        return self.gain.mean / self.kl.mean if self.kl.mean > 0 else 0.0


def spread(values: Sequence[float]) -> Spread:
    """Sum up a figure over seeds.

    >>> spread([1.0, 3.0])
    Spread(mean=2.0, low=1.0, high=3.0, deviation=1.0, values=(1.0, 3.0))
    """
    return Spread(fmean(values), min(values), max(values), pstdev(values), tuple(values))


def standings(outcomes: Sequence[Outcome]) -> list[Standing]:
    """Sum up each method's seeds, in the order in which methods first stand."""
    return [
        _standing([outcome for outcome in outcomes if outcome.method == method])
        for method in dict.fromkeys(outcome.method for outcome in outcomes)
    ]


def _standing(own: Sequence[Outcome]) -> Standing:
    return Standing(
        own[0].method,
        own[0].kind,
        spread([each.gain for each in own]),
        spread([each.kl for each in own]),
        fmean(each.tokens for each in own),
        fmean(each.asked for each in own),
        own[0].draws,
        fmean(each.generation for each in own),
        fmean(each.rewarding for each in own),
        fmean(each.update for each in own),
    )
