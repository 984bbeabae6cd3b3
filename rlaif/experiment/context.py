"""What a run's stages share: the experiment, its files, its folder, and its models by role."""

import random
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

from rlaif.backends.base import Backend
from rlaif.backends.cached import Cached
from rlaif.backends.connect import (
    LocalModel,
    ModelSpec,
    account_of,
    check,
    connect,
    identity,
    model_path,
)
from rlaif.budget import FILE as SPENT
from rlaif.budget import Budget, Meter
from rlaif.constitution.principle import Constitution
from rlaif.errors import InputError, StageError
from rlaif.experiment.config import Experiment, OptimizeSection, RewardSection, beside
from rlaif.experiment.manifest import read_manifest
from rlaif.experiment.progress import Watcher
from rlaif.experiment.requirements import check_require
from rlaif.feedback.prompts import drawn, load_prompts
from rlaif.judges.base import Judge
from rlaif.judges.compose import (
    Judging,
    Member,
    calibration_of,
    check_judging,
    conditions_of,
    judge_of,
)
from rlaif.judges.scope import Conditions
from rlaif.records import Prompt, fingerprint_of
from rlaif.resources import did_you_mean
from rlaif.store import NAME, CompletionStore
from rlaif.templates import Template
from rlaif.training.rewards import OWN

Role = Literal["policy", "critic", "judge", "referee"]
_MODEL_FILES = ("calibration", "path")


