"""Train a reward model on the preferences."""

from pathlib import Path

from rlaif.experiment.config import RewardSection
from rlaif.experiment.context import Context
from rlaif.experiment.curve import Curve, arrow
from rlaif.experiment.outcomes import despite_of, read_preferences
from rlaif.experiment.reward_scores import report_in_run
from rlaif.experiment.stages import Done
from rlaif.feedback.counts import by_source, told
from rlaif.feedback.imitate import read_demonstrations
from rlaif.feedback.mix import mixed, read_labels, refuse_silence
from rlaif.feedback.sound import Aside
from rlaif.ranks import is_first
from rlaif.records import Preference
from rlaif.training.reward import Beside, train_reward_model


def labels_of(run: Context, config: RewardSection, aside: Aside) -> list[Preference]:
    """Read the run's own labels and those beside it, each source with its weight."""
    folder = run.finished("label")
    own = read_preferences(folder, config.pairs)
    more = [label for path in run.also for label in read_labels(path, aside=aside)]
    if not own and not more:
        refuse_silence(folder / "preferences.jsonl")
    labels = mixed([*own, *more], config.sources)
    if more:
        run.watcher.say(f"reward: labels: {told(by_source(labels))}")
    return labels


def work(run: Context, folder: Path) -> Done:
    """Train on the labels, with their probabilities."""
    config = run.experiment.reward
    assert config is not None
    aside = Aside()
    preferences = labels_of(run, config, aside)
    for line in aside.lines():
        run.watcher.say(line)
    trained = train_reward_model(
        preferences,
        config,
        run.base_path(),
        folder / "model",
        beside=Beside(
            run.constitution,
            read_demonstrations(run.demonstrations) if run.demonstrations else (),
            aside.counts,
        ),
        seed=run.experiment.seed,
        progress=Curve(folder / "curve.jsonl", run.watcher, "reward"),
    )
    for line in trained.notes:
        run.watcher.say(line)
    metrics = trained.metrics
    note = f"{trained.rows} pairs, {arrow(metrics)}"
    if "accuracy" in metrics:
        low, high = metrics["accuracy_low"], metrics["accuracy_high"]
        note += f", held-out accuracy {metrics['accuracy']:.2f} [{low:.2f}, {high:.2f}]"
    if is_first():
        report_in_run(preferences, folder)
    return Done(note, trained.left_out, metrics, despite_of(preferences))
