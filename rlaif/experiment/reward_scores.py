"""A reward model's report on files: its folder and labelled pairs in, each reply scored once."""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import Field, FiniteFloat

from rlaif.backends.connect import LocalModel, identity
from rlaif.errors import InputError
from rlaif.evaluation.labelled import read_labelled
from rlaif.evaluation.reward.report import RewardReport
from rlaif.evaluation.reward.scored import Scored, Split, pairs_of
from rlaif.experiment.progress import Quiet, Watcher
from rlaif.experiment.reward_report import SCORES, write
from rlaif.feedback.importers import read_people
from rlaif.feedback.people import read_ratings
from rlaif.records import Preference, Prompt, Record, fingerprint_of
from rlaif.storage import Journal, write_records
from rlaif.training.folder import checked
from rlaif.training.reward import RewardModel
from rlaif.training.reward.model import means
from rlaif.training.split import digest, trained_on

_PART = 32  # replies between two lines of the journal, and of progress
_IN_RUN = 300


class ReplyReward(Record):
    """One reply's reward, kept as it lands, so that a stopped report goes on."""

    model: str
    reply: str
    """The fingerprint of the conversation and the reply."""
    reward: FiniteFloat | None
    by_principle: dict[str, FiniteFloat | None] = Field(default_factory=dict)
    """Of a model that reads a principle: the reward under each."""


def report_on_model(
    model: Path,
    rows: Path | None,
    people: Path | None,
    out: Path | None,
    train: int,
    watcher: Watcher,
) -> tuple[RewardReport, Path]:
    """Score labelled pairs with a reward model and report on it.

    Args:
        model: the model's folder, or the folder of a run that trained one.
        rows: labelled pairs, those that trained the model among them or not.
        people: what people said of the same pairs.
        out: the folder to write.
        train: how many of the pairs that trained the model are scored too, for the gap.
        watcher: who is told what happens.

    Raises:
        InputError: for no rows, or rows that are no labels.
        MissingModelError: for a model that is not there, not complete, or no reward model.
    """
    model = _model_in(model)
    checked(model)
    labels = labels_at(rows or _rows_beside(model))
    rated = read_ratings(people) if people else ()
    known = trained_on(model)
    wanted = with_splits(labels, known, train)
    folder = out or _folder_beside(model)
    scored = score_pairs(wanted, RewardModel(model), folder, _identity(model), watcher)
    write_records(folder / SCORES, scored)
    return write(
        scored, _name_of(model), rated, folder, source=str(model), is_split_known=known is not None
    )


def report_in_run(labels: Sequence[Preference], folder: Path) -> RewardReport | None:
    """Report on the model that a run has just trained in `folder`; None with nothing held out.

    As many training pairs are scored as held-out ones: enough for the gap, and no more to wait for.
    """
    model = folder / "model"
    trained = trained_on(model) or frozenset()
    held_out = sum(digest(row.prompt) not in trained for row in labels)
    wanted = with_splits(labels, trained, min(held_out, _IN_RUN))
    scored = score_pairs(wanted, RewardModel(model), folder, _identity(model), Quiet())
    write_records(folder / SCORES, scored)
    if not pairs_of(scored, "held-out"):
        return None
    return write(scored, _name_of(model), (), folder, source=str(model))[0]


def with_splits(
    labels: Sequence[Preference], trained: frozenset[str] | None, train: int
) -> list[tuple[Preference, Split]]:
    """Give each label its split; of those that trained the model, a drawn few."""
    seen = [row for row in labels if trained and digest(row.prompt) in trained]
    drawn = {row.id for row in random.Random("train sample").sample(seen, min(train, len(seen)))}
    split: list[tuple[Preference, Split]] = []
    for row in labels:
        if not trained or digest(row.prompt) not in trained:
            split.append((row, "held-out"))
        elif row.id in drawn:
            split.append((row, "train"))
    return split


