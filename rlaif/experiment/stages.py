"""The stages of a run in order: what each is made from, and how much it asks.

How a stage is done stands in `rlaif.experiment.work`, which is loaded when it runs: a dry run, a
status and every error in a config come back without waiting for torch.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from rlaif.evaluation.suites import load_suite
from rlaif.experiment.context import Context
from rlaif.experiment.manifest import key_of
from rlaif.experiment.requests import (
    evaluate_requests,
    label_requests,
    optimize_requests,
    respond_requests,
    revise_requests,
)
from rlaif.records import Prompt, Record, fingerprint_of
from rlaif.training.rewards import OWN


@dataclass
class Done:
    """What came of a stage."""

    note: str
    """One line for the terminal."""
    counts: dict[str, int] = field(default_factory=dict)
    """Outcomes by kind; they add up to the stage's input."""
    metrics: dict[str, float] = field(default_factory=dict)
    despite: tuple[str, ...] = ()
    """What the judge of its labels fell short of."""
    trust: dict[str, str] = field(default_factory=dict)
    """How the judge of its labels stands with each principle."""


@dataclass(frozen=True)
class Stage:
    """One stage: the earlier stages and the other things that it is made from."""

    name: str
    after: Callable[[Context], list[str]]
    """Earlier stages that it reads, as the experiment has them."""
    inputs: Callable[[Context], dict[str, str]]
    """Everything else that it is made from, by name, with fingerprints."""
    requests: Callable[[Context], int] = lambda _: 0
    """How many requests it sends at most."""

    def section(self, run: Context) -> Record | None:
        """Give the stage's section; None where the experiment skips the stage."""
        section: Record | None = getattr(run.experiment, self.name)
        return section

    def config(self, run: Context) -> dict[str, Any]:
        """Give the section as data."""
        section = self.section(run)
        return section.model_dump(mode="json") if section else {}

    def run(self, run: Context, folder: Path) -> Done:
        """Do the stage's work in its folder."""
        work = importlib.import_module(f"rlaif.experiment.work.{self.name}")
        done: Done = work.work(run, folder)
        return done


def all_inputs(run: Context, stage: Stage) -> dict[str, str]:
    """Name everything a stage is made from; an earlier stage stands by its own key."""
    earlier = {name: stage_key(run, STAGES[name]) for name in stage.after(run)}
    return {**earlier, **stage.inputs(run)}


def stage_key(run: Context, stage: Stage) -> str:
    """Stand for everything that a stage's folder should be made from."""
    inputs = all_inputs(run, stage)
    return key_of(stage.name, stage.config(run), inputs, run.experiment.seed)


def suites_of(run: Context) -> dict[str, list[Prompt]]:
    """Read the suites that the experiment names; `holdout` is its own prompts kept aside."""
    config = run.experiment.evaluate
    names = config.suites if config else ()
    return {
        Path(name).stem: run.held_out if name == "holdout" else load_suite(name) for name in names
    }


def _present(run: Context, *names: str) -> list[str]:
    return [name for name in names if getattr(run.experiment, name) is not None]


def _prompts(run: Context) -> str:
    return fingerprint_of([prompt.fingerprint for prompt in run.train])


def _suites(run: Context) -> str:
    suites = suites_of(run)
    return fingerprint_of({name: [p.fingerprint for p in suites[name]] for name in suites})


def _label_after(run: Context) -> list[str]:
    draws_anew = run.experiment.label is not None and run.experiment.label.samples
    return _present(run, "sft") if draws_anew else ["respond"]


def _optimize_after(run: Context) -> list[str]:
    config = run.experiment.optimize
    if config is None:
        return []
    if not config.by_reward:
        return _present(run, "sft", "label")
    is_own = any(part.model == OWN for part in config.parts)
    return [*_present(run, "sft"), *(["reward"] if is_own else [])]


def _optimize_inputs(run: Context) -> dict[str, str]:
    config = run.experiment.optimize
    inputs = {"policy": run.identity("policy")}
    if run.also_learned:
        inputs["also"] = _files(run.also_learned)
    if config is None or not config.by_reward:
        return inputs
    inputs["prompts"] = _prompts(run)
    if config.monitor:
        inputs["referee"] = run.identity("referee")
    for part in config.parts:
        if part.judge:
            own = "constitution" if part.judge == OWN else f"constitution {part.title}"
            inputs |= {own: run.rules_of(part.judge).fingerprint, "judge": run.identity("judge")}
            inputs |= _judging(run)
        elif part.model and part.model != OWN:
            files = sorted(run.beside(Path(part.model)).glob("*.*"))
            stood = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
            inputs[part.title] = fingerprint_of([part.model, stood])
    return inputs


def _judging(run: Context) -> dict[str, str]:
    return {"templates": run.template_fingerprint("label"), "judging": run.judging_fingerprint()}


def _sft_inputs(run: Context) -> dict[str, str]:
    return {"policy": run.identity("policy"), **_demonstrations(run)}


def _demonstrations(run: Context) -> dict[str, str]:
    if run.demonstrations is None:
        return {}
    return {"demonstrations": fingerprint_of(run.demonstrations.read_text(encoding="utf-8"))}


def _files(paths: Sequence[Path]) -> str:
    return fingerprint_of([sha256(path.read_bytes()).hexdigest() for path in paths])


def _reward_inputs(run: Context) -> dict[str, str]:
    inputs = {"policy": run.identity("policy")}
    if run.also:
        inputs["also"] = _files(run.also)
    config = run.experiment.reward
    is_moved = config is not None and config.zero == "demonstrations"
    return {**inputs, **(_demonstrations(run) if is_moved else {})}


def _evaluate_requests(run: Context) -> int:
    config = run.experiment.evaluate
    limit = config.limit if config else None
    return evaluate_requests(run, sum(len(suite[:limit]) for suite in suites_of(run).values()))


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in [
        Stage(
            "respond",
            after=lambda _: [],
            inputs=lambda run: {"prompts": _prompts(run), "policy": run.identity("policy")},
            requests=respond_requests,
        ),
        Stage(
            "revise",
            after=lambda run: _present(run, "respond"),
            inputs=lambda run: {
                "constitution": run.constitution.fingerprint,
                "critic": run.identity("critic"),
                "judge": run.identity("judge"),
                "templates": run.template_fingerprint("revise"),
                "judging": run.judging_fingerprint(),
            },
            requests=revise_requests,
        ),
        Stage("sft", after=lambda run: _present(run, "respond", "revise"), inputs=_sft_inputs),
        Stage(
            "label",
            after=_label_after,
            inputs=lambda run: {
                "prompts": _prompts(run),
                "constitution": run.constitution.fingerprint,
                "judge": run.identity("judge"),
                "policy": run.identity("policy"),
                "templates": run.template_fingerprint("label"),
            },
            requests=label_requests,
        ),
        Stage(
            "reward",
            after=lambda run: _present(run, "label"),
            inputs=_reward_inputs,
        ),
        Stage(
            "optimize",
            after=_optimize_after,
            inputs=_optimize_inputs,
            requests=optimize_requests,
        ),
        Stage(
            "evaluate",
            after=lambda run: _present(run, "sft", "optimize"),
            inputs=lambda run: {
                "suites": _suites(run),
                "constitution": run.constitution.fingerprint,
                "policy": run.identity("policy"),
                "referee": run.identity("referee"),
                **_judging(run),
            },
            requests=_evaluate_requests,
        ),
    ]
}
