"""Move the policy: by the labels, or by a reward model or judge."""

from pathlib import Path

from rlaif.backends.base import Backend
from rlaif.experiment.config import OptimizeSection
from rlaif.experiment.context import Context
from rlaif.experiment.curve import Curve, arrow
from rlaif.experiment.learned import Learned, read_learned
from rlaif.experiment.outcomes import despite_of, read_preferences
from rlaif.experiment.rewards import mixed_reward, watched_by
from rlaif.experiment.stages import Done
from rlaif.feedback.sound import Aside
from rlaif.training.config import BY_CHOICE, Progress, Trained
from rlaif.training.optimize import optimize_policy


def work(run: Context, folder: Path) -> Done:
    """Optimize from the fine-tuned policy, or from the base where there is none."""
    config = run.experiment.optimize
    assert config is not None
    learned = Learned([], [], {}) if config.by_reward else _learned(run, config)
    curve, out = Curve(folder / "curve.jsonl", run.watcher, "optimize"), folder / "model"
    if config.by_reward:
        trained = move_by_reward(run, config, out, folder / "samples.jsonl", curve)
    else:
        trained = optimize_policy(
            config,
            run.policy_path(),
            out,
            preferences=learned.preferences,
            unpaired=learned.unpaired,
            seed=run.experiment.seed,
            progress=curve,
        )
    note = f"{config.method}, {trained.rows} rows, {arrow(trained.metrics)}"
    for line in trained.notes:
        run.watcher.say(line)
    left_out = {**learned.left_out, **trained.left_out}
    return Done(note, left_out, trained.metrics, despite_of(learned.preferences))


def move_by_reward(
    run: Context, config: OptimizeSection, out: Path, samples: Path, progress: Progress
) -> Trained:
    """Move a run's policy by the reward that its section names; write `out`.

    `samples` is the file of what a monitor hears.
    """
    return optimize_policy(
        config,
        run.policy_path(),
        out,
        prompts=run.train,
        policy=_policy(run, config),
        reward=mixed_reward(run, config),
        watched=watched_by(run, config, samples),
        seed=run.experiment.seed,
        progress=progress,
        say=run.watcher.say,
    )


def _policy(run: Context, config: OptimizeSection) -> Backend | None:
    """Give who draws, where the method draws by a backend: what it has drawn is kept."""
    if config.method not in BY_CHOICE:
        return None
    return run.policy_at(run.policy_path()) if run.experiment.sft else run.backend("policy")


def _learned(run: Context, config: OptimizeSection) -> Learned:
    own = run.experiment.label is not None
    preferences = read_preferences(run.finished("label"), config.pairs) if own else []
    aside = Aside()
    learned = read_learned(run.also_learned, config.method, preferences, aside)
    for line in aside.lines():
        run.watcher.say(line)
    return learned._replace(left_out={**aside.counts, **learned.left_out})
