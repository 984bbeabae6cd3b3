"""Label comparisons of responses by the constitution."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rlaif.errors import StageError
from rlaif.experiment.context import Context
from rlaif.experiment.forewarn import forewarn
from rlaif.experiment.gate import Gatekeeper, stamped
from rlaif.experiment.outcomes import Outcomes, read_responses
from rlaif.experiment.progress import tally
from rlaif.experiment.stages import Done
from rlaif.experiment.work.respond import draw
from rlaif.feedback.label import label
from rlaif.feedback.pair import pair
from rlaif.feedback.prompts import drawn
from rlaif.feedback.respond import RespondConfig
from rlaif.records import Abstention, Comparison, Preference, Prompt, Response


def work(run: Context, folder: Path) -> Done:
    """Label the comparisons that are not labelled yet."""
    config, seed = run.experiment.label, run.experiment.seed
    assert config is not None
    prompts = drawn(
        run.train if config.samples else run.responding, config.prompts, f"label {seed}"
    )
    responses = _responses(run, prompts, folder)
    comparisons = list(pair(prompts, responses, per_prompt=config.pairs, seed=seed))
    if not comparisons:
        raise StageError("label: no prompt has two responses to compare; raise respond.samples")
    judge, conditions = run.judge(), run.conditions()
    trust = forewarn(run.constitution, judge, run.judges("judge"), run.watcher)

    def labelled(asked: Iterable[Comparison]) -> Iterator[Preference | Abstention]:
        return label(asked, run.constitution, judge, config, conditions=conditions, seed=seed)

    despite: tuple[str, ...] = ()
    if config.require:
        keeper = Gatekeeper(
            config.require,
            run.constitution,
            judge,
            labelled,
            people=run.people,
            seed=seed,
            is_anyway=run.is_anyway,
        )
        despite = keeper.admit(comparisons, folder, run.watcher)
    with Outcomes(folder, Preference, "preferences") as outcomes:
        left = [comparison for comparison in comparisons if comparison.id not in outcomes.seen]
        made = stamped(labelled(left), despite)
        counts = outcomes.keep(made, run.watcher, "label", len(comparisons))
    return Done(
        tally("preferences", counts, len(comparisons)), dict(counts), despite=despite, trust=trust
    )


def _responses(run: Context, prompts: Sequence[Prompt], folder: Path) -> list[Response]:
    """Give what is compared: respond's, or new draws from the fine-tuned policy."""
    config = run.experiment.label
    assert config is not None
    if not config.samples:
        return read_responses(run.finished("respond"))
    how = (run.experiment.respond or RespondConfig()).model_copy(update={"samples": config.samples})
    policy = run.policy_at(run.policy_path()) if run.experiment.sft else run.backend("policy")
    # Another seed than respond's: these are new draws, also where the policy is still the base.
    seed = run.experiment.seed + 1
    draw(run, folder / "respond", "label: draw", policy, how, prompts=prompts, seed=seed)
    return read_responses(folder / "respond")
