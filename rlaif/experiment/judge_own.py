"""Train a judge for a person's own principles, and say how much better it is on what was kept."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from rlaif.backends.connect import EMBEDDED, LocalModel, model_path
from rlaif.embedded.find import judge_adapter
from rlaif.errors import InputError
from rlaif.evaluation.intervals import Interval, bootstrap
from rlaif.experiment.judge_make import hub_name, name_base
from rlaif.judges.absolute import Calibration
from rlaif.judges.build import calibration_in
from rlaif.records import Record
from rlaif.storage import write_atomically
from rlaif.training.judge import SETTINGS, settings, train_on
from rlaif.training.judge_lessons import JudgeTraining
from rlaif.training.judge_own import OwnExample, own_documents, own_odds, parted, read_own

Say = Callable[[str], None]
_ROUNDS = 1000
_TAILS = (2.5, 97.5)


class OwnFigures(Record):
    """How a judge does on examples that it never learned from."""

    auc: Interval | None
    """Under one principle, how surely a reply of which it holds is rated above one of which it
    does not; None where no principle has both."""
    accuracy: Interval
    """Of its answers, yes or no."""

    def __str__(self) -> str:
        """Write one line."""
        area = f"AUC {_told(self.auc)}, " if self.auc else ""
        return f"{area}right {_told(self.accuracy)}"


class OwnCard(Record):
    """What a judge for one's own principles learned from, and what came of it."""

    base: str
    start: str
    """The adapter that training went on from; empty where there was none."""
    examples: int
    """Learned from."""
    epochs: int
    kept: int
    """Kept aside, by prompt, and measured on."""
    before: OwnFigures
    after: OwnFigures
    principles: dict[str, tuple[float, float]]
    """For each principle the share of right answers, before and after."""


def make_own_judge(  # noqa: PLR0913 (what to learn, from where, and where to)
    config: JudgeTraining,
    base: str,
    traits: Path,
    out: Path,
    *,
    start: Path | None = None,
    epochs: int = 4,
    say: Say = lambda _: None,
) -> OwnCard:
    """Train an adapter on a file of labelled examples; measure it before and after on a fifth.

    Args:
        config: rank, rate and seed; how many questions are asked the file says.
        base: `embedded`, or a Hugging Face folder or name.
        traits: the file (see `rlaif.training.judge_own.read_own`).
        out: the adapter's folder.
        start: an adapter to go on from; for the embedded model the shipped judge's, if not named.
        epochs: how often each example is asked.
        say: is told how training goes.

    Raises:
        InputError: for a file, base or adapter that cannot be used.
        StageError: when the loss is no number.
    """
    examples = read_own(traits)
    learned, kept = parted(examples)
    start = start or (judge_adapter() if base == EMBEDDED else None)
    if start is not None and not (start / "adapter_config.json").is_file():
        raise InputError(f"{start / 'adapter_config.json'}: no such file")
    folder = model_path(LocalModel(model=base), say=say)
    say(f"{len(learned):,} examples to learn from, {len(kept):,} of other prompts kept aside")
    was = own_odds(folder, start, kept)
    before = (calibration_in(start) if start else None) or Calibration()
    train_on(own_documents(learned, epochs, config.seed), config, folder, out, start=start, say=say)
    name_base(out, base)
    after = undecided_at(own_odds(folder, out, learned), [one.answer for one in learned])
    now = own_odds(folder, out, kept)
    card = OwnCard(
        base=hub_name(base),
        start=_name(start, base),
        examples=len(learned),
        epochs=epochs,
        kept=len(kept),
        before=figures(kept, was - before.bias),
        after=figures(kept, now - after.bias),
        principles=_by_principle(kept, was - before.bias, now - after.bias),
    )
    run = {"own examples": len(learned), "epochs": epochs, **_of(config)}
    write_atomically(out / SETTINGS, json.dumps([*settings(start), run], indent=2))
    write_atomically(out / "calibration.json", after.model_dump_json(indent=2) + "\n")
    write_atomically(out / "card.json", card.model_dump_json(indent=2) + "\n")
    write_atomically(out / "README.md", own_model_card(card))
    return card


