"""The best of n answers by a reward: a baseline of its own, and what rejection sampling imitates.

Best-of-n trains nothing: it draws n answers whenever it is asked, and keeps the best. Rejection
sampling fine-tunes on what was kept, so that one draw is to be as good. Draws come from a backend,
which keeps them: a run that was stopped draws nothing twice.
"""

import itertools
import json
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rlaif.backends.base import Backend
from rlaif.feedback.respond import RespondConfig, respond
from rlaif.ranks import is_first, ranks
from rlaif.records import Abstention, Prompt, Record
from rlaif.storage import write_records
from rlaif.training.common import need_rows
from rlaif.training.config import OptimizeConfig, Progress, Say, SFTConfig, Trained
from rlaif.training.optimize.patience import Patience
from rlaif.training.reward import Reward
from rlaif.training.sft import train_sft
from rlaif.training.team import tell, told

_REPLIES = "replies.jsonl"
_AT_ONCE = 16
"""Prompts whose answers are scored at once."""


class Best(Record):
    """The answer that was kept of a prompt's draws."""

    prompt: str
    reply: str
    score: float
    mean: float
    """Of all that was drawn for the prompt and has a score."""
    of: int
    """Answers with a score."""


class Chosen(NamedTuple):
    """The kept answers, and what was left out."""

    rows: list[tuple[Prompt, str]]
    best: list[Best]
    left_out: dict[str, int]


class Draws(NamedTuple):
    """What is drawn, from whom, and by what it is judged."""

    prompts: Sequence[Prompt]
    policy: Backend
    reward: Reward
    config: OptimizeConfig
    seed: int = 0
    say: Say = lambda _: None

    @property
    def patience(self) -> Patience:
        """Wait for the reward, and say so."""
        return Patience(self.config.patience, self.say)


def replies_of(out: Path) -> Path:
    """Name the file of the kept answers, as `rlaif sft` reads them, beside a policy's folder.

    >>> replies_of(Path("run/optimize/model")).name, replies_of(Path("mine")).name
    ('replies.jsonl', 'mine.replies.jsonl')
    """
    # A stage has a folder of its own, and its policy the name `model`.
    return out.with_name(_REPLIES if out.name == "model" else f"{out.name}.{_REPLIES}")


def choose_together(draws: Draws, progress: Progress | None = None) -> Chosen:
    """Choose on the first process, and tell the others: all imitate the same.

    Raises:
        StageError: when the first process has failed, on the others.
    """
    if ranks() == 1:
        return choose_best(draws, progress)
    if is_first():
        chosen = choose_best(draws, progress)
        tell(_as_word(chosen))
        return chosen
    return _of_word(told())


def _as_word(chosen: Chosen) -> str:
    rows = [(prompt.model_dump(mode="json"), text) for prompt, text in chosen.rows]
    best = [row.model_dump(mode="json") for row in chosen.best]
    return json.dumps([rows, best, chosen.left_out])


def _of_word(word: str) -> Chosen:
    rows, best, left_out = json.loads(word)
    return Chosen(
        [(Prompt.model_validate(prompt), text) for prompt, text in rows],
        [Best.model_validate(row) for row in best],
        left_out,
    )


def choose_best(draws: Draws, progress: Progress | None = None) -> Chosen:
    """Draw `config.samples` answers to each prompt and keep the best by the reward.

    A prompt all of whose answers score alike has no best, and one without a score none either.
    """
    prompts, config = draws.prompts, draws.config
    rows, best, left_out = [], [], {"draw failed": 0, "reward abstained": 0, "ties": 0}
    # Draws come as they are done; what is scored and imitated has one order.
    for group in _batches(_in_order(_drawn(draws), prompts)):
        flat = [(prompt, text) for prompt, texts in group for text in texts]
        asked = [prompt for prompt, _ in flat], [text for _, text in flat]
        scores = iter(_scored(draws, *asked) if flat else ())
        for prompt, texts in group:
            said = list(itertools.islice(scores, len(texts)))
            left_out["draw failed"] += config.samples - len(texts)
            left_out["reward abstained"] += said.count(None)
            known = [(score, -at) for at, score in enumerate(said) if score is not None]
            if not known or (len(known) > 1 and min(known)[0] == max(known)[0]):
                left_out["ties"] += bool(known)
                continue
            score, place = max(known)
            text, mean = texts[-place], sum(score for score, _ in known) / len(known)
            rows.append((prompt, text))
            best.append(Best(prompt=prompt.text, reply=text, score=score, mean=mean, of=len(known)))
        if progress and best:
            told = {"reward": sum(row.score for row in best) / len(best)}
            progress(len(best), len(prompts), told)
    return Chosen(rows, best, left_out)


