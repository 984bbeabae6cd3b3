"""Draw responses to the training prompts, going on where a killed run stopped."""

from collections import Counter
from pathlib import Path

from rlaif.backends.base import Backend
from rlaif.experiment.context import Context
from rlaif.experiment.outcomes import Outcomes
from rlaif.experiment.progress import tally
from rlaif.experiment.stages import Done
from rlaif.feedback.respond import RespondConfig, respond
from rlaif.records import Response


def work(run: Context, folder: Path) -> Done:
    """Draw from the policy before any training."""
    config = run.experiment.respond
    assert config is not None
    return draw(run, folder, "respond", run.backend("policy"), config, seed=run.experiment.seed)


def draw(
    run: Context, folder: Path, stage: str, policy: Backend, config: RespondConfig, *, seed: int
) -> Done:
    """Draw `config.samples` responses to each training prompt into a folder's journals."""
    with Outcomes(folder, Response, "responses") as outcomes:
        # A prompt's samples come together, so a prompt that lacks one is drawn again, from the
        # store.
        told = Counter(name.rsplit("#", 1)[0] for name in outcomes.seen)
        left = [prompt for prompt in run.train if told[prompt.id] < config.samples]
        total = len(run.train) * config.samples
        counts = outcomes.keep(respond(left, policy, config, seed=seed), run.watcher, stage, total)
    return Done(tally("responses", counts), dict(counts))
