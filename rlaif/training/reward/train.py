"""Preferences in, whoever labelled them; the folder of a reward model out."""

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import trl

from rlaif.errors import InputError
from rlaif.records import Preference
from rlaif.training.common import Watch, adapter, arguments, need_rows, repeatable, run
from rlaif.training.config import Progress, RewardConfig, Trained
from rlaif.training.dataset import held_out_of
from rlaif.training.folder import checked, reading, save, whole_folder
from rlaif.training.reward.collator import AnswerCollator
from rlaif.training.reward.groups import Groups, make_groups
from rlaif.training.reward.layout import Layout, reward_tokenizer
from rlaif.training.reward.measure import measure
from rlaif.training.reward.model import RewardModel
from rlaif.training.reward.rows import Pair, Rows, read_rows
from rlaif.training.reward.trainer import GroupTrainer
from rlaif.training.split import note_split

_APART = "the model's answers cannot share a row, so that each is read in a row of its own"


def train_reward_model(
    preferences: Iterable[Preference],
    config: RewardConfig,
    model: Path,
    out: Path,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trained:
    """Train a model whose score is higher for what is preferred; write it, whole, to `out`.

    Raises:
        InputError: for a label that cannot be one, with its row.
        StageError: when there is nothing to train on, or the loss stops being a number.
        MissingModelError: for a model that is not there, or not complete.
    """
    started = time.monotonic()
    layout = Layout(max_length=config.max_length, too_long=config.too_long)
    with repeatable(seed), tempfile.TemporaryDirectory() as scratch:
        tokenizer = reward_tokenizer(model)
        rows = read_rows(preferences, tokenizer, layout, Path(scratch) / "answers.arrow")
        train, held_out = _split(rows, config.held_out, seed)
        groups = make_groups(train, config, seed, rows.prompts)
        left_out = {**rows.left_out, **groups.left_out}
        need_rows(len(groups.rows), left_out, "preferences")
        _need_a_choice(train)
        watch = Watch(progress)
        with whole_folder(out) as folder:
            trainer = make_trainer(rows, groups, tokenizer, config, model, folder, seed)
            trainer.add_callback(watch)
            notes = (_APART,) if config.share_prompts and not trainer.share_prompts() else ()
            run(trainer)
            save(trainer.model, tokenizer, folder)
            layout.write(folder)
            note_split(folder, (rows.prompts[pair.prompt] for pair in train))
            # Measured on the folder as written, since that is what will score.
            measured = measure(RewardModel(folder), rows.answers, held_out)
    metrics = {**watch.first_and_last(), "accuracy_train": watch.mean("accuracy"), **measured}
    if rows.truncated:
        metrics["truncated"] = float(rows.truncated)
    metrics["seconds"] = time.monotonic() - started
    return Trained(out, metrics, groups.pairs, left_out, notes)


def make_trainer(  # noqa: PLR0913 (what a trainer is made of)
    rows: Rows,
    groups: Groups,
    tokenizer: Any,
    config: RewardConfig,
    model: Path,
    folder: Path,
    seed: int,
) -> GroupTrainer:
    """Put the trainer together."""
    more = {"max_length": config.max_length, "center_rewards_coefficient": config.centring}
    with reading(model):
        return GroupTrainer(
            model=checked(model),
            args=arguments(trl.RewardConfig, config, folder, seed, **more),
            train_dataset=groups.rows,
            data_collator=AnswerCollator(rows.answers, tokenizer.pad_token_id),
            processing_class=tokenizer,
            peft_config=adapter(config.lora, model, "SEQ_CLS"),
        )


def _split(rows: Rows, share: float, seed: int) -> tuple[list[Pair], list[Pair]]:
    """Split into training and held-out pairs, all pairs of one conversation on the same side."""
    drawn = held_out_of(rows.prompts, share, seed)
    aside = {number for number, prompt in enumerate(rows.prompts) if prompt in drawn}
    train = [pair for pair in rows.pairs if pair.prompt not in aside]
    return train, [pair for pair in rows.pairs if pair.prompt in aside]


def _need_a_choice(pairs: list[Pair]) -> None:
    if all(pair.p == 0.5 for pair in pairs):
        raise InputError(
            f"all {len(pairs)} labels are ties: none says which answer is better, so that there "
            "is nothing to learn; label anew, or keep labels of another kind beside them"
        )
