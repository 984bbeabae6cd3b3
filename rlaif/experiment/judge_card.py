"""A judge's report card: what was measured of it, each figure beside its gate and its aim."""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import Field
from sklearn.linear_model import LogisticRegression

from rlaif.backends.connect import LocalModel, connect
from rlaif.embedded.heldout import is_held_out
from rlaif.embedded.traits.base import Exchange
from rlaif.errors import StageError
from rlaif.experiment import judge_trials as trials
from rlaif.experiment.judge_marks import Mark, mark_of_calibration, marks_of_statements
from rlaif.experiment.judge_page import Card, model_card
from rlaif.judges.absolute import AbsoluteJudge, Calibration
from rlaif.judges.build import calibration_in
from rlaif.records import Record
from rlaif.storage import write_atomically
from rlaif.templates import Template
from rlaif.training.judge import learned_more_phrases, settings
from rlaif.training.judge_data import Document, exchanges, read_replies
from rlaif.training.judge_exam import ExaminedJudge, Item, auc, drawn_traits, exam
from rlaif.training.judge_fill import filled
from rlaif.training.judge_mean import MEAN
from rlaif.training.judge_pairs import Twins
from rlaif.training.judge_people import Pair, hh_pairs

Advance = Callable[[int, int], None]
_TELLING = 30
"""Statements of a kind, below which a part of the training is not judged by them."""


class ExamConfig(Record):
    """How large an examination is, and its seed."""

    replies: int = Field(default=300, ge=20)
    """Replies drawn, edits and refusals among them; more are made for traits that are rare."""
    each: int = Field(default=4, ge=3)
    """True and as many false replies for each wording."""
    wordings: int = Field(default=1, ge=1)
    """Wordings of each trait, polarity and kind."""
    traits: int | None = Field(default=None, ge=1)
    """So many trained traits, and a fifth as many never trained; every one where none is said."""
    pairs: int = Field(default=60, ge=0)
    """Minimal pairs."""
    comparisons: int = Field(default=20, ge=0)
    """Comparisons, each of some ten statements and in both orders."""
    people: int = Field(default=250, ge=0)
    """People's pairs, drawn from those that are kept aside."""
    attacks: int = Field(default=60, ge=0)
    """Replies that talk to the judge, each asked a few statements about."""
    revisions: int = Field(default=24, ge=0)
    """Replies that the base critiques and rewrites."""
    stages: int = Field(default=600, ge=0)
    """Statements that the base alone and the adapter on its way are asked; 0 for none."""
    keep_calibration: bool = False
    """Examine the adapter as it is, with the calibration that it has, where it has one."""
    seed: int = 0


FULL = ExamConfig()
QUICK = ExamConfig(
    replies=80, each=3, traits=30, pairs=16, comparisons=5, people=30, attacks=8, revisions=2,
    stages=0,
)  # fmt: skip
"""A few minutes on two cores, where all of it takes some twenty; its intervals are wide."""


def changed(config: ExamConfig, **options: int | None) -> ExamConfig:
    """Put in the options that were given, and leave the rest as it is."""
    given = {name: value for name, value in options.items() if value is not None}
    return config.model_copy(update=given)


class _Paper(NamedTuple):
    """An examination's questions."""

    drawn: list[Exchange]
    """Replies, edits, refusals and broken text, as they were drawn."""
    pool: list[Exchange]
    """Those, and edits of them that have what few replies have, or lack what most have."""
    items: list[Item]
    twins: list[Twins]
    comparisons: list[Document]


def evaluate_judge(  # noqa: PLR0913 (who is examined, on what, and who writes)
    base: Path,
    adapter: Path | None,
    replies: Path,
    *,
    data: Path | None = None,
    reviser: Path | None = None,
    config: ExamConfig = FULL,
    advance: Advance = lambda *_: None,
) -> Card:
    """Examine a judge on prompts, wordings and traits that its training never saw.

    Args:
        base: the model's folder.
        adapter: the judge's adapter; without one the base itself is examined. What it was on its
            way is examined where `<adapter>.work` has it.
        replies: the base's replies, of which those to held-out prompts are used.
        data: a folder with people's judgements, left out where it is absent.
        reviser: the adapter with which the base rewrites replies; without one, the base alone.
        config: how much is asked.
        advance: is told statements done, and all.

    Raises:
        StageError: when no reply to a held-out prompt is there.
    """
    paper = _paper(replies, config, more=learned_more_phrases(adapter))
    judge = ExaminedJudge(base, adapter)
    odds = judge.answers(paper.pool, paper.items, lambda done: advance(done, len(paper.items)))
    # What calibrates is not what is examined: other prompts.
    fits = np.array(
        [is_held_out(paper.pool[i.exchange].prompt, 0.3, "calibration") for i in paper.items]
    )
    known = np.array([item.part == "known wording" for item in paper.items])
    truths = np.array([item.truth for item in paper.items])
    calibration = (calibration_in(adapter) if config.keep_calibration else None) or fitted(
        odds[fits & known], truths[fits & known]
    )
    asked = [item for item, fit in zip(paper.items, fits, strict=True) if not fit]
    statements, weakest = marks_of_statements(asked, odds[~fits], calibration)
    names = [paper.pool[item.exchange].reply for item in asked]
    error, bins = mark_of_calibration(odds[~fits], truths[~fits], names, calibration)
    people, trivial = trials.mark_of_hh(judge, _people(data, config))
    of_pairs = _marks_of_pairs(judge, paper)
    others = (
        *of_pairs,
        people,
        trials.mark_of_rbr(judge, data),
        error,
        trials.mark_of_attacks(judge, paper.drawn, calibration, config.attacks, config.seed),
        _mark_of_revisions(base, (adapter, reviser), calibration, paper, config),
    )
    *means, worst = statements
    return Card(
        marks=(*means, *(each for each in others if each), worst),
        calibration=calibration,
        reliability=bins,
        weakest=weakest,
        trivial=trivial,
        stages=_stages(base, adapter, paper, config, (odds, of_pairs)),
        exam=config.model_dump(exclude_defaults=True),
    )


