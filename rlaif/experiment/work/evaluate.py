"""Put the policies side by side: before, after imitation, after optimization."""

from pathlib import Path

from rlaif.backends.base import Backend
from rlaif.evaluation.evaluate import evaluate
from rlaif.experiment.best_of import BestOf
from rlaif.experiment.context import Context
from rlaif.experiment.rewards import mixed_reward
from rlaif.experiment.stages import Done, suites_of
from rlaif.storage import write_atomically


def work(run: Context, folder: Path) -> Done:
    """Evaluate every policy of the run on the same prompts with the same draws."""
    config = run.experiment.evaluate
    assert config is not None
    run.watcher.begin("evaluate", None)
    policies = _policies(run)
    evaluation = evaluate(
        policies,
        suites_of(run),
        run.judge("referee"),
        run.constitution,
        config,
        conditions=run.conditions("referee"),
        is_independent=run.identity("referee") != run.identity("judge"),
        seed=run.experiment.seed,
        progress=lambda done, total, note: run.watcher.advance(done, f"{done}/{total}  {note}"),
    )
    write_atomically(folder / "evaluation.json", evaluation.model_dump_json(indent=1))
    prompts = sum(len(suite[: config.limit]) for suite in suites_of(run).values())
    return Done(f"{len(policies)} policies × {prompts} prompts")


def _policies(run: Context) -> dict[str, Backend]:
    policies: dict[str, Backend] = {"base": run.backend("policy")}
    if run.experiment.sft:
        policies["after sft"] = run.policy_at(run.finished("sft") / "model")
    optimize = run.experiment.optimize
    if optimize and optimize.method == "best-of-n":
        run.finished("optimize")
        start = run.policy_at(run.policy_path()) if run.experiment.sft else policies["base"]
        best = BestOf(start, mixed_reward(run, optimize), optimize.samples)
        policies[f"best of {optimize.samples}"] = best
    elif optimize:
        method = optimize.method
        policies[f"after {method}"] = run.policy_at(run.finished("optimize") / "model")
    return policies
