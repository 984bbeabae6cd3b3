"""An experiment file: roles bound once, one section for each stage."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, field_validator, model_validator

from rlaif.backends.connect import Model
from rlaif.budget import Budget
from rlaif.errors import InputError
from rlaif.evaluation.config import EvaluateConfig
from rlaif.feedback.label import LabelConfig
from rlaif.feedback.respond import RespondConfig
from rlaif.feedback.revise import ReviseConfig
from rlaif.judges.reward import Opponents
from rlaif.records import Record, Source
from rlaif.resources import find, shipped
from rlaif.training.config import OptimizeConfig, RewardConfig, SFTConfig
from rlaif.training.rewards import OWN
from rlaif.yamlfile import parse, read_text


class Models(Record):
    """Which model plays which role."""

    policy: Model
    """The model to be trained; its responses are judged."""
    judge: Model
    """Who labels, and who chooses among revisions."""
    panel: tuple[Model, ...] = ()
    """More judges that are asked the same; `label.panel` says how their answers become one."""
    critic: Model | None = None
    """Who critiques and revises; the policy where none is named."""
    referee: Model | None = None
    """Who judges the evaluation, and never the labels; the judges where none is named."""

    @model_validator(mode="after")
    def _each_judges_once(self) -> Self:
        judges = [spec.model_dump_json() for spec in (self.judge, *self.panel)]
        if len(set(judges)) < len(judges):
            raise ValueError("panel: a judge stands twice; ask one more often with label.repeats")
        return self


class PromptsConfig(Record):
    """Where the prompts come from."""

    path: str
    """JSONL of prompts, or a text file with one a line; looked for beside the experiment file."""
    limit: int | None = Field(default=None, ge=1)
    """Use this many of them, drawn by the seed; all where none is given."""
    holdout: int = Field(default=0, ge=0)
    """Keep this many aside: never trained on; the suite `holdout` evaluates on them."""


class SFTSection(SFTConfig):
    """Imitate the revisions, and helpful replies beside them."""

    demonstrations: str | None = None
    """JSONL of `{"prompt", "reply"}` of your own to imitate too, beside the experiment file."""
    keep: tuple[str, ...] = ()
    """Prompts with one of these tags: their own responses are imitated as they are, so that
    helping is kept (Bai 2022 mixes helpfulness samples in)."""


Pairs = Literal["all", "widest"]


class RewardSection(RewardConfig):
    """Train a reward model on the labels."""

    pairs: Pairs = "all"
    """`widest` trains on the surest pair of each prompt alone."""

    sources: dict[Source, Annotated[float, Field(ge=0.0, allow_inf_nan=False)]] = Field(
        default_factory=dict
    )
    """How much a label counts by its source, beside its own weight: `{judge: 1.0, human: 4.0}`.
    1 where none is given; 0 leaves a source out."""
    also: tuple[str, ...] = ()
    """More labels to train on, of any format that is read, beside the experiment file."""


class OptimizeSection(OptimizeConfig):
    """Move the policy by the labels, or by a reward."""

    pairs: Pairs = "all"
    """`widest` trains on the surest pair of each prompt alone."""
    also: tuple[str, ...] = ()
    """For dpo, ipo and kto: more labels to learn from, of any format that is read, beside the
    experiment file; kto takes thumbs as they are."""
    opponents: Opponents = "all"
    """For a comparing judge as the reward: each answer meets `all` others of its prompt, or its
    two neighbours in a `circle`."""


def has_referee(models: Models, optimize: OptimizeSection) -> bool:
    """Say whether somebody can judge a policy who does not reward it by the same rules."""
    return models.referee is not None or all(part.judge != OWN for part in optimize.parts)


class Experiment(Record):
    """One experiment; a section that is missing skips its stage."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Names the run's folder."""
    summary: str = ""
    """One sentence for the report."""
    seed: int = 0
    constitution: str
    """A file, looked for beside the experiment file, or the name of a shipped one."""
    models: Models
    prompts: PromptsConfig
    budget: Budget | None = None
    """What may be spent in this run's folder at most: usd, requests, tokens; then it stops."""
    respond: RespondConfig | None = None
    revise: ReviseConfig | None = None
    sft: SFTSection | None = None
    label: LabelConfig | None = None
    reward: RewardSection | None = None
    optimize: OptimizeSection | None = None
    evaluate: EvaluateConfig | None = None

    @field_validator(
        "respond", "revise", "sft", "label", "reward", "optimize", "evaluate", mode="before"
    )
    @classmethod
    def _bare_section(cls, value: Any) -> Any:
        # `respond:` with nothing after it means the stage with its defaults.
        return {} if value is None else value

    @model_validator(mode="after")
    def _stages_have_what_they_need(self) -> Self:
        for stage, needs in _NEEDS.items():
            if getattr(self, stage) is not None and getattr(self, needs) is None:
                raise ValueError(f"the section `{stage}` needs the section `{needs}`")
        if self.optimize:
            self._policy_has_what_it_needs(self.optimize)
        trains = self.sft or self.optimize or self.reward
        if trains and self.models.policy.kind != "local":
            raise ValueError("only a local policy can be trained: models.policy needs kind local")
        return self

    def _policy_has_what_it_needs(self, optimize: OptimizeSection) -> None:
        if optimize.also and optimize.by_reward:
            raise ValueError(f"optimize.also: {optimize.method} learns from a reward, not labels")
        if not optimize.by_reward and not self.label and not optimize.also:
            raise ValueError(
                f"optimize.method {optimize.method} learns from labels: it needs the section "
                "`label`, or files in `also`"
            )
        stop = optimize.monitor.stop if optimize.monitor else None
        if stop and stop.judge_drop and not has_referee(self.models, optimize):
            raise ValueError(
                "optimize.monitor.stop.judge_drop needs a judge that is not the reward: name "
                "models.referee"
            )
        is_own = any(part.model == OWN for part in optimize.parts)
        if optimize.by_reward and is_own and not self.reward:
            raise ValueError("optimize.reward model needs the section `reward`")