def undecided_at(odds: np.ndarray, answers: Sequence[bool]) -> Calibration:
    """Find the log-odds at which a judge is undecided, from what it learned.

    Its ranking is learned sooner than its threshold. How sure it is of what it learned says nothing
    of other replies, so that the temperature stays 1. Half way between the means of the two sides;
    0 where all answers are alike.
    """
    truths = np.array(answers, dtype=bool)
    if truths.all() or not truths.any():
        return Calibration()
    return Calibration(bias=round(float(odds[truths].mean() + odds[~truths].mean()) / 2, 4))


def _of(config: JudgeTraining) -> dict[str, object]:
    return config.model_dump(include={"rank", "layers_from", "learning_rate", "batch", "seed"})


def _name(start: Path | None, base: str) -> str:
    if start is None:
        return ""
    return "the shipped judge" if base == EMBEDDED and start == judge_adapter() else start.name


def figures(examples: Sequence[OwnExample], odds: np.ndarray) -> OwnFigures:
    """Measure log-odds, undecided at 0, against the examples' answers; intervals by prompt."""
    truths = np.array([one.answer for one in examples])
    prompts = [one.prompt for one in examples]
    right = ((odds > 0) == truths).astype(float)
    return OwnFigures(auc=_auc(examples, odds, truths), accuracy=bootstrap(right.tolist(), prompts))


def _auc(examples: Sequence[OwnExample], odds: np.ndarray, truths: np.ndarray) -> Interval | None:
    """Give the AUC of pairs under one principle, and its interval by drawing prompts anew."""
    names = {text: number for number, text in enumerate(dict.fromkeys(o.prompt for o in examples))}
    prompt = np.array([names[one.prompt] for one in examples])
    principle = np.array([one.principle for one in examples])
    better, worse = np.nonzero(
        (truths[:, None] & ~truths[None, :]) & (principle[:, None] == principle[None, :])
    )
    if not len(better):
        return None
    gap = odds[better] - odds[worse]
    won = (gap > 0) + 0.5 * (gap == 0)
    rng, drawn = np.random.default_rng(0), []
    for _ in range(_ROUNDS):
        times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        weight = times[prompt[better]] * times[prompt[worse]]
        if weight.any():
            drawn.append(np.average(won, weights=weight))
    value = float(np.mean(won))
    low, high = (float(edge) for edge in np.percentile(drawn or [value], _TAILS))
    return Interval(value=value, low=min(low, value), high=max(high, value))


def _by_principle(
    examples: Sequence[OwnExample], was: np.ndarray, now: np.ndarray
) -> dict[str, tuple[float, float]]:
    truths = np.array([one.answer for one in examples])
    found = {}
    for text in dict.fromkeys(one.principle for one in examples):
        places = np.array([one.principle == text for one in examples])
        shares = [float(np.mean((o > 0)[places] == truths[places])) for o in (was, now)]
        found[text] = (round(shares[0], 4), round(shares[1], 4))
    return found


def own_model_card(card: OwnCard) -> str:
    """Write the model card: what it is, what it learned from, what was measured."""
    rows = "\n".join(
        f"| {text} | {was:.2f} | {now:.2f} |" for text, (was, now) in card.principles.items()
    )
    return _CARD.format(
        base=card.base,
        start=f", going on from {card.start}" if card.start else "",
        examples=card.examples,
        epochs=card.epochs,
        kept=card.kept,
        before_auc=_told(card.before.auc),
        after_auc=_told(card.after.auc),
        before_accuracy=_told(card.before.accuracy),
        after_accuracy=_told(card.after.accuracy),
        rows=rows,
    )


def _told(figure: Interval | None) -> str:
    return f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})" if figure else "–"


_CARD = """---
base_model: {base}
library_name: peft
---

# A judge for one's own principles

A LoRA adapter for {base}{start}, that says of a reply whether a statement about it is true, Yes
or No. `rlaif embedded train --traits` made it from {examples} labelled examples, each asked
{epochs} times.

**Measured** on {kept} examples about a fifth of the prompts, which it never learned from, with
95 % intervals that draw prompts anew:

| | before | after |
|---|---|---|
| AUC under one principle | {before_auc} | {after_auc} |
| right answers | {before_accuracy} | {after_accuracy} |

| right answers by principle | before | after |
|---|---|---|
{rows}

On other principles it was not measured; `rlaif embedded evaluate` does that.
"""
