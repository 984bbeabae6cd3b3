"""Labelled pairs with the rewards that a model gave their two replies."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field, FiniteFloat

from rlaif.errors import InputError
from rlaif.evaluation.intervals import Figures
from rlaif.evaluation.trivial import TRIVIAL
from rlaif.judges.propositions import sigmoid
from rlaif.records import Comparison, Preference, Prompt, Record, Response, fingerprint_of
from rlaif.storage import read_records

Split = Literal["train", "held-out"]


class Scored(Record):
    """One labelled pair and its two rewards."""

    preference: Preference
    chosen: FiniteFloat | None
    """The reward of the reply that the label prefers; None where the model gave none."""
    rejected: FiniteFloat | None
    split: Split = "held-out"
    """Whether the model was trained on the pair."""
    by_principle: dict[str, tuple[FiniteFloat | None, FiniteFloat | None]] = Field(
        default_factory=dict
    )
    """Of a model that reads a principle: the two rewards under each, the chosen reply's first."""


class Pair(NamedTuple):
    """A pair whose both replies have a reward, as the figures read it."""

    preference: Preference
    margin: float
    """Δr: the reward of the reply that the label prefers, less the other's."""
    under: Mapping[str, float] = MappingProxyType({})
    """Δr under each principle that the model reads."""

    @property
    def is_decided(self) -> bool:
        """Say whether the label names a side; a tie has no right answer."""
        return self.preference.p_chosen > 0.5

    @property
    def right(self) -> float:
        """Give 1 where the model prefers what the label prefers, 0.5 for equal rewards, else 0."""
        return right_of(self.margin)

    def right_under(self, principle: str) -> float:
        """Give the same of its score under a principle, where it reads one."""
        return right_of(self.under.get(principle, self.margin))

    @property
    def comparison(self) -> Comparison:
        """Give the pair as a question, the label's chosen reply as the first."""
        label = self.preference
        return Comparison(
            id=label.id, prompt=label.prompt, first=label.chosen, second=label.rejected
        )

    def by_rule(self, name: str) -> float:
        """Give what `right` would be of a rule that reads nothing."""
        choice = TRIVIAL[name](self.comparison)
        return {"first": 1.0, "tie": 0.5, "second": 0.0}[choice]

    def as_label(self, name: str) -> Preference:
        """Give the pair as the model would label it: the higher reward chosen, p = σ(|Δr|)."""
        label = self.preference
        one, other = label.chosen, label.rejected
        if self.margin < 0:
            one, other = other, one
        p = sigmoid(abs(self.margin))
        return label.model_copy(
            update={
                "chosen": one,
                "rejected": other,
                "p_chosen": p,
                "by": name,
                "source": "judge",
                "verdicts": (),
            }
        )


def right_of(margin: float) -> float:
    """Give 1 for a lead, 0.5 for none, 0 for less."""
    return 1.0 if margin > 0 else 0.5 if margin == 0 else 0.0


def key_of(prompt: Prompt, one: Response, other: Response) -> str:
    """Stand for a pair whoever labelled it: the conversation and the two replies, in any order."""
    return fingerprint_of([prompt.text, *sorted((one.text, other.text))])


def read_scored(path: Path) -> list[Scored]:
    """Read a file of scored pairs.

    Raises:
        InputError: for a line that is no scored pair, or a file without any.
    """
    rows = list(read_records(path, Scored))
    if not rows:
        raise InputError(f"{path}: the file has no rows")
    return rows


def need_apart(rows: Iterable[Scored]) -> None:
    """Hold the splits to what they promise: no conversation stands in both.

    Raises:
        InputError: for a prompt that the model was trained on and is measured by.
    """
    # By the text, as the split is made: the same question under two ids would leak across.
    seen: dict[str, Scored] = {}
    for row in rows:
        text = row.preference.prompt.text
        first = seen.setdefault(text, row)
        if first.split != row.split:
            ids = f"{first.preference.id} ({first.split}) and {row.preference.id} ({row.split})"
            raise InputError(
                f"rows {ids} have the same prompt, so what is held out was trained on; "
                "split by prompt, not by row"
            )


def pairs_of(rows: Iterable[Scored], split: Split) -> list[Pair]:
    """Give one split's pairs, those with an unscored reply left out."""
    return [
        Pair(row.preference, row.chosen - row.rejected, _under(row))
        for row in rows
        if row.split == split and row.chosen is not None and row.rejected is not None
    ]


def _under(row: Scored) -> dict[str, float]:
    return {
        name: chosen - rejected
        for name, (chosen, rejected) in row.by_principle.items()
        if chosen is not None and rejected is not None
    }


def margins(pairs: Sequence[Pair]) -> Figures:
    """Give Δr of each pair."""
    return np.array([pair.margin for pair in pairs], dtype=float)


def prompts(pairs: Sequence[Pair]) -> list[str]:
    """Name each pair's conversation, whose pairs are drawn together."""
    return [pair.preference.prompt.text for pair in pairs]
