"""A finished run as a folder, made from scripted policies and a scripted referee."""

import json
from pathlib import Path

import yaml

from rlaif.backends.scripted import ScriptedBackend
from rlaif.constitution.principle import Constitution, Principle
from rlaif.evaluation.config import EvaluateConfig, Measure
from rlaif.evaluation.evaluate import evaluate
from rlaif.evaluation.results import Evaluation
from rlaif.evaluation.suites import load_suite
from rlaif.judges.base import Case
from rlaif.records import (
    Abstention,
    Critique,
    Manifest,
    Preference,
    Prompt,
    Request,
    Response,
    Revision,
    Usage,
    Verdict,
)
from rlaif.storage import write_records
from tests.evaluation.fakes import Referee

HOSTILE = "<script>alert(1)</script> & \"quoted\" 'reply' </pre></details>"
NO = "I'm sorry, but I can't help with that. I'd be glad to help you talk to her instead."
YES = "Sure! First you find the number in the list, then you type the command and press enter."

CONSTITUTION = Constitution(
    name="calm",
    summary="Decline to harm, and stay useful.",
    principles=(
        Principle(id="no-harm", text="The response declines to harm.", scope=("harmful",)),
        Principle(id="useful", text="The response helps <b>well</b>.", weight=2.0),
    ),
)


def tuned(request: Request) -> str:
    """Decline most harmful requests and answer one with markup."""
    text = request.messages[-1].content
    harmful = {prompt.text for prompt in load_suite("harmful")}
    if text not in harmful:
        return HOSTILE if len(text) % 3 == 0 else YES
    return NO if len(text) % 4 else YES


def base(request: Request) -> str:
    """Help with everything, and break now and then."""
    return "1. 1. 1. 1. 1. 1. 1. 1." if len(request.messages[-1].content) % 11 == 0 else YES


def prefers(case: Case) -> Verdict:
    """Prefer replies that decline, and say why in markup."""
    first = case.comparison.first.text == NO
    return Verdict(
        p_first=0.85 if first else 0.3,
        judge="referee",
        principle=case.principle.id,
        reason=HOSTILE,
    )


def evaluation(*, is_independent: bool = True) -> Evaluation:
    """Evaluate three policies on a dozen prompts of each suite."""
    return evaluate(
        {
            "base": ScriptedBackend(base),
            "after sft": ScriptedBackend(base),
            "after dpo": ScriptedBackend(tuned),
        },
        {name: load_suite(name)[:12] for name in ("harmful", "benign", "helpful")},
        Referee(prefers),
        CONSTITUTION,
        EvaluateConfig(measures={"brief": Measure(trait="brief", principle="useful")}),
        is_independent=is_independent,
    )


def preference(number: int, p: float) -> Preference:
    """Make a label with a verdict of each principle, the second of them contradicted."""
    prompt = Prompt.of(f"Prompt {number}?", id=f"p{number}")
    replies = [
        Response(id=f"p{number}#{n}", prompt_id=prompt.id, text=text, author="policy")
        for n, text in enumerate((NO, HOSTILE))
    ]
    evidence = {"p_forward": 0.8, "p_backward": 0.6, "flipped": float(number == 0)}
    return Preference(
        id=f"pair{number}",
        prompt=prompt,
        chosen=replies[0],
        rejected=replies[1],
        p_chosen=p,
        source="judge",
        by="judge",
        verdicts=(
            Verdict(p_first=0.9, judge="judge", principle="no-harm", evidence=evidence),
            Verdict(p_first=0.4, judge="judge", principle="useful"),
        ),
    )


def manifest(stage: str, **rest: object) -> str:
    """Make a finished stage's manifest."""
    made = Manifest.model_validate(
        {
            "stage": stage,
            "key": "k",
            "config": {},
            "inputs": {},
            "version": "0",
            "seconds": 61.0,
            "tokens": Usage(read=1000, written=200),
            "usd": 0.0,
            **rest,
        }
    )
    return made.model_dump_json()


def write_run(folder: Path) -> Path:
    """Write the whole run."""
    stages = ("respond", "revise", "sft", "label", "reward", "optimize", "evaluate")
    experiment = {"name": "calm-run", "summary": HOSTILE, **{stage: {} for stage in stages}}
    write_text(folder / "experiment.yaml", yaml.safe_dump(experiment))
    rules = CONSTITUTION.model_dump(mode="json", exclude_defaults=True)
    rules["principles"] = {row.pop("id"): row for row in rules["principles"]}
    write_text(folder / "constitution.yaml", yaml.safe_dump(rules, sort_keys=False))
    for stage in stages:
        rest = {"metrics": {"accuracy": 0.78}} if stage == "reward" else {}
        write_text(folder / stage / "manifest.json", manifest(stage, **rest))
    labels = [preference(0, 0.52), preference(1, 0.71), preference(2, 1.0)]
    write_records(folder / "label" / "preferences.jsonl", labels)
    silent = Abstention(
        kind="no-mass", subject="pair9", by="judge", detail=HOSTILE, principle="useful"
    )
    write_records(folder / "label" / "abstentions.jsonl", [silent])
    critique = Critique(principle="no-harm", text="It explains how.", author="critic")
    revision = Revision(
        id="r0",
        prompt=labels[0].prompt,
        before=labels[0].rejected,
        critiques=(critique,),
        after=labels[0].chosen,
    )
    write_records(folder / "revise" / "revisions.jsonl", [revision])
    for stage in ("sft", "reward", "optimize"):
        steps = [{"step": n, "total": 9, "loss": 2.4 - n / 9, "kl": n / 10} for n in range(9)]
        lines = "".join(json.dumps(step) + "\n" for step in steps)
        write_text(folder / stage / "curve.jsonl", lines)
    write_text(folder / "evaluate" / "evaluation.json", evaluation().model_dump_json())
    return folder


def write_text(path: Path, text: str) -> None:
    """Write a file and the folders it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
