"""The folder in which a command works, and the one in which it only counts."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rlaif.cli.console import OUT, Shown, show

if TYPE_CHECKING:
    from rlaif.experiment.dry import DryFolder
    from rlaif.experiment.folder import Folder


@contextlib.contextmanager
def opened(out: Path, store: Path | None, budget: str | None) -> Iterator["Folder"]:
    """Open a stage's folder, and show how the work in it goes."""
    from rlaif.budget import parse_budget
    from rlaif.experiment.folder import Folder

    watcher = Shown()
    try:
        with Folder(out, watcher, store=store, budget=parse_budget(budget)) as folder:
            yield folder
    finally:
        watcher.close()


def counted(out: Path, store: Path | None, budget: str | None) -> "DryFolder":
    """Open a folder in which requests are counted and none is sent."""
    from rlaif.budget import parse_budget
    from rlaif.experiment.dry import DryFolder

    return DryFolder(out, Shown(), store=store, budget=parse_budget(budget))


def tell(dry: "DryFolder") -> None:
    """Print what was counted."""
    show(*dry.estimates.table())
    for note in dry.estimates.notes():
        OUT.print(note, markup=False)
