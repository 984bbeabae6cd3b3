"""Policy optimizers, one file for each family of methods."""

from collections.abc import Sequence
from pathlib import Path

from rlaif.errors import StageError
from rlaif.records import Preference, Prompt
from rlaif.training.config import OptimizeConfig, Progress, Trained
from rlaif.training.optimize.by_reward import train_by_reward
from rlaif.training.optimize.dpo import train_dpo
from rlaif.training.optimize.kto import train_kto
from rlaif.training.reward import Reward
from rlaif.training.unpaired import Unpaired, unpaired_of


def optimize_policy(  # noqa: PLR0913 - preferences, or prompts with a reward
    config: OptimizeConfig,
    model: Path,
    out: Path,
    *,
    preferences: Sequence[Preference] | None = None,
    unpaired: Sequence[Unpaired] = (),
    prompts: Sequence[Prompt] | None = None,
    reward: Reward | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trained:
    """Move a policy towards what is preferred, by the method the config names; write `out`.

    `unpaired` are answers that are good or bad by themselves, for kto, beside the preferences.

    Raises:
        StageError: when the method lacks what it learns from, or the loss stops being a number.
        MissingModelError: for a model that is not there, or not complete.
    """
    if config.by_reward:
        if not prompts or reward is None:
            raise StageError(f"optimize.method {config.method} needs prompts and a reward")
        return train_by_reward(prompts, reward, config, model, out, seed=seed, progress=progress)
    if config.method == "kto" and (unpaired or preferences):
        rows, ties = unpaired_of(preferences or ())
        trained = train_kto([*rows, *unpaired], config, model, out, seed=seed, progress=progress)
        return trained._replace(left_out={**trained.left_out, "as often better as worse": ties})
    if preferences is None:
        raise StageError(f"optimize.method {config.method} learns from preferences; there are none")
    return train_dpo(preferences, config, model, out, seed=seed, progress=progress)
