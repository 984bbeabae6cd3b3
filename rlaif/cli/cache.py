"""The store of completions: what is kept, what may go, and what can be taken elsewhere."""

import time
from pathlib import Path
from typing import Annotated

import typer

from rlaif.cli.console import OUT, show
from rlaif.errors import InputError

app = typer.Typer(help="Look after the completions already paid for.", no_args_is_help=True)
Store = Annotated[Path, typer.Argument(help="A store, or a folder of runs or labels that has one.")]
ModelOf = Annotated[str | None, typer.Option("--model", help="Only this model's, by its name.")]
_DAY = 86_400


@app.callback()
def _group() -> None:
    """Look after the completions already paid for."""


@app.command()
def stats(store: Store = Path("runs")) -> None:
    """Count what is kept of each model: answers, tokens, days."""
    from rlaif.experiment.kept import kept_by_model, open_store

    opened = open_store(store)
    head = ["model", "completions", "tokens read", "written", "first", "last"]
    rows = []
    for one in kept_by_model(opened):
        tokens = [f"{one.usage.read:,}", f"{one.usage.written:,}"]
        rows.append([one.model, f"{one.completions:,}", *tokens, one.first, one.last])
    show(head, rows)
    size = opened.path.stat().st_size / 1e6
    OUT.print(f"{len(opened):,} completions, {size:.1f} MB in {opened.path}", markup=False)
    opened.close()


@app.command()
def prune(
    store: Store = Path("runs"),
    older: Annotated[
        float | None, typer.Option(min=0, help="Drop what was made so many days ago or before.")
    ] = None,
    model: ModelOf = None,
) -> None:
    """Drop completions, which are then asked and paid for again where they are needed."""
    from rlaif.experiment.kept import open_store

    if older is None and model is None:
        raise InputError("name what is to go: --older DAYS, --model NAME, or both")
    opened = open_store(store)
    before = None if older is None else time.time() - older * _DAY
    dropped = opened.prune(before=before, model=model)
    OUT.print(f"{dropped:,} dropped, {len(opened):,} kept in {opened.path}", markup=False)
    opened.close()


@app.command()
def export(
    out: Annotated[Path, typer.Option("-o", "--out", help="The JSONL file to write.")],
    store: Store = Path("runs"),
    model: ModelOf = None,
) -> None:
    """Write requests and answers as JSONL; a judge's can be replayed as recorded:FILE."""
    from rlaif.experiment.kept import export as exported
    from rlaif.experiment.kept import open_store

    opened = open_store(store)
    OUT.print(f"{exported(opened, out, model):,} rows kept in {out}", markup=False)
    opened.close()
