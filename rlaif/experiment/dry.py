"""A dry run of one stage by itself: its own functions, on models that only count."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

from rlaif.backends.connect import ModelSpec
from rlaif.constitution.principle import Constitution
from rlaif.evaluation.config import EvaluateConfig
from rlaif.evaluation.suites import load_suite
from rlaif.experiment.alone import read_drawn
from rlaif.experiment.estimate import Estimates, Unasked
from rlaif.experiment.folder import Folder, NamedJudges
from rlaif.feedback.label import LabelConfig, label
from rlaif.feedback.prompts import load_prompts
from rlaif.feedback.respond import RespondConfig, request_for, respond
from rlaif.feedback.revise import ReviseConfig, revise
from rlaif.judges.compose import Judging
from rlaif.records import Comparison, Completion, Prompt, Response


class DryFolder(Folder):
    """A folder in which nothing is written, and whose models only count."""

    stage = ""
    """The stage that is counted for."""

    @cached_property
    def estimates(self) -> Estimates:
        """What was counted."""
        return Estimates(self.store_path, self.meter)

    def connect(self, spec: ModelSpec) -> Unasked:
        """Stand in for a model."""
        return self.estimates.backend(self.stage, spec)

    def close(self) -> None:
        """Close the store; nothing was spent."""
        self.estimates.close()


def _all_of(outcomes: Iterable[object]) -> None:
    for _ in outcomes:
        pass


def respond_dry(
    prompts: Path, model: str, config: RespondConfig, folder: DryFolder, seed: int
) -> None:
    """Count what `respond` asks."""
    folder.stage = "respond"
    loaded = load_prompts(prompts)
    folder.estimates.items["respond"] = len(loaded)
    _all_of(respond(loaded, folder.backend(model), config, seed=seed))


def revise_dry(
    responses: Path,
    constitution: Constitution,
    models: tuple[str, str],
    config: ReviseConfig,
    folder: DryFolder,
    seed: int,
) -> None:
    """Count what `revise` asks."""
    folder.stage = "revise"
    prompts, loaded = read_drawn(responses)
    folder.estimates.items["revise"] = len(loaded)
    named = NamedJudges(folder, [models[1]])
    _all_of(
        revise(
            prompts,
            loaded,
            constitution,
            folder.backend(models[0]),
            config,
            judge=named.judge(Judging(), constitution),
            conditions=named.conditions(Judging(), constitution),
            seed=seed,
        )
    )


def label_dry(
    comparisons: Sequence[Comparison],
    constitution: Constitution,
    named: NamedJudges,
    config: LabelConfig,
    folder: DryFolder,
    seed: int,
) -> None:
    """Count what `label` asks."""
    folder.stage = "label"
    folder.estimates.items["label"] = len(comparisons)
    judge = named.judge(config, constitution)
    conditions = named.conditions(config, constitution)
    _all_of(label(comparisons, constitution, judge, config, conditions=conditions, seed=seed))


def evaluate_dry(
    models: Sequence[str],
    suites: Sequence[str],
    constitution: Constitution,
    judge: str,
    folder: DryFolder,
    how: tuple[int | None, int],
) -> None:
    """Count what `evaluate` asks: replies of each policy, and each beside the base's judged."""
    folder.stage = "evaluate"
    limit, seed = how
    config = EvaluateConfig(suites=tuple(suites), limit=limit)
    prompts = [prompt for name in suites for prompt in load_suite(name)[:limit]]
    folder.estimates.items["evaluate"] = len(prompts)
    named = NamedJudges(folder, [judge])
    referee = named.judge(Judging(), constitution)
    conditions = named.conditions(Judging(), constitution)
    drawn = RespondConfig(
        temperature=config.temperature, top_p=config.top_p, max_tokens=config.max_tokens
    )
    replies = {name: _drawn(folder, name, prompts, drawn, seed) for name in models}
    base = replies[models[0]]
    for name in models[1:]:
        pairs = [
            Comparison(id=str(place), prompt=prompt, first=own, second=other)
            for place, (prompt, own, other) in enumerate(
                zip(prompts, replies[name], base, strict=True)
            )
        ]
        everyone = LabelConfig(principles="all")
        _all_of(label(pairs, constitution, referee, everyone, conditions=conditions))


def _drawn(
    folder: DryFolder, name: str, prompts: Sequence[Prompt], how: RespondConfig, seed: int
) -> list[Response]:
    requests = (request_for(p, how, f"{seed}:{p.id}:0") for p in prompts)
    said = folder.backend(name).stream(requests)
    return [
        Response(id=name, prompt_id=p.id, text=answer.text, author=name)
        for p, (_, answer) in zip(prompts, said, strict=True)
        if isinstance(answer, Completion)
    ]