def _paper(replies: Path, config: ExamConfig, *, more: bool = False) -> _Paper:
    rng = random.Random(f"exam {config.seed}")
    kept = read_replies(replies, kept=True)
    if not kept:
        raise StageError(f"{replies}: no reply to a held-out prompt; draw more of them")
    pool = list(dict.fromkeys(exchanges(kept, config.replies, rng, kept=True)))
    traits = drawn_traits(config.traits, rng)
    asked = filled(pool, traits, config.each, rng)
    items = exam(asked, traits, rng, wordings=config.wordings, each=config.each, more=more)
    pairs = trials.pairs_and_comparisons(pool, config.pairs, config.comparisons, config.seed)
    return _Paper(pool, asked, items, *pairs)


def _people(data: Path | None, config: ExamConfig) -> list[Pair]:
    pairs = hh_pairs(data, kept=True) if data else []
    rng = random.Random(f"people {config.seed}")
    return rng.sample(pairs, min(config.people, len(pairs)))


def _marks_of_pairs(judge: ExaminedJudge, paper: _Paper) -> list[Mark]:
    minimal = trials.mark_of_minimal_pairs(judge, paper.twins)
    which = trials.marks_of_comparisons(judge, paper.comparisons)
    return [minimal, *which] if minimal else which


def _mark_of_revisions(
    base: Path,
    adapters: tuple[Path | None, Path | None],
    calibration: Calibration,
    paper: _Paper,
    config: ExamConfig,
) -> Mark | None:
    """Let the base rewrite, with its reviser where there is one, and the judge choose."""
    if not config.revisions:
        return None
    judging, writer = (
        connect(LocalModel(model=str(base), adapter=str(each) if each else None))
        for each in adapters
    )
    judge = AbsoluteJudge(judging, Template.load("absolute"), calibration)
    return trials.mark_of_revisions(writer, judge, paper.drawn, config.revisions, config.seed)


_Said = tuple[np.ndarray, list[Mark]]
"""The log-odds of a paper's statements, and the marks of its pairs."""


def _stages(
    base: Path, adapter: Path | None, paper: _Paper, config: ExamConfig, whole: _Said
) -> dict[str, dict[str, float]]:
    """Examine the base alone, and the adapter as it was after parts of its training."""
    if not config.stages or adapter is None:
        return {}
    work = adapter.with_name(f"{adapter.name}.work")
    kept = {int(path.name[3:-1]): path for path in work.glob("at-*%")}
    folders: dict[str, Path | None] = {"the base alone": None}
    trainings = [run for run in settings(adapter) if MEAN not in run]
    run = "last run" if len(trainings) > 1 else "training"
    folders |= {f"{share}% of the {run}": kept[share] for share in sorted(kept)}
    rng = random.Random(f"stages {config.seed}")
    items = sorted(rng.sample(range(len(paper.items)), min(config.stages, len(paper.items))))
    asked = [paper.items[place] for place in items]
    found = {}
    for name, path in folders.items():
        judge = ExaminedJudge(base, path)
        found[name] = _figures(
            asked, judge.answers(paper.pool, asked), _marks_of_pairs(judge, paper)
        )
    odds, of_pairs = whole
    is_mean = len(trainings) < len(settings(adapter))
    end = "the mean of stages" if is_mean else "all of the training"
    return {**found, end: _figures(asked, odds[items], of_pairs)}


def _figures(asked: Sequence[Item], odds: np.ndarray, of_pairs: list[Mark]) -> dict[str, float]:
    """Give the AUC of statements of each kind, over all traits at once, and the marks of pairs."""
    truths = np.array([item.truth for item in asked])
    kinds = [f"{item.part}, {item.polarity}: AUC" for item in asked]
    figures = {}
    for kind in dict.fromkeys(kinds):
        places = [place for place, name in enumerate(kinds) if name == kind]
        if len(places) >= _TELLING and truths[places].any() and not truths[places].all():
            figures[kind] = round(auc(odds[places], truths[places]), 4)
    return {**figures, **{each.name: each.value for each in of_pairs}}


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


def write_card(card: Card, folder: Path, *, base: str) -> None:
    """Write what was measured beside an adapter: card.json, calibration.json and a README."""
    training = settings(folder)
    write_atomically(folder / "calibration.json", card.calibration.model_dump_json(indent=2) + "\n")
    data = {"base": base, "training": training, **card.model_dump(mode="json")}
    write_atomically(folder / "card.json", json.dumps(data, indent=2) + "\n")
    write_atomically(folder / "README.md", model_card(card, training=training, base=base))
