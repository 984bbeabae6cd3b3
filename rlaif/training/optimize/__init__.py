"""Policy optimizers, one file for each family of methods."""

from collections.abc import Sequence
from pathlib import Path

from rlaif.backends.base import Backend
from rlaif.backends.local import LocalBackend
from rlaif.errors import StageError
from rlaif.records import Preference, Prompt
from rlaif.training.config import BY_CHOICE, OptimizeConfig, Progress, Say, Trained
from rlaif.training.optimize.best import Draws, take_best, train_rejection
from rlaif.training.optimize.by_reward import train_by_reward
from rlaif.training.optimize.dpo import train_dpo
from rlaif.training.optimize.kto import train_kto
from rlaif.training.optimize.looks import Watched
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
    policy: Backend | None = None,
    watched: Watched | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    say: Say = lambda _: None,
) -> Trained:
    """Move a policy towards what is preferred, by the method the config names; write `out`.

    Args:
        config: which method, and how.
        model: the policy to start from.
        out: the Hugging Face folder to write; best-of-n writes answers beside it.
        preferences: what dpo, ipo and kto learn from.
        unpaired: answers that are good or bad by themselves, for kto, beside the preferences.
        prompts: what the others answer.
        reward: what scores those answers.
        policy: who draws, for rejection and best-of-n: the model, behind a store.
        watched: what a monitor looks at.
        seed: of every draw.
        progress: called after each step.
        say: is told that a judge is gone and waited for.

    Raises:
        StageError: when the method lacks what it learns from, or the loss stops being a number.
        MissingModelError: for a model that is not there, or not complete.
    """
    if config.by_reward:
        if not prompts or reward is None:
            raise StageError(f"optimize.method {config.method} needs prompts and a reward")
        if config.method in BY_CHOICE:
            draws = Draws(prompts, policy or LocalBackend(model), reward, config, seed, say)
            if config.method == "best-of-n":
                return take_best(draws, out, progress=progress)
            return train_rejection(draws, model, out, progress=progress)
        return train_by_reward(
            prompts,
            reward,
            config,
            model,
            out,
            seed=seed,
            progress=progress,
            watched=watched,
            say=say,
        )
    if config.method == "kto" and (unpaired or preferences):
        rows, ties = unpaired_of(preferences or ())
        trained = train_kto([*rows, *unpaired], config, model, out, seed=seed, progress=progress)
        return trained._replace(left_out={**trained.left_out, "as often better as worse": ties})
    if preferences is None:
        raise StageError(f"optimize.method {config.method} learns from preferences; there are none")
    return train_dpo(preferences, config, model, out, seed=seed, progress=progress)
