"""Draw responses to the training prompts, going on where a killed run stopped."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rlaif.backends.base import Backend
from rlaif.experiment.context import Context
from rlaif.experiment.outcomes import Outcomes
from rlaif.experiment.progress import tally
from rlaif.experiment.stages import Done
from rlaif.feedback.respond import RespondConfig, respond
from rlaif.records import Prompt, Response


def work(run: Context, folder: Path) -> Done:
    """Draw from the policy before any training."""
    config = run.experiment.respond
    assert config is not None
    policy, seed = run.backend("policy"), run.experiment.seed
    return draw(run, folder, "respond", policy, config, prompts=run.responding, seed=seed)


def draw(  # noqa: PLR0913 (who draws, how, for what, and where to)
    run: Context,
    folder: Path,
    stage: str,
    policy: Backend,
    config: RespondConfig,
    *,
    prompts: Sequence[Prompt],
    seed: int,
) -> Done:
    """Draw `config.samples` responses to each prompt into a folder's journals."""
    with Outcomes(folder, Response, "responses") as outcomes:
        # A prompt's samples come together, so a prompt that lacks one is drawn again, from the
        # store.
        told = Counter(name.rsplit("#", 1)[0] for name in outcomes.seen)
        left = [prompt for prompt in prompts if told[prompt.id] < config.samples]
        total = len(prompts) * config.samples
        counts = outcomes.keep(respond(left, policy, config, seed=seed), run.watcher, stage, total)
    return Done(tally("responses", counts, total), dict(counts))
