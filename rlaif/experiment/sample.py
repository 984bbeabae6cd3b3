"""Samples from a trained policy and from its base, on a file of prompts."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rlaif.backends.base import Backend
from rlaif.backends.connect import LocalModel, ModelSpec, check, parse_spec
from rlaif.errors import InputError
from rlaif.evaluation.samples import Said, Sample, side_by_side
from rlaif.evaluation.suites import load_suite
from rlaif.experiment.config import load_experiment
from rlaif.experiment.folder import Folder
from rlaif.experiment.progress import Watcher, tally
from rlaif.feedback.respond import RespondConfig, respond
from rlaif.records import Abstention, Prompt, fingerprint_of
from rlaif.storage import write_records

SAMPLES = "samples.jsonl"
_TRAINED = ("optimize", "sft")  # of a run the last one that is there


class Policies(NamedTuple):
    """A trained policy and what it was trained from."""

    tuned: ModelSpec
    base: ModelSpec
    folder: Path
    """Where samples are written, unless told otherwise."""


def find_policies(model: str, base: str | None) -> Policies:
    """Find a policy and its base: a run knows its own; elsewhere it is `base`, or the embedded one.

    Raises:
        InputError: for a run that has trained no policy.
        MissingModelError: for a model that is not there.
    """
    path = Path(model)
    run = next((folder for folder in (path, path.parent.parent) if _is_run(folder)), None)
    if run is None:
        found = Policies(parse_spec(model), parse_spec(base or "embedded"), _beside(path))
    else:
        own = load_experiment(run / "experiment.yaml").models.policy
        tuned = _trained_in(run) if path == run else path
        spec: ModelSpec = LocalModel(kind="local", model=str(tuned))
        if isinstance(own, LocalModel):
            # The run's own settings, such as the batch and the arithmetic.
            spec = own.model_copy(update={"model": str(tuned), "adapter": None})
        found = Policies(spec, parse_spec(base) if base else own, run / "samples")
    check(found.tuned)
    check(found.base)
    return found


def _is_run(folder: Path) -> bool:
    return (folder / "experiment.yaml").is_file()


def _beside(path: Path) -> Path:
    name = f"{path.name}.samples"
    return path.with_name(name) if path.is_dir() else Path(name)


def _trained_in(run: Path) -> Path:
    for stage in _TRAINED:
        if (run / stage / "model").is_dir():
            return run / stage / "model"
    raise InputError(f"{run}: the run has trained no policy yet; `rlaif run` it up to optimize")


def sample_alone(
    policies: Policies,
    prompts: str,
    config: RespondConfig,
    folder: Folder,
    seed: int,
    *,
    anew: bool = False,
) -> tuple[list[Sample], tuple[str, str]]:
    """Draw from both and write them side by side; give the samples and the two models' names.

    Both draw with the same seeds. What is drawn stays in the folder's store, so that a stopped
    command goes on where it was.

    Raises:
        InputError: for a file that holds no prompts, or a folder that another setting has filled.
    """
    asked = load_suite(prompts)
    base, tuned = folder.connect(policies.base), folder.connect(policies.tuned)
    folder.open(
        fingerprint_of([base.name, tuned.name, config.fingerprint, seed, [p.id for p in asked]]),
        anew=anew,
    )
    watcher = folder.watcher
    drawn = [
        _drawn(asked, policy, config, seed, (side, watcher))
        for side, policy in (("base", base), ("tuned", tuned))
    ]
    samples = side_by_side(asked, *drawn)
    write_records(folder.path / SAMPLES, samples)
    return samples, (base.name, tuned.name)


def _drawn(
    prompts: Sequence[Prompt],
    policy: Backend,
    config: RespondConfig,
    seed: int,
    told: tuple[str, Watcher],
) -> list[Said]:
    side, watcher = told
    watcher.begin(side, len(prompts) * config.samples)
    drawn: list[Said] = []
    for said in respond(prompts, policy, config, seed=seed):
        drawn.append(said)
        watcher.advance(len(drawn))
    kinds = [said.kind if isinstance(said, Abstention) else "replies" for said in drawn]
    watcher.end(tally("replies", Counter(kinds)))
    return drawn
