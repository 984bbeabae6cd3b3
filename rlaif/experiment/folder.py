"""The output folder of one stage by itself: whose it is, its store, and the models asked for it."""

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from rlaif.backends.base import Backend
from rlaif.backends.cached import Cached
from rlaif.backends.connect import ModelSpec, account_of, connect, parse_judge, parse_spec
from rlaif.budget import FILE as SPENT
from rlaif.budget import Budget, Meter
from rlaif.constitution.principle import Constitution
from rlaif.errors import InputError, StorageError
from rlaif.experiment.progress import Watcher
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
from rlaif.locks import Lock
from rlaif.storage import write_atomically
from rlaif.store import NAME, CompletionStore


class Folder:
    """An output folder that belongs to one contract, and in which one process works at a time."""

    def __init__(
        self,
        path: Path,
        watcher: Watcher,
        *,
        store: Path | None = None,
        budget: Budget = Budget(),
    ) -> None:
        """Name the folder; nothing is made yet.

        Args:
            path: the folder.
            watcher: who is told what happens.
            store: where completions are kept; in the folder itself where none is named. Several
                folders and processes may share one.
            budget: what may be spent in this folder.
        """
        self.path = path
        self.watcher = watcher
        self.store_path = store or path / NAME
        self._lock = Lock(path / ".lock")
        self._budget = budget

    def open(
        self, contract: str, *, anew: bool = False, forget: Callable[[], None] = lambda: None
    ) -> None:
        """Make sure that the folder holds, or will hold, what this contract makes.

        Args:
            contract: stands for all that could change what is made.
            anew: whether what another contract made is dropped.
            forget: drops what else is to go when `anew` is set.

        Raises:
            InputError: when it holds what another contract made, and `anew` is not set.
            StorageError: when another process is at work in it.
        """
        if not self._lock.take():
            raise StorageError(
                f"{self.path}: another process is at work in this folder; wait until it ends, or "
                f"share its work: another -o, with --store {self.store_path}"
            )
        marker = self.path / "begun.json"
        before = json.loads(marker.read_text(encoding="utf-8")) if marker.is_file() else {}
        if before.get("contract") not in (None, contract):
            if not anew:
                raise InputError(
                    f"{self.path}: made by another constitution, judge, template or setting; "
                    "choose another -o, or add --anew (what has not changed is not asked again)"
                )
            for path in self.path.glob("*.jsonl"):
                path.unlink()
        if anew:
            # Before the marker: a kill between must not leave the old under the new contract.
            forget()
        write_atomically(marker, json.dumps({"contract": contract}))

    @cached_property
    def store(self) -> CompletionStore:
        """Completions already paid for."""
        return CompletionStore(self.store_path)

    @cached_property
    def meter(self) -> Meter:
        """What is spent in this folder."""
        return Meter(self._budget, self.path / SPENT)

    def connect(self, spec: ModelSpec) -> Backend:
        """Connect to a model, through the store.

        Raises:
            InputError: when dollars are budgeted and its price is not known.
        """
        account = account_of(spec, self.meter)
        self.watcher.follow(self.meter)
        backend = connect(spec, say=self.watcher.say)
        return Cached(backend, self.store, kind=spec.kind, account=account)

    def backend(self, name: str) -> Backend:
        """Connect to a model by its short name, through the store."""
        return self.connect(parse_spec(name))

    def close(self) -> None:
        """Let others work here, and close the store."""
        if "meter" in self.__dict__:
            self.meter.close()
        if "store" in self.__dict__:
            self.store.close()
        self._lock.let_go()

    def __enter__(self) -> Self:
        """Use the folder in a `with` block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Let others work here."""
        self.close()


class Judges:
    """Models that judge together, connected to once, when they are first asked for."""

    def __init__(self, folder: Folder, specs: Sequence[ModelSpec]) -> None:
        """Name them."""
        self.specs = list(specs)
        self._folder = folder

    @cached_property
    def _members(self) -> list[Member]:
        return [Member(self._folder.connect(spec), calibration_of(spec)) for spec in self.specs]

    def judge(self, config: Judging, constitution: Constitution) -> Judge:
        """Make the judge that a config describes."""
        check_judging(config, constitution)
        return judge_of(self._members, config, constitution)

    def conditions(self, config: Judging, constitution: Constitution) -> Conditions | None:
        """Make who answers the constitution's `when`: the first judge's model."""
        return conditions_of(constitution, self._members[0].backend, config)


class NamedJudges(Judges):
    """Judges by their short names."""

    def __init__(
        self, folder: Folder, names: Sequence[str], calibration: Path | None = None
    ) -> None:
        """Name them.

        Raises:
            InputError: for a name that leads nowhere, or one calibration and several judges.
        """
        if calibration is not None and len(names) > 1:
            raise InputError("a calibration is one judge's own; name one --judge with it")
        named = {"calibration": str(calibration)} if calibration else {}
        specs = [parse_judge(name).model_copy(update=named) for name in names]
        super().__init__(folder, specs)
