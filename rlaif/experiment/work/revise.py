"""Critique and revise the policy's responses, by the constitution."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rlaif.experiment.context import Context
from rlaif.experiment.outcomes import Outcomes, read_responses
from rlaif.experiment.progress import tally
from rlaif.experiment.stages import Done
from rlaif.feedback.prompts import drawn
from rlaif.feedback.revise import revise
from rlaif.records import Response, Revision


def work(run: Context, folder: Path) -> Done:
    """Revise the first responses to each prompt that are not revised yet."""
    config = run.experiment.revise
    assert config is not None
    concerned = [prompt for prompt in run.responding if config.concerns(prompt)]
    prompts = drawn(concerned, config.prompts, f"revise {run.experiment.seed}")
    asked = {prompt.id for prompt in prompts}
    responses = [r for r in read_responses(run.finished("respond")) if r.prompt_id in asked]
    wanted = first_of_each(responses, config.responses)
    with Outcomes(folder, Revision, "revisions") as outcomes:
        made = revise(
            prompts,
            [response for response in wanted if response.id not in outcomes.seen],
            run.constitution,
            run.backend("critic"),
            config,
            judge=run.judge(),
            conditions=run.conditions(),
            seed=run.experiment.seed,
        )
        counts = outcomes.keep(made, run.watcher, "revise", len(wanted))
    return Done(tally("revisions", counts, len(wanted)), dict(counts))


def first_of_each(responses: Sequence[Response], count: int) -> list[Response]:
    """Keep the first few responses to each prompt."""
    taken: Counter[str] = Counter()
    kept = []
    for response in responses:
        taken[response.prompt_id] += 1
        if taken[response.prompt_id] <= count:
            kept.append(response)
    return kept
