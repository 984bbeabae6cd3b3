"""The optimizers by name: preferences, or prompts and a reward, to a policy."""

from collections.abc import Sequence
from pathlib import Path

from rlaif.errors import StageError
from rlaif.records import Preference, Prompt
from rlaif.training.config import OptimizeConfig, Progress, Reward, Trained
from rlaif.training.optimize.dpo import optimize_by_dpo
from rlaif.training.optimize.rloo import optimize_by_rloo


def optimize_policy(
    config: OptimizeConfig,
    model: Path,
    out: Path,
    *,
    preferences: Sequence[Preference] | None = None,
    prompts: Sequence[Prompt] | None = None,
    reward: Reward | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trained:
    """Move a policy towards what is preferred, by the method the config names; write `out`.

    Raises:
        StageError: when the method lacks what it learns from, or the loss stops being a number.
        MissingModelError: for a model that is not there, or not complete.
    """
    if config.method == "dpo":
        if preferences is None:
            raise StageError("optimize: dpo learns from preferences; run `rlaif label` first")
        return optimize_by_dpo(preferences, config, model, out, seed=seed, progress=progress)
    if prompts is None or reward is None:
        raise StageError(f"optimize: {config.method} needs prompts and a reward to ask")
    return optimize_by_rloo(prompts, reward, config, model, out, seed=seed, progress=progress)