def _scored(draws: Draws, prompts: list[Prompt], texts: list[str]) -> Sequence[float | None]:
    return draws.patience.ask(lambda: draws.reward(prompts, texts))


def _drawn(draws: Draws) -> Iterator[tuple[Prompt, list[str]]]:
    config = draws.config
    how = RespondConfig(
        samples=config.samples,
        temperature=config.temperature,
        top_p=1.0,
        max_tokens=config.max_new_tokens,
    )
    outcomes = respond(draws.prompts, draws.policy, how, seed=draws.seed)
    by_id = {prompt.id: prompt for prompt in draws.prompts}
    while said := list(itertools.islice(outcomes, config.samples)):
        prompt = by_id[_asked(said[0])]
        yield prompt, [each.text for each in said if not isinstance(each, Abstention)]


def _in_order(
    groups: Iterable[tuple[Prompt, list[str]]], prompts: Sequence[Prompt]
) -> Iterator[tuple[Prompt, list[str]]]:
    """Give each prompt's draws in the prompts' order, as soon as those before it are there."""
    waiting: dict[str, tuple[Prompt, list[str]]] = {}
    wanted = iter(prompts)
    upcoming = next(wanted, None)
    for group in groups:
        waiting[group[0].id] = group
        while upcoming and upcoming.id in waiting:
            yield waiting.pop(upcoming.id)
            upcoming = next(wanted, None)
    yield from waiting.values()


def _asked(said: object) -> str:
    name = said.subject if isinstance(said, Abstention) else said.id  # type: ignore[attr-defined]
    return str(name).rpartition("#")[0]


def _batches(
    groups: Iterable[tuple[Prompt, list[str]]],
) -> Iterator[list[tuple[Prompt, list[str]]]]:
    groups = iter(groups)
    while batch := list(itertools.islice(groups, _AT_ONCE)):
        yield batch


def take_best(draws: Draws, out: Path, *, progress: Progress | None = None) -> Trained:
    """Measure best-of-n on prompts, and write what it keeps beside `out`; it makes no model.

    Raises:
        StageError: when no prompt has a best answer.
    """
    started = time.monotonic()
    chosen = choose_together(draws, progress)
    need_rows(len(chosen.best), chosen.left_out, "best answers")
    path = replies_of(out)
    if is_first():
        write_records(path, chosen.best)
    metrics = {**_measured(chosen, draws.config), "seconds": time.monotonic() - started}
    return Trained(path, metrics, len(chosen.best), chosen.left_out)


def train_rejection(
    draws: Draws, model: Path, out: Path, *, progress: Progress | None = None
) -> Trained:
    """Imitate the best of n answers to each prompt; write the model to `out`.

    Raises:
        StageError: when no prompt has a best answer, or the loss stops being a number.
    """
    started = time.monotonic()
    chosen = choose_together(draws)
    need_rows(len(chosen.best), chosen.left_out, "best answers")
    if is_first():
        write_records(replies_of(out), chosen.best)
    how = _imitating(draws.config)
    trained = train_sft(chosen.rows, how, model, out, seed=draws.seed, progress=progress)
    metrics = {**trained.metrics, **_measured(chosen, draws.config)}
    metrics["seconds"] = time.monotonic() - started
    return trained._replace(metrics=metrics, left_out={**chosen.left_out, **trained.left_out})


def _imitating(config: OptimizeConfig) -> SFTConfig:
    shared = {name: getattr(config, name) for name in SFTConfig.model_fields}
    return SFTConfig(**shared)


def _measured(chosen: Chosen, config: OptimizeConfig) -> dict[str, float]:
    count = len(chosen.best)
    return {
        "reward_first": sum(row.mean for row in chosen.best) / count,
        "reward_last": sum(row.score for row in chosen.best) / count,
        # What choosing costs at most (Beirami et al. 2024).
        "kl_bound": math.log(config.samples) - (config.samples - 1) / config.samples,
        "answers": float(sum(row.of for row in chosen.best)),
    }
