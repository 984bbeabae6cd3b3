"""Make a judge from nothing but a base model: draw replies, train, examine, write the card."""

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from rlaif.backends.connect import EMBEDDED, LocalModel, connect, model_path
from rlaif.embedded.find import HUB_NAME
from rlaif.errors import InputError, StorageError
from rlaif.experiment.judge_card import FULL, ExamConfig, evaluate_judge, write_card
from rlaif.experiment.judge_page import Card
from rlaif.storage import write_atomically
from rlaif.training.config import Progress, Trained
from rlaif.training.judge import train_judge
from rlaif.training.judge_lessons import JudgeTraining
from rlaif.training.judge_replies import draw_replies
from rlaif.training.reviser import ReviserTraining, train_reviser

Say = Callable[[str], None]
Advance = Callable[[int, int], None]


def known_replies(base: str, given: Path | None, draw: int | None) -> Path | None:
    """Give the file that holds a base's replies; None where they have to be drawn first.

    The embedded model's come along: some to prompts that training may use, some to the others.
    """
    if given is None and draw is None and base == EMBEDDED:
        return Path(str(files("rlaif.embedded").joinpath("replies.jsonl")))
    return given


def drawn(base: str, path: Path, count: int, advance: Advance, *, kept: bool | None = None) -> None:
    """Draw the base's replies into a file; those that it has are not drawn again."""
    done = 0
    backend = connect(LocalModel(model=base))
    for done, _ in enumerate(draw_replies(backend, path, count, kept=kept), start=1):
        advance(done, count)


def make_judge(  # noqa: PLR0913 (what to train, on what, and where to)
    config: JudgeTraining,
    base: str,
    replies: Path,
    out: Path,
    *,
    start: Path | None = None,
    data: Path | None = None,
    reviser: Path | None = None,
    exam: ExamConfig = FULL,
    say: Say = lambda _: None,
    advance: Advance = lambda *_: None,
) -> Card:
    """Train a judge on replies that are there, examine it, and write the adapter and its card.

    Args:
        config: sizes and rates.
        base: `embedded`, or a Hugging Face folder or name.
        replies: the base's replies (see `drawn`).
        out: the adapter's folder.
        start: an adapter to go on from.
        data: a folder with people's judgements; left out where it is absent.
        reviser: the adapter with which the base rewrites replies in the examination.
        exam: how much is asked in the examination.
        say: is told how training goes.
        advance: is told how far the examination is, and how far it goes.

    Raises:
        InputError: when the replies or the adapter to start from are not there.
        StageError: when there is nothing to learn from, or the loss is no number.
    """
    for path in (replies, start and start / "adapter_config.json"):
        if path is not None and not path.exists():
            raise InputError(f"{path}: no such file")
    folder = model_path(LocalModel(model=base), say=say)
    train_judge(config, folder, replies, out, start=start, data=data, say=say)
    name_base(out, base)
    card = evaluate_judge(
        folder, out, replies, data=data, reviser=reviser, config=exam, advance=advance
    )
    write_card(card, out, base=hub_name(base))
    return card


def hub_name(base: str) -> str:
    """Name a base as others know it."""
    return HUB_NAME if base == EMBEDDED else base


def make_reviser(
    config: ReviserTraining,
    base: str,
    replies: Path,
    out: Path,
    *,
    say: Say = lambda _: None,
    progress: Progress | None = None,
) -> Trained:
    """Train a reviser on replies that are there, and write its adapter.

    Raises:
        InputError: when the replies are not there.
        StageError: when there is nothing to learn from, or the loss is no number.
    """
    if not replies.exists():
        raise InputError(f"{replies}: no such file")
    folder = model_path(LocalModel(model=base), say=say)
    done = train_reviser(config, folder, replies, out, progress=progress)
    name_base(out, base)
    return done


def name_base(adapter: Path, base: str) -> None:
    """Name the base in the adapter as others know it, not by its folder on this machine."""
    path = adapter / "adapter_config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror})") from None
    config["base_model_name_or_path"] = hub_name(base)
    write_atomically(path, json.dumps(config, indent=2, sort_keys=True) + "\n")
