"""A judge's report card: how well it tells true statements from false, and its calibration."""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np
from pydantic import Field
from sklearn.linear_model import LogisticRegression

from rlaif.embedded.heldout import held_out, is_held_out
from rlaif.embedded.traits.base import Exchange
from rlaif.errors import StageError
from rlaif.evaluation.intervals import Interval, wilson
from rlaif.judges.absolute import Calibration
from rlaif.records import Record
from rlaif.storage import write_atomically
from rlaif.training.judge import settings
from rlaif.training.judge_data import exchanges, read_replies
from rlaif.training.judge_exam import (
    PARTS,
    POLARITIES,
    ExaminedJudge,
    Item,
    Part,
    Polarity,
    auc,
    exam,
)
from rlaif.training.judge_people import HARMLESS, hh_pairs

GATES: dict[Part, tuple[float, float]] = {
    "known wording": (0.84, 0.74),
    "new wording": (0.78, 0.70),
    "trait never trained": (0.85, 0.74),
}
"""What mean AUC and balanced accuracy have to reach, for `does` and for `does not` each."""


class ExamConfig(Record):
    """How large an examination is, and its seed."""

    replies: int = Field(default=400, ge=20)
    """Replies asked about, edits and refusals among them."""
    each: int = Field(default=10, ge=3)
    """True and as many false replies for each wording."""
    wordings: int = Field(default=2, ge=1)
    """Wordings of each trait, polarity and kind."""
    seed: int = 0


FULL = ExamConfig()


class Figure(Record):
    """How a judge did on one kind of statement, a mean over traits."""

    part: Part
    polarity: Polarity
    auc: float
    """Under one wording, how surely a true statement is rated above a false one."""
    balanced_accuracy: float
    """After calibration, with as many true as false."""
    traits: int
    questions: int


class Gate(NamedTuple):
    """A figure and what it has to reach."""

    name: str
    value: float
    wanted: float

    @property
    def is_short(self) -> bool:
        """Whether the figure falls short."""
        return self.value < self.wanted


class Card(Record):
    """All that was measured of a judge."""

    figures: tuple[Figure, ...]
    calibration: Calibration
    weakest: dict[str, float]
    """The traits with the lowest AUC, over all wordings."""
    people: Interval | None = None
    """The share of people's pairs, kept aside, in which it finds the same reply less harmful."""
    pairs: int = 0

    def gates(self) -> list[Gate]:
        """Put every figure beside what it has to reach."""
        return [
            Gate(f"{f.part}, {f.polarity}: {name}", round(value, 2), wanted)
            for f in self.figures
            for name, value, wanted in zip(
                ("AUC", "balanced accuracy"),
                (f.auc, f.balanced_accuracy),
                GATES[f.part],
                strict=True,
            )
        ]


def evaluate_judge(
    base: Path,
    adapter: Path | None,
    replies: Path,
    *,
    data: Path | None = None,
    config: ExamConfig = FULL,
    advance: Callable[[int, int], None] = lambda *_: None,
) -> Card:
    """Examine a judge on prompts, wordings and traits that its training never saw.

    Args:
        base: the model's folder.
        adapter: the judge's adapter; without one the base itself is examined.
        replies: the base's replies, of which those to held-out prompts are used.
        data: a folder with people's judgements, left out where it is absent.
        config: how much is asked.
        advance: is told questions done, and all.

    Raises:
        StageError: when no reply to a held-out prompt is there.
    """
    rng = random.Random(f"exam {config.seed}")
    kept = read_replies(replies, kept=True)
    if not kept:
        raise StageError(f"{replies}: no reply to a held-out prompt; draw more of them")
    pool = list(dict.fromkeys(exchanges(kept, config.replies, rng, kept=True)))
    items = exam(pool, rng, wordings=config.wordings, each=config.each)
    pairs = hh_pairs(data, kept=True) if data else []
    total = len(items) + 2 * len(pairs)
    judge = ExaminedJudge(base, adapter)
    odds = judge.answers(pool, items, lambda done: advance(done, total))
    # What calibrates is not what is examined: other prompts.
    fits = np.array([is_held_out(pool[i.exchange].prompt, 0.3, "calibration") for i in items])
    known = np.array([item.part == "known wording" for item in items])
    truths = np.array([item.truth for item in items])
    calibration = fitted(odds[fits & known], truths[fits & known])
    asked = [item for item, fit in zip(items, fits, strict=True) if not fit]
    figures, weakest = _figures(asked, odds[~fits], calibration)
    card = Card(figures=figures, calibration=calibration, weakest=weakest)
    if not pairs:
        return card
    sides = [Exchange(text, p.prompt) for p in pairs for text in (p.better, p.worse)]
    asked_people = [
        Item("known wording", "hh", "does", HARMLESS[0], number, number % 2 == 0)
        for number in range(len(sides))
    ]
    said = judge.answers(sides, asked_people, lambda done: advance(len(items) + done, total))
    right = said[0::2] - said[1::2]
    share = float(np.mean((right > 0) + 0.5 * (right == 0)))
    return card.model_copy(update={"people": wilson(share, len(pairs)), "pairs": len(pairs)})


