"""A dry run of an experiment: its stages' own functions, on models that only count.

What a stage would read from an earlier one that is not finished is made up, as long as it may be,
so that tokens and money are what the whole run takes at most.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from rlaif.backends.connect import ModelSpec
from rlaif.budget import Budget, Meter
from rlaif.experiment.context import Context
from rlaif.experiment.estimate import Estimates, Unasked
from rlaif.experiment.forewarn import requests_before
from rlaif.experiment.manifest import read_manifest
from rlaif.experiment.outcomes import read_responses
from rlaif.experiment.requests import optimize_requests
from rlaif.experiment.stages import suites_of
from rlaif.feedback.label import LabelConfig, label
from rlaif.feedback.pair import pair
from rlaif.feedback.prompts import drawn
from rlaif.feedback.respond import RespondConfig, respond
from rlaif.feedback.revise import revise
from rlaif.judges.compose import Judging
from rlaif.records import Comparison, Prompt, Response

_TRIED = 40  # prompts whose answers are judged, to know what one in a reward takes


class DryContext(Context):
    """An experiment whose models only count; nothing is written."""

    stage = ""
    """The stage that is counted for."""

    @cached_property
    def meter(self) -> Meter:
        """Hold the budget, and keep nothing."""
        return Meter(self.experiment.budget or Budget())

    @cached_property
    def estimates(self) -> Estimates:
        """What was counted."""
        return Estimates(self.store_path, self.meter)

    def connect(self, spec: ModelSpec) -> Unasked:
        """Stand in for a model."""
        return self.estimates.backend(self.stage, spec)


def count(run: DryContext, stages: Iterable[str]) -> Estimates:
    """Count what these stages ask, in the run's order."""
    for name in stages:
        if name in _COUNTERS:
            run.stage = name
            _COUNTERS[name](run)
    run.estimates.close()
    return run.estimates


def _respond(run: DryContext) -> None:
    run.estimates.items["respond"] = len(run.responding)
    _drawn(run, run.responding, run.experiment.respond or RespondConfig(), run.experiment.seed)


def _revise(run: DryContext) -> None:
    config = run.experiment.revise
    assert config is not None
    concerned = [prompt for prompt in run.responding if config.concerns(prompt)]
    prompts = drawn(concerned, config.prompts, f"revise {run.experiment.seed}")
    run.estimates.items["revise"] = len(prompts) * config.responses
    _exhaust(
        revise(
            prompts,
            _responses(run, prompts),
            run.constitution,
            run.backend("critic"),
            config,
            judge=run.judge(),
            conditions=run.conditions(),
            seed=run.experiment.seed,
        )
    )


def _label(run: DryContext) -> None:
    config, seed = run.experiment.label, run.experiment.seed
    assert config is not None
    among = run.train if config.samples else run.responding
    prompts = drawn(among, config.prompts, f"label {seed}")
    if config.samples:
        how = run.experiment.respond or RespondConfig()
        anew = how.model_copy(update={"samples": config.samples})
        responses = _drawn(run, prompts, anew, seed + 1)
    else:
        responses = _responses(run, prompts)
    pairs = list(pair(prompts, responses, per_prompt=config.pairs, seed=seed))
    run.estimates.items["label"] = len(pairs)
    _judge(run, pairs, config)
    judges = run.judges("judge")
    run.estimates.add("label", judges, requests_before(config, judges, run.constitution))


def _optimize(run: DryContext) -> None:
    requests = optimize_requests(run)
    if not requests:
        return
    prompts = run.train[:_TRIED]
    how = (run.experiment.respond or RespondConfig()).model_copy(update={"samples": 2})
    run.stage = "tried"
    responses = _drawn(run, prompts, how, run.experiment.seed + 2)
    run.stage = "optimize"
    pairs = list(pair(prompts, responses, per_prompt=1, seed=0))
    _judge(run, pairs, LabelConfig(**_judging(run), principles="all"))
    run.estimates.drop("tried")
    run.estimates.scale("optimize", requests)
    run.estimates.items["optimize"] = len(run.train)


def _evaluate(run: DryContext) -> None:
    config, experiment = run.experiment.evaluate, run.experiment
    assert config is not None
    prompts = [p for suite in suites_of(run).values() for p in suite[: config.limit]]
    how = RespondConfig(
        samples=config.samples,
        temperature=config.temperature,
        top_p=config.top_p,
        max_tokens=config.max_tokens,
    )
    run.estimates.items["evaluate"] = len(prompts)
    tuned = sum(section is not None for section in (experiment.sft, experiment.optimize))
    base = _drawn(run, prompts, how, experiment.seed)
    for number in range(tuned):
        # Policies do not say the same: equal replies would not be judged.
        others = _drawn(run, prompts, how, experiment.seed + 3 + number)
        pairs = [
            Comparison(id=f"{number} {place}", prompt=prompt, first=other, second=own)
            for place, (prompt, other, own) in enumerate(
                zip(_each(prompts, config.samples), others, base, strict=True)
            )
        ]
        _judge(run, pairs, LabelConfig(**_judging(run), principles="all"), role="referee")


def _each(prompts: Sequence[Prompt], samples: int) -> list[Prompt]:
    return [prompt for prompt in prompts for _ in range(samples)]


def _judging(run: Context) -> dict[str, Any]:
    return {name: getattr(run.judging, name) for name in Judging.model_fields}


def _judge(
    run: DryContext, pairs: Sequence[Comparison], config: LabelConfig, role: Any = "judge"
) -> None:
    judge, conditions = run.judge(role), run.conditions(role)
    seed = run.experiment.seed
    _exhaust(label(pairs, run.constitution, judge, config, conditions=conditions, seed=seed))


def _responses(run: DryContext, prompts: Sequence[Prompt]) -> list[Response]:
    """Read what respond has made, or make it up."""
    folder = run.folder / "respond"
    if read_manifest(folder) is not None:
        asked = {prompt.id for prompt in prompts}
        return [one for one in read_responses(folder) if one.prompt_id in asked]
    stage, run.stage = run.stage, "made up"
    made = _drawn(run, prompts, run.experiment.respond or RespondConfig(), run.experiment.seed)
    run.stage = stage
    run.estimates.drop("made up")
    return made


def _drawn(
    run: DryContext, prompts: Sequence[Prompt], how: RespondConfig, seed: int
) -> list[Response]:
    made = respond(prompts, run.backend("policy"), how, seed=seed)
    return [one for one in made if isinstance(one, Response)]


def _exhaust(outcomes: Iterable[object]) -> None:
    for _ in outcomes:
        pass


_COUNTERS = {
    "respond": _respond,
    "revise": _revise,
    "label": _label,
    "optimize": _optimize,
    "evaluate": _evaluate,
}