def score_pairs(
    wanted: Sequence[tuple[Preference, Split]],
    reward: RewardModel,
    folder: Path,
    model: str,
    watcher: Watcher,
) -> list[Scored]:
    """Score both replies of each pair; a reply that stands in several pairs is scored once."""
    replies: dict[str, tuple[Prompt, str]] = {}
    for label, _ in wanted:
        for text in (label.chosen.text, label.rejected.text):
            replies.setdefault(_key(label.prompt, text), (label.prompt, text))
    rewards = _scored(replies, reward, folder / "rewards.jsonl", model, watcher)
    found = []
    for label, split in wanted:
        one, other = (
            rewards[_key(label.prompt, side.text)] for side in (label.chosen, label.rejected)
        )
        found.append(joined(label, split, one, other))
    return found


def joined(label: Preference, split: Split, one: ReplyReward, other: ReplyReward) -> Scored:
    """Put the rewards of a label's two replies beside it, the chosen one's first."""
    shared = one.by_principle.keys() & other.by_principle.keys()
    return Scored(
        preference=label,
        chosen=one.reward,
        rejected=other.reward,
        split=split,
        by_principle={
            name: (one.by_principle[name], other.by_principle[name]) for name in sorted(shared)
        },
    )


def _scored(
    replies: dict[str, tuple[Prompt, str]],
    reward: RewardModel,
    path: Path,
    model: str,
    watcher: Watcher,
) -> dict[str, ReplyReward]:
    with Journal(path, ReplyReward) as journal:
        found = {row.reply: row for row in journal if row.model == model}
        waiting = [key for key in replies if key not in found]
        watcher.begin("score", len(replies))
        for part in _parts(waiting):
            for row in _rewards(part, replies, reward, model):
                found[row.reply] = row
                journal.append(row)
            watcher.advance(len(found))
        without = sum(found[key].reward is None for key in replies)
        watcher.end(f"{len(replies):,} replies" + (f", {without:,} too long" if without else ""))
    return found


def _rewards(
    keys: Sequence[str], replies: dict[str, tuple[Prompt, str]], reward: RewardModel, model: str
) -> Iterable[ReplyReward]:
    prompts, texts = zip(*(replies[key] for key in keys), strict=True)
    under = reward.by_principle(prompts, texts)
    values = means(under) if under else reward(prompts, texts)
    for place, (key, value) in enumerate(zip(keys, values, strict=True)):
        by_each = {name: each[place] for name, each in under.items()}
        yield ReplyReward(model=model, reply=key, reward=value, by_principle=by_each)


def _parts(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[start : start + _PART] for start in range(0, len(keys), _PART))


def _key(prompt: Prompt, text: str) -> str:
    return fingerprint_of([[turn.model_dump() for turn in prompt.messages], text])


def _model_in(path: Path) -> Path:
    in_run = path / "reward" / "model"
    return in_run if in_run.is_dir() else path


def _rows_beside(model: Path) -> Path:
    labels = model.parent.parent / "label"
    if model.parent.name == "reward" and labels.is_dir():
        return labels
    raise InputError(
        f"{model}: name the labelled pairs too, such as `rlaif reward report {model} pairs.jsonl`; "
        "only a run's model finds them itself"
    )


def labels_at(rows: Path) -> list[Preference]:
    """Read labelled pairs: a folder that labelling wrote, or a file of any format.

    Raises:
        InputError: for a row that is no label, with file and line.
    """
    return read_labelled(rows).preferences if rows.is_dir() else read_people(rows)


def _folder_beside(model: Path) -> Path:
    if model.parent.name == "reward":
        return model.parent
    return (
        model.with_name(f"{model.name}.report") if model.is_dir() else Path(f"{model.name}.report")
    )


def _name_of(model: Path) -> str:
    is_runs = model.name == "model" and model.parent.name == "reward"
    return f"{model.parent.parent.name}'s reward model" if is_runs else model.name


def _identity(model: Path) -> str:
    return identity(LocalModel(kind="local", model=str(model)))
