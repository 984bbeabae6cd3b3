"""Preferences in, whoever labelled them; the folder of a reward model out."""

import shutil
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from rlaif.constitution.principle import Constitution
from rlaif.errors import InputError
from rlaif.ranks import is_first, rank
from rlaif.records import Preference, Prompt
from rlaif.training.checkpoints import weights_of, work_folder
from rlaif.training.common import need_rows, repeatable
from rlaif.training.config import Progress, RewardConfig, Trained
from rlaif.training.dataset import held_out_of
from rlaif.training.folder import tokens_read, told_of_length, whole_folder
from rlaif.training.reward.card import Facts, write_card
from rlaif.training.reward.groups import Groups, make_groups
from rlaif.training.reward.layout import Layout, reward_tokenizer
from rlaif.training.reward.measure import measure
from rlaif.training.reward.member import Job, train_members
from rlaif.training.reward.model import MEMBERS, RewardModel
from rlaif.training.reward.rows import Pair, Rows, read_rows
from rlaif.training.split import note_split


class Beside(NamedTuple):
    """What a reward model is made from beside preferences."""

    constitution: Constitution | None = None
    """What the labels were judged by: its principles are read, and its text is in the card."""
    demonstrations: Sequence[tuple[Prompt, str]] = ()
    """Answers that are to score 0 in the mean."""
    left_out: Mapping[str, int] = MappingProxyType({})
    """Rows of the files that were no labels to train on, by reason: counted, and in the card."""


def train_reward_model(  # noqa: PLR0913 (what a reward model is made of)
    preferences: Iterable[Preference],
    config: RewardConfig,
    model: Path,
    out: Path,
    *,
    beside: Beside = Beside(),  # noqa: B008 (it cannot be changed)
    seed: int = 0,
    progress: Progress | None = None,
) -> Trained:
    """Train a model whose score is higher for what is preferred; write it, whole, to `out`.

    A run that was killed goes on at its last checkpoint when it is asked for again.

    Raises:
        InputError: for options that do not fit the labels, or labels that are all ties.
        StageError: when there is nothing to train on, or the loss stops being a number.
        MissingModelError: for a model that is not there, or not complete.
    """
    started = time.monotonic()
    layout = _layout(config, beside, tokens_read(model, config.max_length))
    work = work_folder(out, [config.model_dump(mode="json"), seed, str(model), weights_of(model)])
    with repeatable(seed):
        tokenizer = reward_tokenizer(model)
        # Each process maps a file of its own.
        file = work / f"answers{rank() or ''}.arrow"
        rows = read_rows(preferences, tokenizer, layout, file)
        train, held_out = _split(rows, config.held_out, seed)
        groups = _groups(rows, train, config, seed, beside.left_out)
        job = Job(rows, groups, tokenizer, config, model, work)
        members = train_members(job, seed, progress)
        with whole_folder(out) as folder:
            for number, member in enumerate(members.folders):
                to = folder / MEMBERS / str(number) if number else folder
                shutil.copytree(member, to, dirs_exist_ok=True)
            layout.write(folder)
            # Measured on the folder as written, since that is what will score.
            reward = RewardModel(folder)
            measured = measure(reward, rows.answers, held_out)
            layout = layout.model_copy(update={"zero": _zero(reward, config, beside)})
            layout.write(folder)
            note_split(folder, (rows.prompts[pair.prompt] for pair in train))
            metrics = {**members.metrics, **measured}
            if rows.truncated:
                metrics["truncated"] = float(rows.truncated)
            write_card(folder, _facts(job, layout, beside, (train, held_out), metrics))
    if is_first():
        shutil.rmtree(work)
    metrics["seconds"] = time.monotonic() - started
    return Trained(
        out,
        metrics,
        groups.pairs,
        groups.left_out,
        (
            *rows.faults,
            *told_of_length(model, config.max_length, rows.left_out["too long"]),
            *members.notes,
            *_ends(rows, tokenizer),
        ),
    )


def _layout(config: RewardConfig, beside: Beside, most: int) -> Layout:
    principles = {}
    if config.by_principle:
        if beside.constitution is None:
            raise InputError("by_principle: name the constitution that the labels were judged by")
        principles = {each.id: each.text for each in beside.constitution.principles}
    if config.zero == "demonstrations" and not beside.demonstrations:
        raise InputError("zero: demonstrations, and there are none; name some, or leave 0 free")
    return Layout(
        max_length=most,
        too_long=config.too_long,
        principles=principles,
        members=config.members,
        heads=config.heads,
        combine=config.combine,
        spread=config.spread,
    )


def _groups(
    rows: Rows, train: list[Pair], config: RewardConfig, seed: int, before: Mapping[str, int]
) -> Groups:
    groups = make_groups(train, config, seed, rows.prompts)
    left_out = Counter(before) + Counter(rows.left_out) + Counter(groups.left_out)
    groups = groups._replace(left_out={**rows.left_out, **groups.left_out, **left_out})
    need_rows(len(groups.rows), groups.left_out, "preferences")
    if all(pair.p == 0.5 for pair in train):
        raise InputError(
            f"all {len(train)} labels are ties: none says which answer is better, so that there "
            "is nothing to learn; label anew, or keep labels of another kind beside them"
        )
    return groups


def _split(rows: Rows, share: float, seed: int) -> tuple[list[Pair], list[Pair]]:
    """Split into training and held-out pairs, all pairs of one conversation on the same side."""
    drawn = held_out_of(rows.prompts, share, seed)
    aside = {number for number, prompt in enumerate(rows.prompts) if prompt in drawn}
    train = [pair for pair in rows.pairs if pair.prompt not in aside]
    return train, [pair for pair in rows.pairs if pair.prompt in aside]


def _ends(rows: Rows, tokenizer: Any) -> list[str]:
    """Say where tools disagree on the token that a score is read at."""
    last = next((ids[-1] for ids in rows.answers["ids"] if ids), None)
    if last != tokenizer.pad_token_id:
        return []
    return [
        f"each answer ends with the padding token {tokenizer.pad_token}: transformers reads the "
        "score at the token before it, and vLLM at that one; give the base another padding token"
    ]


def _zero(reward: RewardModel, config: RewardConfig, beside: Beside) -> float:
    if config.zero == "free":
        return 0.0
    prompts, texts = zip(*beside.demonstrations, strict=True)
    scores = [score for score in reward(prompts, texts) if score is not None]
    if not scores:
        raise InputError("zero: every demonstration is too long to be scored; raise max_length")
    return sum(scores) / len(scores)


def _facts(
    job: Job,
    layout: Layout,
    beside: Beside,
    sides: tuple[list[Pair], list[Pair]],
    metrics: dict[str, float],
) -> Facts:
    splits = {}
    for name, pairs in zip(("trained on", "held out"), sides, strict=True):
        splits[f"{name}, pairs"] = len(pairs)
        splits[f"{name}, conversations"] = len({pair.prompt for pair in pairs})
    return Facts(
        job.model,
        job.config,
        layout,
        job.rows.origin,
        beside.constitution,
        splits,
        job.groups.left_out,
        metrics,
    )