_NEEDS = {"revise": "respond", "label": "respond", "reward": "label"}


def load_experiment(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read an experiment file, with `section.key=value` overrides from the command line.

    Raises:
        InputError: one line for each mistake, with file and line.
    """
    text = read_text(path)
    if not overrides:
        return parse(text, Experiment, path)
    parse(text, Experiment, path)  # mistakes in the file are told with the file's own lines
    data = yaml.safe_load(text)
    for override in overrides:
        override_with(data, override)
    return parse(yaml.safe_dump(data, sort_keys=False), Experiment, " ".join(overrides))


def override_with(data: dict[str, Any], override: str) -> None:
    """Change one value of an experiment's data, or of a section's, as `key=value` says.

    Raises:
        InputError: for text of another form.
    """
    place, equals, value = override.partition("=")
    if not equals or not place:
        raise InputError(f"{override}: expected section.key=value, such as label.pairs=3")
    *sections, key = place.split(".")
    at = data
    for section in sections:
        if at.get(section) is None:
            at[section] = {}
        at = at[section]
        if not isinstance(at, dict):
            raise InputError(f"{override}: {section!r} holds one value, no further keys")
    try:
        at[key] = yaml.safe_load(value)
    except yaml.YAMLError:
        raise InputError(f"{override}: {value!r} is not a YAML value") from None


def beside(experiment: Path, name: str, folder: Literal["constitution", "experiments"]) -> Path:
    """Find a file that an experiment names: beside it, in the working folder, or shipped.

    Raises:
        InputError: when it is in none of these places.
    """
    for place in (experiment.parent / name, Path(name)):
        if place.is_file():
            return place
    if folder == "experiments" and (shipped("experiments") / name).is_file():
        return shipped("experiments") / name
    return find(folder, name)
