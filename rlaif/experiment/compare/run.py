"""Run a comparison: each method from each seed, kept as it lands; a stopped one goes on."""

import math
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from rlaif.backends.connect import LocalModel, model_path, parse_spec
from rlaif.errors import InputError, StageError
from rlaif.evaluation.compare.outcomes import Outcome
from rlaif.experiment.compare.config import TINY, BestOfN, Compare
from rlaif.experiment.compare.ground import Ground
from rlaif.experiment.compare.learn import Learned, learn
from rlaif.experiment.config import beside
from rlaif.experiment.progress import Watcher
from rlaif.feedback.prompts import load_prompts
from rlaif.locks import alone_in
from rlaif.records import Prompt, fingerprint_of
from rlaif.storage import Journal, write_atomically
from rlaif.training.draws import Draw, How, draw
from rlaif.training.optimize.functions import function_of
from rlaif.training.optimize.mixed import Mixed, Part
from rlaif.training.reward import Reward, RewardModel
from rlaif.training.tiny import make_tiny_model

OUTCOMES = "outcomes.jsonl"
_OF = "of"
_MEASURED = 10_000
"""Added to a seed for the answers that measure: none of them is one that was learned from."""


def compare(
    config: Compare, file: Path, folder: Path, watcher: Watcher, *, anew: bool = False
) -> list[Outcome]:
    """Do what no earlier run has done; give every method's outcomes.

    Raises:
        InputError: for a folder that holds another comparison.
        StageError: where the reward scores nothing that a method says.
    """
    prompts = _prompts(config, file)
    # Of names and functions the first thing, since they may be wrong.
    reward = _reward(config, file)
    with alone_in(folder):
        _claim(folder, fingerprint_of([config.fingerprint, [p.id for p in prompts]]), anew=anew)
        with Journal(folder / OUTCOMES, Outcome) as kept:
            done = {(one.method, one.seed): one for one in kept}
            wanted = [(name, seed) for seed in config.seeds for name in config.methods]
            watcher.begin("compare", len(wanted))
            at_first: dict[int, list[Draw]] = {}
            for number, (name, seed) in enumerate(wanted):
                watcher.advance(number, f"{name}, seed {seed}")
                if (name, seed) not in done:
                    start = _start(config, folder, seed, watcher)
                    if seed not in at_first:
                        at_first = {seed: _measured(config, prompts, seed, start)}
                    ground = Ground(config, prompts, reward, start, at_first[seed], seed, folder)
                    done[name, seed] = one_of(ground, name)
                    kept.append(done[name, seed])
    watcher.end(f"{len(config.methods)} methods, {len(config.seeds)} seeds, kept in {folder}")
    return [done[name, seed] for name in config.methods for seed in config.seeds]


def one_of(ground: Ground, name: str) -> Outcome:
    """Train by one method from one seed, and measure what came of it."""
    config, seed = ground.config, ground.seed
    how = config.how(name)
    before = fmean(_known(ground, name, ground.at_first))
    if isinstance(how, BestOfN):
        return _best_of(ground, name, how.n, before)
    out = ground.folder / f"{name}-{seed}"
    learned: Learned = learn(ground, name, out)
    drawn = _measured(config, ground.prompts, seed, out, ground.start)
    known = _known(ground, name, drawn)
    shutil.rmtree(out)
    return Outcome(
        method=name,
        kind=config.kind(name),
        seed=seed,
        before=before,
        reward=fmean(known),
        kl=fmean(one.moved for one in drawn),
        asked=fmean(one.tokens for one in drawn),
        unscored=len(drawn) - len(known),
        **learned._asdict(),
    )


def _best_of(ground: Ground, name: str, n: int, before: float) -> Outcome:
    drawn = ground.at_first
    started = time.monotonic()
    said = _said(ground, drawn)
    rewarding = time.monotonic() - started
    best = bests(said, n)
    if not best:
        raise _nothing_scored(name)
    return Outcome(
        method=name,
        kind=ground.config.kind(name),
        seed=ground.seed,
        before=before,
        reward=fmean(best),
        # What choosing moves at most (Beirami et al. 2024 show it is a bound).
        kl=math.log(n) - (n - 1) / n,
        tokens=0,
        asked=n * fmean(one.tokens for one in drawn),
        draws=n,
        generation=0.0,
        rewarding=rewarding,
        update=0.0,
        unscored=said.count(None),
    )


def _measured(
    config: Compare, prompts: Sequence[Prompt], seed: int, policy: Path, start: Path | None = None
) -> list[Draw]:
    how = How(config.answers, config.max_new_tokens, config.temperature)
    return draw(policy, prompts, how, seed + _MEASURED, start)


def bests(said: Sequence[float | None], n: int) -> list[float]:
    """Give the best of each n scores; where none of them is known there is no best.

    >>> bests([1.0, None, 3.0, 2.0, None, None], 2)
    [1.0, 3.0]
    """
    groups = [said[at : at + n] for at in range(0, len(said), n)]
    known = [[score for score in group if score is not None] for group in groups]
    return [max(group) for group in known if group]


def _said(ground: Ground, drawn: Sequence[Draw]) -> list[float | None]:
    return list(ground.reward([one.prompt for one in drawn], [one.text for one in drawn]))


def _known(ground: Ground, name: str, drawn: Sequence[Draw]) -> list[float]:
    """Score answers; those without a score are left out, and a mean of none is none."""
    known = [score for score in _said(ground, drawn) if score is not None]
    if not known:
        raise _nothing_scored(name)
    return known


def _nothing_scored(name: str) -> StageError:
    return StageError(f"methods.{name}: the reward scores none of the answers that measure it")


def _prompts(config: Compare, file: Path) -> list[Prompt]:
    if isinstance(config.prompts, tuple):
        return [Prompt.of(text) for text in config.prompts]
    return list(load_prompts(beside(file, config.prompts, "experiments")))[: config.limit]


def _reward(config: Compare, file: Path) -> Reward:
    part = config.reward
    if part.function:
        reward = function_of(part)
    else:
        path = Path(part.model or "")
        reward = RewardModel(path if path.is_dir() else file.parent / path)
    return Mixed([Part(reward, part)])


def _start(config: Compare, folder: Path, seed: int, watcher: Watcher) -> Path:
    if config.policy == TINY:
        path = folder / f"start-{seed}"
        return path if path.is_dir() else make_tiny_model(path, seed=seed)
    spec = parse_spec(config.policy)
    if not isinstance(spec, LocalModel):
        raise InputError(f"policy: {config.policy}: only a local model can be trained")
    return model_path(spec, say=watcher.say)


def _claim(folder: Path, of: str, *, anew: bool) -> None:
    note = folder / _OF
    if note.is_file() and note.read_text(encoding="utf-8") != of:
        if not anew:
            raise InputError(
                f"{folder}: holds another comparison; choose another -o, or add --anew"
            )
        (folder / OUTCOMES).unlink(missing_ok=True)
    write_atomically(note, of)
