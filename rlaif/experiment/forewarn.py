"""Before labelling: which principles the judge cannot be trusted on, by their own examples.

A judge on this machine costs a few verdicts, which the store keeps; an API would be paid for them,
so it is not tried unless somebody asks (`rlaif constitution try`).
"""

from collections.abc import Sequence

from rlaif.backends.spec import ModelSpec
from rlaif.constitution.principle import Constitution
from rlaif.evaluation.principles import FEWEST, Summary, try_out
from rlaif.experiment.progress import Watcher
from rlaif.experiment.requirements import gate_requests, trial_requests
from rlaif.feedback.label import LabelConfig
from rlaif.judges.base import Judge

NOT_TRIED = "not tried"
_UNTOLD = ("too few examples", "no examples")


def forewarn(
    constitution: Constitution, judge: Judge, models: Sequence[ModelSpec], watcher: Watcher
) -> dict[str, str]:
    """Try the judge on each principle's examples and tell what it cannot be trusted on.

    Args:
        constitution: whose principles it is going to label by.
        judge: who labels.
        models: the models that it asks; it is tried where all of them are on this machine.
        watcher: is told a line for each principle not to be trusted on.

    Returns:
        How the judge stands with each principle, as the manifest keeps it.
    """
    if not _are_here(models):
        watcher.say(
            f"{judge.name}: {NOT_TRIED} on the constitution's examples, which would have to be "
            "paid for; `rlaif constitution try` does it"
        )
        return {principle.id: NOT_TRIED for principle in constitution.principles}
    found = try_out(constitution, judge)
    for one in found:
        if one.standing == "not trusted":
            watcher.say(
                f"warning: {one.principle}: this judge gets {one.score} of its examples right and "
                "is not to be trusted on it; reword it, or name a larger judge"
            )
    if untold := [one.principle for one in found if one.standing in _UNTOLD]:
        watcher.say(
            f"whether the judge can be trusted on {', '.join(untold)} takes {FEWEST} examples each"
        )
    return {one.principle: _kept(one) for one in found}


def requests_before(
    config: LabelConfig, models: Sequence[ModelSpec], constitution: Constitution
) -> int:
    """Count the requests that the trial and the gate send at most, before the first label."""
    gate = gate_requests(config, len(models), constitution)
    if not _are_here(models):
        return gate
    tried = trial_requests(config, len(models), constitution)
    # A gate without people asks the same examples, which are in the store by then.
    is_the_same = gate and config.require and config.require.people is None
    return tried if is_the_same else tried + gate


def _are_here(models: Sequence[ModelSpec]) -> bool:
    return all(spec.kind == "local" for spec in models)


def _kept(one: Summary) -> str:
    return f"{one.standing} ({one.score})" if one.trials else one.standing
