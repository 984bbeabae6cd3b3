"""Imitate the revisions, and helpful replies beside them."""

from pathlib import Path

from rlaif.errors import StageError
from rlaif.experiment.context import Context
from rlaif.experiment.curve import Curve, arrow
from rlaif.experiment.outcomes import read_responses, read_revisions
from rlaif.experiment.stages import Done
from rlaif.feedback.imitate import rows_to_imitate
from rlaif.training.sft import train_sft


def work(run: Context, folder: Path) -> Done:
    """Fine-tune the base on what the earlier stages made."""
    config = run.experiment.sft
    assert config is not None
    revisions = read_revisions(run.finished("revise")) if run.experiment.revise else []
    responses = read_responses(run.finished("respond")) if run.experiment.respond else []
    rows, counts = rows_to_imitate(
        run.train, responses, revisions, keep=config.keep, demonstrations=run.demonstrations
    )
    if not rows:
        raise StageError("sft: nothing to imitate: no revision was kept and sft.keep keeps nothing")
    trained = train_sft(
        rows,
        config,
        run.base_path(),
        folder / "model",
        seed=run.experiment.seed,
        progress=Curve(folder / "curve.jsonl", run.watcher, "sft"),
    )
    for line in trained.notes:
        run.watcher.say(line)
    note = f"{trained.rows} replies imitated, {arrow(trained.metrics)}"
    return Done(note, {**counts, **trained.left_out}, trained.metrics)
