"""A reward model's card: what a stranger must know before the model scores for them."""

from pathlib import Path
from typing import NamedTuple

import yaml

from rlaif.constitution.principle import Constitution
from rlaif.embedded.find import HUB_NAME, NAME
from rlaif.storage import write_atomically
from rlaif.training.config import RewardConfig
from rlaif.training.reward.layout import FILE, Layout
from rlaif.training.reward.rows import Origin

_HOW = f"""```python
from pathlib import Path
from rlaif.records import Prompt
from rlaif.training.reward import RewardModel

reward = RewardModel(Path("this folder"))
reward([Prompt.of("How do I boil an egg?")], ["Eight minutes."])
```

`transformers` (`AutoModelForSequenceClassification`), TRL and vLLM load the folder too: lay a
conversation out with the tokenizer's chat template, the answer as the assistant's turn. `{FILE}`
says the rest of what scoring needs."""


class Facts(NamedTuple):
    """What a card tells."""

    base: Path
    config: RewardConfig
    layout: Layout
    origin: Origin
    constitution: Constitution | None
    splits: dict[str, int]
    """Pairs and conversations of each side, by name."""
    left_out: dict[str, int]
    metrics: dict[str, float]


def write_card(folder: Path, facts: Facts) -> None:
    """Write `README.md` with the front matter that the Hugging Face hub reads."""
    head = {
        "library_name": "transformers",
        "pipeline_tag": "text-classification",
        "base_model": base_name(facts.base),
        "license": licence_of(facts.base),
        "tags": ["reward-model", "trl", "rlaif"],
    }
    parts = [
        f"---\n{yaml.safe_dump(head, sort_keys=False)}---",
        f"# Reward model of {head['base_model']}",
        "A higher score is a better answer, by the labels it was trained on; scores of different "
        "prompts are not on one scale.",
        "## Labels\n\n" + _table(("labelled by", "labels"), facts.origin.sources),
        *(f"The judge fell short of: {what}." for what in facts.origin.despite),
        _judged_by(facts),
        "## Splits\n\nNo conversation is on both sides.\n\n"
        + _table(("side", "count"), facts.splits | _left_out(facts.left_out)),
        "## Figures\n\n" + _figures(facts.metrics),
        "## Scoring\n\n" + _HOW,
        f"## Settings\n\n```json\n{facts.config.model_dump_json(indent=1)}\n```",
    ]
    write_atomically(folder / "README.md", "\n\n".join(part for part in parts if part) + "\n")


def base_name(model: Path) -> str:
    """Name a base as the hub does, or by its folder's own name, never by where it lies."""
    if model.name.startswith(NAME):
        return HUB_NAME
    return model.name if model.is_dir() else str(model)


def licence_of(model: Path) -> str:
    """Give the licence that a base's own card states; `unknown` where none does."""
    if model.name.startswith(NAME):
        return "apache-2.0"
    card = model / "README.md"
    if not card.is_file():
        return "unknown"
    head = card.read_text(encoding="utf-8", errors="replace").split("---\n")
    try:
        stated = yaml.safe_load(head[1]) if len(head) > 2 and not head[0] else None
    except yaml.YAMLError:
        stated = None
    return str(stated.get("license", "unknown")) if isinstance(stated, dict) else "unknown"


def _judged_by(facts: Facts) -> str:
    lines = [f"- labels say: constitution `{each}`" for each in facts.origin.constitutions]
    lines += [f"- labels say: judge's contract `{each}`" for each in facts.origin.contracts]
    rules = facts.constitution
    if rules is not None:
        lines.append(f"- {rules.name}, fingerprint `{rules.fingerprint}`:")
        lines += [f"  - **{each.id}**: {' '.join(each.text.split())}" for each in rules.principles]
    return "## Constitution\n\n" + "\n".join(lines) if lines else ""


def _left_out(counts: dict[str, int]) -> dict[str, int]:
    return {f"left out: {reason}": count for reason, count in counts.items() if count}


def _figures(metrics: dict[str, float]) -> str:
    rows = {
        name: f"{value:.3f}" + _interval(metrics, name)
        for name, value in metrics.items()
        if not name.startswith(("accuracy_low", "accuracy_high"))
    }
    return _table(("figure", "value (95 % interval)"), rows)


def _interval(metrics: dict[str, float], name: str) -> str:
    what, slash, of = name.partition("/")
    low = metrics.get(f"{what}_low{slash}{of}")
    high = metrics.get(f"{what}_high{slash}{of}")
    return "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"


def _table(head: tuple[str, str], rows: dict[str, int] | dict[str, str]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join(lines)