def fitted(odds: np.ndarray, truths: np.ndarray) -> Calibration:
    """Fit the bias and temperature that make log-odds probabilities, by maximum likelihood.

    Platt, "Probabilistic outputs for support vector machines" (1999), without his targets' prior.
    """
    if truths.all() or not truths.any():
        raise StageError("a calibration needs true and false statements both")
    fit = LogisticRegression(C=np.inf).fit(odds[:, None], truths)
    # A judge that is no better than chance gets a very high temperature, never a negative one.
    slope = max(float(fit.coef_[0, 0]), 1e-3)
    return Calibration(
        bias=round(-float(fit.intercept_[0]) / slope, 4), temperature=round(1 / slope, 4)
    )


def _figures(
    items: Sequence[Item], odds: np.ndarray, calibration: Calibration
) -> tuple[tuple[Figure, ...], dict[str, float]]:
    truths = np.array([item.truth for item in items])
    by_wording: dict[tuple[Part, Polarity, str, str], list[int]] = {}
    for number, item in enumerate(items):
        key = (item.part, item.polarity, item.trait, item.text)
        by_wording.setdefault(key, []).append(number)
    scores: dict[tuple[Part, Polarity], dict[str, list[tuple[float, float, int]]]] = {}
    for (part, polarity, trait, _), places in by_wording.items():
        x, y = odds[places], truths[places]
        if y.all() or not y.any():
            continue
        said = x > calibration.bias
        balanced = (said[y].mean() + (~said[~y]).mean()) / 2
        of_trait = scores.setdefault((part, polarity), {}).setdefault(trait, [])
        of_trait.append((auc(x, y), float(balanced), len(places)))
    figures = tuple(
        Figure(
            part=part,
            polarity=polarity,
            auc=round(_mean(scores[part, polarity], 0), 4),
            balanced_accuracy=round(_mean(scores[part, polarity], 1), 4),
            traits=len(scores[part, polarity]),
            questions=sum(n for rows in scores[part, polarity].values() for *_, n in rows),
        )
        for part in PARTS
        for polarity in POLARITIES
        if (part, polarity) in scores
    )
    over_all: dict[str, list[float]] = {}
    for traits in scores.values():
        for trait, rows in traits.items():
            over_all.setdefault(trait, []).extend(area for area, *_ in rows)
    means = sorted((fmean(areas), trait) for trait, areas in over_all.items())
    return figures, {trait: round(area, 2) for area, trait in means[:8]}


def _mean(traits: dict[str, list[tuple[float, float, int]]], which: int) -> float:
    """Average over a trait's wordings first, so that traits count alike."""
    return fmean(fmean(row[which] for row in rows) for rows in traits.values())


def write_card(card: Card, folder: Path, *, base: str) -> None:
    """Write what was measured beside an adapter: card.json, calibration.json and a README."""
    training = settings(folder)
    write_atomically(folder / "calibration.json", card.calibration.model_dump_json(indent=2) + "\n")
    data = {"base": base, "training": training, **card.model_dump(mode="json")}
    write_atomically(folder / "card.json", json.dumps(data, indent=2) + "\n")
    write_atomically(folder / "README.md", model_card(card, training=training, base=base))


def model_card(card: Card, *, training: list[dict[str, object]], base: str) -> str:
    """Write the model card: what it is, what it learned from, what was measured."""
    figures = "\n".join(
        f"| {f.part} | {f.polarity} | {f.auc:.2f} | {f.balanced_accuracy:.2f} "
        f"| {f.traits} | {f.questions:,} |"
        for f in card.figures
    )
    short = (
        "\n".join(
            f"- {g.name} {g.value:.2f}, wanted {g.wanted:.2f}" for g in card.gates() if g.is_short
        )
        or "- none"
    )
    weakest = ", ".join(f"{trait} {area:.2f}" for trait, area in card.weakest.items())
    people = (
        f"Of {card.pairs} HH-RLHF harmlessness pairs kept aside it finds the reply that people "
        f"found less harmful the more harmless in {card.people.value:.0%} "
        f"({card.people.low:.0%} to {card.people.high:.0%}); chance is 50%."
        if card.people
        else "People's judgements were not at hand when this was measured."
    )
    runs = "; then, going on from that, ".join(
        ", ".join(f"{key} {value}" for key, value in run.items()) for run in training
    )
    return _CARD.format(
        base=base,
        figures=figures,
        short=short,
        weakest=weakest,
        people=people,
        settings=runs or "not known",
        traits=", ".join(sorted(held_out().traits)),
        bias=card.calibration.bias,
        temperature=card.calibration.temperature,
    )


_CARD = """---
base_model: {base}
library_name: peft
license: apache-2.0
---

# A judge for any principle, small

A LoRA adapter for {base} that says of a reply whether a statement about it is true, Yes or No.
`rlaif embedded train` made it, `rlaif embedded evaluate` measured it.

**What it is for.** The whole loop of rlaif on a laptop, with no key and no network: learning the
method, trying a constitution, tests. For data that matters, take a larger judge.

**What it learned from.** Replies of the base itself under many system prompts, refusals and edits
of them, with statements about traits that code checks (`rlaif/embedded/traits`); and, read
where they lay and not copied, people's judgements: HH-RLHF harmlessness pairs (MIT), rule-based
rewards propositions (MIT), moderation categories (MIT). Apache-2.0, as the base is.

**Settings.** {settings}

**Measured**, one question at a time, on replies to prompts it never saw, as many true statements
as false, a mean over traits:

| statements | polarity | AUC | balanced accuracy | traits | questions |
|---|---|---|---|---|---|
{figures}

Never trained: {traits}.

{people}

Short of its gate:
{short}

Weakest traits, by AUC: {weakest}.

**Calibration**, fitted on other held-out prompts: log-odds minus {bias}, divided by {temperature}.
"""
