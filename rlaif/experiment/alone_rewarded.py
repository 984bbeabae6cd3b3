"""An experiment of one stage, made of a command's options: a policy and what it is rewarded by."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml

from rlaif.backends.connect import ModelSpec, parse_judge
from rlaif.budget import Budget
from rlaif.errors import InputError
from rlaif.experiment.alone_training import local_spec
from rlaif.experiment.config import Experiment, OptimizeSection
from rlaif.experiment.context import Context
from rlaif.experiment.progress import Watcher
from rlaif.feedback.label import LabelConfig
from rlaif.feedback.respond import RespondConfig
from rlaif.store import NAME
from rlaif.training.rewards import FUNCTIONS, OWN
from rlaif.yamlfile import validated

Run = TypeVar("Run", bound=Context)
_JUDGE = "judge"


class Rewarding(NamedTuple):
    """Who rewards, and what asking them may take, as a command names it."""

    constitution: str = "harmlessness"
    judge: str | None = None
    """The embedded judge where none is named, and one is asked."""
    referee: str | None = None
    templates: tuple[str, ...] = ()
    store: Path | None = None
    budget: Budget = Budget()


def parse_rewards(told: Sequence[str]) -> list[dict[str, Any]]:
    """Read a reward's parts as a command line names them.

    >>> parse_rewards(["judge", "judge=tone,weight=0.5", "variety", "mine:score"])
    [{'judge': 'run'}, {'judge': 'tone', 'weight': 0.5}, {'function': 'variety'}, \
{'function': 'mine:score'}]

    Raises:
        InputError: for a name that is no judge, no function and no folder.
    """
    return [_part(one) for one in told]


def _part(told: str) -> dict[str, Any]:
    first, *rest = told.split(",")
    part: dict[str, Any] = {}
    if "=" not in first:
        part[_kind(first)] = OWN if first == _JUDGE else first
    else:
        rest = [first, *rest]
    for one in rest:
        name, equals, value = one.partition("=")
        if not equals or not value:
            raise InputError(
                f"--reward {told}: expected NAME=VALUE, such as weight=0.5, at {one!r}"
            )
        part[name] = yaml.safe_load(value) if name not in ("model", "function") else value
    return part


def _kind(name: str) -> str:
    if name == _JUDGE:
        return "judge"
    if Path(name).is_dir():
        return "model"
    if name in FUNCTIONS or ":" in name:
        return "function"
    raise InputError(
        f"--reward {name}: no such reward model folder, nor a function; name a folder, `judge`, "
        f"{', '.join(FUNCTIONS)}, or module:name"
    )


def one_stage(
    kind: type[Run],
    where: tuple[Path, str, Path],
    config: OptimizeSection,
    who: Rewarding,
    seed: int,
    watcher: Watcher,
) -> Run:
    """Make a run with the one stage `optimize`; `where` are the prompts, the policy and the output.

    What it is asked to keep stands beside the output, in a folder that is called after it.

    Raises:
        InputError, MissingModelError: for the first thing that it would stumble over.
    """
    prompts, model, out = where
    if not prompts.is_file():
        raise InputError.at(prompts, None, "no such file of prompts")
    if any(part.model == OWN for part in config.parts):
        raise InputError("reward: there is no run here; name the model's folder: --reward FOLDER")
    sections: dict[str, Any] = {"optimize": config}
    if who.templates:
        named = who.templates if len(who.templates) > 1 else who.templates[0]
        sections |= {"respond": RespondConfig(), "label": LabelConfig(template=named)}
    policy = local_spec(model)
    judge = _judge(config, who) or policy
    experiment = validated(
        {
            "name": "alone",
            "seed": seed,
            "constitution": who.constitution,
            "models": {
                "policy": policy,
                "judge": judge,
                "referee": parse_judge(who.referee) if who.referee else None,
            },
            "prompts": {"path": str(prompts)},
            "budget": who.budget,
            **sections,
        },
        Experiment,
    )
    run = kind(experiment, Path("optimize"), out.parent, watcher)
    run.folder = out.with_name(f"{out.name}.asked")
    run.store_path = who.store or run.folder / NAME
    return run


def _judge(config: OptimizeSection, who: Rewarding) -> ModelSpec | None:
    """Give the judge that is named, or the one that comes along where one is asked."""
    is_asked = config.monitor is not None or any(part.judge for part in config.parts)
    return parse_judge(who.judge or "embedded") if who.judge or is_asked else None
