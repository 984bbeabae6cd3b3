"""Move the policy: by the labels, or by a reward model or judge."""

from pathlib import Path

from rlaif.experiment.context import Context
from rlaif.experiment.curve import Curve, arrow
from rlaif.experiment.outcomes import despite_of, read_preferences
from rlaif.experiment.rewards import mixed_reward
from rlaif.experiment.stages import Done
from rlaif.training.optimize import optimize_policy


def work(run: Context, folder: Path) -> Done:
    """Optimize from the fine-tuned policy, or from the base where there is none."""
    config = run.experiment.optimize
    assert config is not None
    is_offline = not config.by_reward
    preferences = read_preferences(run.finished("label"), config.pairs) if is_offline else []
    trained = optimize_policy(
        config,
        run.policy_path(),
        folder / "model",
        preferences=preferences if is_offline else None,
        prompts=run.train,
        reward=None if is_offline else mixed_reward(run, config),
        seed=run.experiment.seed,
        progress=Curve(folder / "curve.jsonl", run.watcher, "optimize"),
    )
    note = f"{config.method}, {trained.rows} rows, {arrow(trained.metrics)}"
    return Done(note, trained.left_out, trained.metrics, despite_of(preferences))
