"""What a store of completions holds: figures, what may go, and what can be replayed elsewhere."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from rlaif.errors import InputError
from rlaif.records import Usage
from rlaif.storage import write_lines
from rlaif.store import NAME, CompletionStore


class ModelKept(NamedTuple):
    """What is kept of one model."""

    model: str
    completions: int
    usage: Usage
    """Tokens that these took, and will not take again."""
    first: str
    last: str
    """Days of the oldest and the newest; empty where an earlier version did not note them."""


def open_store(path: Path) -> CompletionStore:
    """Open the store at a path, or in a folder.

    Raises:
        InputError: where there is none.
    """
    file = path / NAME if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"{file}: no store of completions here; name one, or a folder that has it")
    return CompletionStore(file)


def kept_by_model(store: CompletionStore) -> list[ModelKept]:
    """Count what is kept of each model, the most first."""
    counts: Counter[str] = Counter()
    usage: dict[str, Usage] = {}
    days: dict[str, list[str]] = {}
    for _, said, made in store.rows():
        counts[said.model] += 1
        usage[said.model] = usage.get(said.model, Usage()) + said.usage
        day = datetime.fromtimestamp(made, UTC).date().isoformat() if made else ""
        days.setdefault(said.model, [day, day])[1] = day
    return [
        ModelKept(model, count, usage[model], *days[model]) for model, count in counts.most_common()
    ]


def export(store: CompletionStore, out: Path, model: str | None = None) -> int:
    """Write what is kept as JSONL, one request and its answer a line; return the number of rows.

    The rows of a judge that was asked each question once can be replayed as `recorded:FILE`.
    """
    rows = []
    for asked, said, _ in store.rows():
        if not asked or (model is not None and said.model != model):
            continue
        request = json.loads(asked)
        answer = said.model_dump(mode="json", exclude_none=True)
        rows.append(json.dumps({**request, **answer}, ensure_ascii=False))
    write_lines(out, rows)
    return len(rows)
