"""One method's training within its budget, its seconds told apart."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from rlaif.errors import StageError
from rlaif.experiment.compare.config import BestOfN
from rlaif.experiment.compare.ground import Ground
from rlaif.records import Preference, Prompt, Response
from rlaif.training.config import SFTConfig
from rlaif.training.draws import Draw, How, draw
from rlaif.training.optimize import optimize_policy
from rlaif.training.sft import train_sft


class Learned(NamedTuple):
    """What training took."""

    tokens: int
    generation: float
    rewarding: float
    update: float


class Group(NamedTuple):
    """Answers to one prompt, the worst first."""

    prompt: Prompt
    texts: tuple[str, ...]
    scores: tuple[float, ...]


def learn(ground: Ground, name: str, out: Path) -> Learned:
    """Train a method on what its tokens buy, and write the policy to `out`."""
    how = ground.config.how(name)
    assert not isinstance(how, BestOfN)
    if isinstance(how, SFTConfig) or not how.by_reward:
        return _from_draws(ground, name, out)
    return _while_drawing(ground, name, out)


def _while_drawing(ground: Ground, name: str, out: Path) -> Learned:
    logs: list[dict[str, float]] = []
    started = time.monotonic()
    trained = optimize_policy(
        ground.config.budgeted(name),
        ground.start,
        out,
        prompts=ground.prompts,
        reward=ground.reward,
        seed=ground.seed,
        progress=lambda _step, _steps, figures: logs.append(figures),
    )
    seconds = time.monotonic() - started
    generation, rewarding = (
        sum(log.get(part, 0.0) for log in logs) for part in ("seconds/generation", "seconds/reward")
    )
    lengths = [log[_LENGTH] for log in logs if _LENGTH in log]
    tokens = round(trained.metrics["answers"] * fmean(lengths)) if lengths else 0
    return Learned(tokens, generation, rewarding, seconds - generation - rewarding)


_LENGTH = "completions/mean_length"


def _from_draws(ground: Ground, name: str, out: Path) -> Learned:
    config = ground.config
    how = config.how(name)
    each = max(1, config.tokens // config.max_new_tokens // len(ground.prompts) // config.samples)
    started = time.monotonic()
    drawing = How(each * config.samples, config.max_new_tokens, config.temperature)
    drawn = draw(ground.start, ground.prompts, drawing, ground.seed)
    generated = time.monotonic()
    groups = list(grouped(ground, drawn))
    rewarded = time.monotonic()
    if isinstance(how, SFTConfig):
        rows = [(group.prompt, group.texts[-1]) for group in groups]
        train_sft(rows, how, ground.start, out, seed=ground.seed)
    else:
        assert not isinstance(how, BestOfN)
        pairs = list(best_and_worst(groups))
        if not pairs:
            raise StageError(f"methods.{name}: all answers of each prompt have the same reward")
        optimize_policy(how, ground.start, out, preferences=pairs, seed=ground.seed)
    ended = time.monotonic()
    tokens = sum(one.tokens for one in drawn)
    return Learned(tokens, generated - started, rewarded - generated, ended - rewarded)


def grouped(ground: Ground, drawn: Sequence[Draw]) -> Iterator[Group]:
    """Score draws and put them in order, so many of one prompt at a time."""
    said = ground.reward([one.prompt for one in drawn], [one.text for one in drawn])
    size = ground.config.samples
    for at in range(0, len(drawn), size):
        known = [
            (score, one.text)
            for one, score in zip(drawn[at : at + size], said[at : at + size], strict=True)
            # Training on files refuses an answer of nothing.
            if score is not None and one.text.strip()
        ]
        if known:
            scores, texts = zip(*sorted(known, key=lambda each: each[0]), strict=True)
            yield Group(drawn[at].prompt, texts, scores)


def best_and_worst(groups: Sequence[Group]) -> Iterator[Preference]:
    """Make a pair of each group's best and worst answer; a group of equals makes none."""
    for number, group in enumerate(groups):
        if group.scores[0] == group.scores[-1]:
            continue
        rejected, chosen = (
            Response(id=f"{number}/{side}", prompt_id=group.prompt.id, text=text, author="policy")
            for side, text in (("worst", group.texts[0]), ("best", group.texts[-1]))
        )
        yield Preference(
            id=str(number),
            prompt=group.prompt,
            chosen=chosen,
            rejected=rejected,
            p_chosen=1.0,
            source="judge",
            by="reward",
        )