class Context:
    """An experiment, checked, with its constitution and prompts read and its models by role."""

    def __init__(
        self,
        experiment: Experiment,
        file: Path,
        runs: Path,
        watcher: Watcher,
        *,
        is_anyway: bool = False,
    ) -> None:
        """Read everything that a run needs and check it, before any model is loaded.

        Args:
            experiment: what to run.
            file: where it was read from; what it names is looked for beside it.
            runs: the folder of all runs.
            watcher: who is told what happens.
            is_anyway: whether a judge that falls short of what is required labels all the same.

        Raises:
            InputError, MissingModelError: for the first thing that a run would stumble over.
        """
        self.experiment = experiment
        self._file = file
        self.folder = runs / experiment.name
        self.watcher = watcher
        self.constitution = Constitution.load(beside(file, experiment.constitution, "constitution"))
        self._prompts_path = beside(file, experiment.prompts.path, "experiments")
        self.train, self.held_out = self._split(load_prompts(self._prompts_path))
        self.demonstrations = self._demonstrations(file)
        self.people = self._people(file)
        self.also = self._also(file, self.experiment.reward)
        self.also_learned = self._also(file, self.experiment.optimize)
        self.is_anyway = is_anyway
        self.store_path = runs / NAME
        self._backends: dict[str, Backend] = {}
        self._check()

    def _split(self, prompts: Sequence[Prompt]) -> tuple[list[Prompt], list[Prompt]]:
        wanted = self.experiment.prompts
        if wanted.holdout >= len(prompts):
            raise InputError(
                f"{self._prompts_path}: {len(prompts)} prompts, and prompts.holdout keeps "
                f"{wanted.holdout} of them aside; none is left to train on"
            )
        shuffled = list(prompts)
        if wanted.limit or wanted.holdout:
            random.Random(self.experiment.seed).shuffle(shuffled)
        held_out, rest = shuffled[: wanted.holdout], shuffled[wanted.holdout :]
        return rest[: wanted.limit], held_out

    @property
    def responding(self) -> list[Prompt]:
        """Give the training prompts that `respond` answers."""
        config = self.experiment.respond
        return (
            drawn(self.train, config.prompts, f"respond {self.experiment.seed}") if config else []
        )

    def _demonstrations(self, file: Path) -> Path | None:
        named = self.experiment.sft.demonstrations if self.experiment.sft else None
        return beside(file, named, "experiments") if named else None

    def _people(self, file: Path) -> Path | None:
        require = self.experiment.label.require if self.experiment.label else None
        return beside(file, require.people, "experiments") if require and require.people else None

    def _also(self, file: Path, section: RewardSection | OptimizeSection | None) -> list[Path]:
        named = section.also if section else ()
        return [beside(file, name, "experiments") for name in named]

    def _check(self) -> None:
        experiment = self.experiment
        if experiment.label:
            check_require(experiment.label.require, self.constitution, self.people)
        for spec in self._specs():
            check(spec)
            calibration_of(spec)
        for name in self._templates():
            Template.load(name)
        check_judging(self.judging, self.constitution)
        for part in experiment.optimize.parts if experiment.optimize else ():
            if part.judge and part.judge != OWN:
                check_judging(self.judging, self.rules_of(part.judge))
        scoped = {tag for p in self.constitution.principles for tag in p.scope}
        tags = {tag for prompt in self.train for tag in prompt.tags}
        for place, tag in _tags_named(experiment):
            if tag not in tags:
                near = did_you_mean(tag, sorted(tags))
                raise InputError(
                    f"{self._prompts_path}: no prompt is tagged {tag!r}, as {place} wants it{near}"
                )
        is_scoped = all(p.scope for p in self.constitution.principles)
        if is_scoped and not scoped & tags and self._is_judged():
            raise InputError(
                f"{experiment.constitution}: no principle applies to any prompt; the principles "
                f"are for prompts tagged {', '.join(sorted(scoped))}"
            )

    def _is_judged(self) -> bool:
        """Say whether anything is judged by the run's own constitution."""
        optimize = self.experiment.optimize
        stages = (self.experiment.revise, self.experiment.label, self.experiment.evaluate)
        rewards = optimize.parts if optimize and optimize.by_reward else ()
        looks = optimize is not None and optimize.monitor is not None
        return any(stages) or looks or any(part.judge == OWN for part in rewards)

    def _specs(self) -> list[ModelSpec]:
        models = self.experiment.models
        named = [models.policy, models.judge, *models.panel, models.critic, models.referee]
        return [self._with_files(spec) for spec in named if spec is not None]

    def _with_files(self, spec: ModelSpec) -> ModelSpec:
        """Find the files that a model names: beside the experiment, or in the working folder."""
        named = {name: getattr(spec, name, None) for name in _MODEL_FILES}
        found = {
            name: str(beside(self._file, path, "experiments"))
            for name, path in named.items()
            if path
        }
        return spec.model_copy(update=found)

    def _templates(self) -> list[str]:
        revise = self.experiment.revise
        names = [revise.template, revise.critique_template] if revise else []
        return [*names, *self.judging.templates]

    @property
    def judging(self) -> Judging:
        """How a judge is asked, by whichever stage asks one."""
        return self.experiment.label or Judging()

    def judging_fingerprint(self) -> str:
        """Stand for how a judge is asked, beside the wording of its prompt files."""
        how = self.judging.model_dump(mode="json", include={"orders", "repeats", "panel"})
        return fingerprint_of(how)

    def template_fingerprint(self, stage: Literal["revise", "label"]) -> str:
        """Stand for the wording of the prompt files that a stage asks with."""
        revise = self.experiment.revise
        names = list(self.judging.templates)
        if any(principle.when for principle in self.constitution.principles):
            names.append(self.judging.when)
        if stage == "revise" and revise:
            names += [revise.template, revise.critique_template]
        return fingerprint_of([Template.load(name).fingerprint_of_wording for name in names])

    @cached_property
    def store(self) -> CompletionStore:
        """Completions already paid for, shared by all runs beside this one."""
        return CompletionStore(self.store_path)

    def spec(self, role: Role) -> ModelSpec:
        """Give the model that plays a role."""
        models = self.experiment.models
        named = {
            "policy": models.policy,
            "judge": models.judge,
            "critic": models.critic or models.policy,
            "referee": models.referee or models.judge,
        }
        return self._with_files(named[role])

    def judges(self, role: Literal["judge", "referee"]) -> list[ModelSpec]:
        """Give the models that judge together; a referee of its own judges alone."""
        models = self.experiment.models
        if role == "referee" and models.referee:
            return [self.spec("referee")]
        return [self._with_files(spec) for spec in (models.judge, *models.panel)]

    def identity(self, role: Role) -> str:
        """Name a role's models and their exact weights or version, as far as that can be told."""
        if role not in ("judge", "referee"):
            return identity(self.spec(role))
        return ", ".join(_judge_identity(spec) for spec in self.judges(role))

    def identities(self) -> dict[str, str]:
        """Name every role's model."""
        roles: tuple[Role, ...] = ("policy", "critic", "judge", "referee")
        return {role: self.identity(role) for role in roles}

    @cached_property
    def meter(self) -> Meter:
        """What is spent in this run, over all its processes."""
        return Meter(self.experiment.budget or Budget(), self.folder / SPENT)

    def backend(self, role: Role) -> Backend:
        """Connect to a role's model, once."""
        return self.connect(self.spec(role))

    def policy_at(self, folder: Path) -> Backend:
        """Connect to a policy that a stage has trained."""
        return self.connect(self._trained_spec(folder))

    def _trained_spec(self, folder: Path) -> LocalModel:
        policy = self.spec("policy")
        assert isinstance(policy, LocalModel)
        return policy.model_copy(update={"model": str(folder), "adapter": None})

    def connect(self, spec: ModelSpec) -> Backend:
        """Connect to a model through the store, once."""
        name = spec.model_dump_json()
        if name not in self._backends:
            account = account_of(spec, self.meter)
            self.watcher.follow(self.meter)
            backend: Backend = connect(spec, say=self.watcher.say)
            self._backends[name] = Cached(backend, self.store, kind=spec.kind, account=account)
        return self._backends[name]

    def judge(
        self,
        role: Literal["judge", "referee"] = "judge",
        *,
        constitution: Constitution | None = None,
    ) -> Judge:
        """Make the judge that labels, or the one that only evaluates; by other rules if given."""
        specs = self.judges(role)
        members = [Member(self.connect(spec), calibration_of(spec)) for spec in specs]
        return judge_of(members, self.judging, constitution or self.constitution)

    def conditions(
        self,
        role: Literal["judge", "referee"] = "judge",
        *,
        constitution: Constitution | None = None,
    ) -> Conditions | None:
        """Make who says whether a principle's `when` is true of a prompt, where one has it."""
        return conditions_of(constitution or self.constitution, self.backend(role), self.judging)

    def rules_of(self, name: str) -> Constitution:
        """Give what a judge as a reward goes by: the run's own rules, one of them, or others.

        Raises:
            InputError: for a name that leads to no constitution.
        """
        if name == OWN:
            return self.constitution
        own = tuple(each for each in self.constitution.principles if each.id == name)
        if own:
            return self.constitution.model_copy(update={"principles": own})
        return Constitution.load(beside(self._file, name, "constitution"))

    def beside(self, folder: Path) -> Path:
        """Find a folder that the experiment names: beside its file, or in the working folder."""
        near = self._file.parent / folder
        return near if near.is_dir() else folder

    def policy_path(self) -> Path:
        """Give the folder of the policy to start from: fine-tuned if it was, else the base."""
        if self.experiment.sft:
            return self.finished("sft") / "model"
        return self.base_path()

    def base_path(self) -> Path:
        """Give the folder, or the hub name, of the policy before any training."""
        spec = self.spec("policy")
        assert isinstance(spec, LocalModel)
        return model_path(spec, say=self.watcher.say)

    def finished(self, stage: str) -> Path:
        """Give a finished stage's folder.

        Raises:
            StageError: when the stage is not finished.
        """
        folder = self.folder / stage
        if read_manifest(folder) is None:
            raise StageError(f"{folder}: not finished; run the stage `{stage}` first")
        return folder


def _judge_identity(spec: ModelSpec) -> str:
    named = calibration_of(spec) if spec.calibration else None
    return f"{identity(spec)} calibrated {named.fingerprint[:8]}" if named else identity(spec)


def _tags_named(experiment: Experiment) -> Iterator[tuple[str, str]]:
    """Give each place of an experiment that names a tag, with the tag."""
    for tag in experiment.sft.keep if experiment.sft else ():
        yield "sft.keep", tag
    for tag in experiment.revise.tags if experiment.revise else ():
        yield "revise.tags", tag
    for stage in ("respond", "revise", "label"):
        section = getattr(experiment, stage)
        if section is not None and isinstance(section.prompts, dict):
            for tag in section.prompts:
                yield f"{stage}.prompts", tag
