"""Run a comparison: each method from each seed, kept as it lands; a stopped one goes on."""

import math
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from rlaif.backends.connect import LocalModel, model_path, parse_spec
from rlaif.errors import InputError
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
            for number, (name, seed) in enumerate(wanted):
                watcher.advance(number, f"{name}, seed {seed}")
                if (name, seed) not in done:
                    start = _start(config, folder, seed, watcher)
                    ground = Ground(config, prompts, reward, start, seed, folder)
                    done[name, seed] = one_of(ground, name)
                    kept.append(done[name, seed])
    watcher.end(f"{len(config.methods)} methods, {len(config.seeds)} seeds, kept in {folder}")
    return [done[name, seed] for name in config.methods for seed in config.seeds]


def one_of(ground: Ground, name: str) -> Outcome:
    """Train by one method from one seed, and measure what came of it."""
    config, seed = ground.config, ground.seed
    how = config.how(name)
    before = _mean(ground, _measured(ground, ground.start, None))
    if isinstance(how, BestOfN):
        return _best_of(ground, name, how.n, before)
    out = ground.folder / f"{name}-{seed}"
    learned: Learned = learn(ground, name, out)
    drawn = _measured(ground, out, ground.start)
    shutil.rmtree(out)
    return Outcome(
        method=name,
        kind=config.kind(name),
        seed=seed,
        before=before,
        reward=_mean(ground, drawn),
        kl=fmean(one.moved for one in drawn),
        asked=fmean(one.tokens for one in drawn),
        **learned._asdict(),
    )


def _best_of(ground: Ground, name: str, n: int, before: float) -> Outcome:
    drawn = _measured(ground, ground.start, None)
    groups = [drawn[at : at + n] for at in range(0, len(drawn) - n + 1, n)]
    started = time.monotonic()
    best = [max(scored(ground, group)) for group in groups]
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
        generation=0.0,
        rewarding=time.monotonic() - started,
        update=0.0,
    )


def _measured(ground: Ground, policy: Path, start: Path | None) -> list[Draw]:
    config = ground.config
    how = How(config.answers, config.max_new_tokens, config.temperature)
    return draw(policy, ground.prompts, how, ground.seed + _MEASURED, start)


def scored(ground: Ground, drawn: Sequence[Draw]) -> list[float]:
    """Score answers; those without a score are left out."""
    said = ground.reward([one.prompt for one in drawn], [one.text for one in drawn])
    return [score for score in said if score is not None]


def _mean(ground: Ground, drawn: Sequence[Draw]) -> float:
    return fmean(scored(ground, drawn) or [0.0])


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
