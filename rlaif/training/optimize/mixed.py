"""Several rewards as one: each part is asked once, and an answer that one leaves open has none."""

import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from accelerate.utils import gather_object

from rlaif.errors import StageError
from rlaif.records import Prompt
from rlaif.training.reward import Reward
from rlaif.training.rewards import OWN, Mixing, RewardPart

Scores = Sequence[float | None]


class Part(NamedTuple):
    """A reward, and how it counts."""

    reward: Reward
    how: RewardPart


class Scored(NamedTuple):
    """What the parts said of a batch of answers."""

    raw: dict[str, list[float | None]]
    """By part, as it was said."""
    counted: dict[str, list[float | None]]
    """By part, clipped and whitened; None in each where one part gives no score."""
    totals: list[float | None]
    waited: float
    """Seconds in which nothing else was done."""


class Mixed:
    """Several rewards as one; called, it is a `Reward` itself."""

    __name__ = "reward"

    def __init__(
        self, parts: Sequence[Part], mix: Mixing = "sum", clip: float | None = None
    ) -> None:
        """Mix parts; `clip` bounds what comes of them."""
        self.parts = {part.how.title: part for part in parts}
        self.mix = mix
        self.clip = clip
        self._begun: dict[str, Future[Scores]] = {}
        self._of: list[str] = []

    @classmethod
    def of(cls, reward: "Reward | Mixed", clip: float | None = None) -> "Mixed":
        """Take a reward as the only part; one that is mixed keeps its parts and closer bound."""
        if isinstance(reward, Mixed):
            bounds = [bound for bound in (clip, reward.clip) if bound is not None]
            return cls(list(reward.parts.values()), reward.mix, min(bounds, default=None))
        return cls([Part(reward, RewardPart(judge=OWN, name="reward"))], clip=clip)

    @property
    def weights(self) -> dict[str, float]:
        """How much each part counts."""
        return {title: part.how.weight for title, part in self.parts.items()}

    def start(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> None:
        """Begin to ask those parts that can be begun: ones that wait for a network can."""
        self._of = list(texts)
        self._begun = {
            title: part.reward.start(prompts, texts)
            for title, part in self.parts.items()
            if hasattr(part.reward, "start")
        }

    def score(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> Scored:
        """Ask every part about every answer, and wait for those that were begun."""
        started = time.monotonic()
        begun = self._begun if self._of == list(texts) else {}
        # One that fails is asked anew.
        self._begun = {}
        # Those that compute here come first, while the others' answers come in.
        order = sorted(self.parts, key=lambda title: title in begun)
        raw = {title: self._said(title, begun, prompts, texts) for title in order}
        waited = time.monotonic() - started
        raw = {title: raw[title] for title in self.parts}
        known = [
            all(score is not None for score in each) for each in zip(*raw.values(), strict=True)
        ]
        counted = {
            title: _shaped(said, known, self.parts[title].how) for title, said in raw.items()
        }
        totals = self._totals(counted, known)
        return Scored(raw, counted, totals, waited)

    def __call__(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
        """Give each answer's total."""
        return self.score(prompts, texts).totals

    def _said(
        self,
        title: str,
        begun: Mapping[str, Future[Scores]],
        prompts: Sequence[Prompt],
        texts: Sequence[str],
    ) -> list[float | None]:
        if title in begun:
            said = list(begun[title].result())
        else:
            said = list(self.parts[title].reward(prompts, texts))
        if len(said) != len(texts):
            raise StageError(
                f"the reward {title} gave {len(said)} scores to {len(texts)} answers; give one to "
                "each, None for no score"
            )
        # Not a number is no score: it would make every weight none either.
        return [s if s is not None and math.isfinite(s) else None for s in said]

    def _totals(self, counted: Mapping[str, Scores], known: Sequence[bool]) -> list[float | None]:
        totals: list[float | None] = []
        for row, is_known in enumerate(known):
            if not is_known:
                totals.append(None)
                continue
            total = self._total({title: float(said[row] or 0.0) for title, said in counted.items()})
            totals.append(clipped(total, self.clip))
        return totals

    def _total(self, scores: Mapping[str, float]) -> float:
        added = dict(scores)
        total = 0.0
        if self.mix == "product":
            factors = [title for title in scores if not self.parts[title].how.function]
            powers = (_sigmoid(added.pop(t)) ** self.parts[t].how.weight for t in factors)
            total = math.prod(powers)
        return total + sum(self.parts[title].how.weight * score for title, score in added.items())


def _shaped(said: Scores, known: Sequence[bool], how: RewardPart) -> list[float | None]:
    """Clip and whiten one part's scores, over all processes' answers."""
    kept = [
        clipped(float(s or 0.0), how.clip) if k else None for s, k in zip(said, known, strict=True)
    ]
    if not how.whiten:
        return kept
    everyone: list[Any] = gather_object([s for s in kept if s is not None])
    mean = sum(everyone) / max(1, len(everyone))
    deviation = math.sqrt(sum((s - mean) ** 2 for s in everyone) / max(1, len(everyone)))
    return [None if s is None else (s - mean) / (deviation + 1e-6) for s in kept]


def clipped(score: float, clip: float | None) -> float:
    """Bound a score: beyond `clip` from 0 it counts as that."""
    return score if clip is None else min(max(score, -clip), clip)


def _sigmoid(score: float) -> float:
    # The other form would overflow far below 0.
    return 1 / (1 + math.exp(-score)) if score >= 0 else math.exp(score) / (1 + math.exp(score))
