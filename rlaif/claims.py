"""Single flight: of all threads and processes that want an answer, one asks and the others wait.

A claim names its owner, and the owner holds a lock file while it lives. So the claims of a process
that was killed are nobody's at once, whatever happened to clocks and process numbers meanwhile.
"""

import contextlib
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path

from rlaif.locks import Lock

_TABLE = (
    "CREATE TABLE IF NOT EXISTS claims"
    " (key TEXT PRIMARY KEY, owner TEXT NOT NULL, thread INTEGER NOT NULL) WITHOUT ROWID"
)
# One statement, so that nobody's answer can land between the look and the claim.
_TAKE = (
    "INSERT OR IGNORE INTO claims SELECT ?1, ?2, ?3"
    " WHERE NOT EXISTS (SELECT 1 FROM completions WHERE key = ?1)"
)


class Claims:
    """Who is asking what, in the store's own file; callers hold the store's lock."""

    def __init__(self, db: sqlite3.Connection, store: Path) -> None:
        """Read and write claims through a store's connection."""
        self._db = db
        self.folder = store.with_name(f"{store.name}.owners")
        """Where owners show that they live."""
        self.owner = uuid.uuid4().hex
        self._lock: Lock | None = None
        db.execute(_TABLE)

    def take(self, key: str) -> bool:
        """Claim a question; false where another asks it, or where its answer is there already.

        A thread that asks the same in two streams asks twice: it cannot wait for itself.
        """
        self.live()
        thread = threading.get_ident()
        if self._db.execute(_TAKE, (key, self.owner, thread)).rowcount:
            return True
        row = self._db.execute("SELECT owner, thread FROM claims WHERE key = ?", (key,)).fetchone()
        return bool(row == (self.owner, thread))

    def release(self, keys: Iterable[str]) -> None:
        """Give up claims, in the transaction that is open or each in its own."""
        self._db.executemany(
            "DELETE FROM claims WHERE key = ? AND owner = ?", [(key, self.owner) for key in keys]
        )

    def sweep(self, save: Callable[[str], None]) -> int:
        """Drop the claims of owners that are no more; return how many owners.

        What such an owner has left beside its claims is saved first.
        """
        owners = {row[0] for row in self._db.execute("SELECT DISTINCT owner FROM claims")}
        left = {path.name.partition(".")[0] for path in self.folder.glob("*.*")}
        return sum(self._bury(owner, save) for owner in (owners | left) - {self.owner})

    def _bury(self, owner: str, save: Callable[[str], None]) -> bool:
        lock = Lock(self._file_of(owner))
        if not lock.take():
            return False  # it lives
        try:
            save(owner)
            self._db.execute("DELETE FROM claims WHERE owner = ?", (owner,))
            lock.path.unlink(missing_ok=True)
        finally:
            lock.let_go()
        self._leave_folder()
        return True

    def close(self) -> None:
        """Give up everything."""
        if self._lock is None:
            return
        # Where the disk is full the claims stay, and are nobody's as soon as the lock is let go.
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("DELETE FROM claims WHERE owner = ?", (self.owner,))
        self._lock.let_go()
        self._lock.path.unlink(missing_ok=True)
        self._lock = None
        self._leave_folder()

    def _leave_folder(self) -> None:
        with contextlib.suppress(OSError):  # others live in it
            self.folder.rmdir()

    def live(self) -> None:
        """Show that this owner lives, before its first claim."""
        if self._lock is None:
            lock = Lock(self._file_of(self.owner))
            # Who sweeps holds a new file for a moment, and takes its owner for dead.
            while not lock.take():
                self.owner = uuid.uuid4().hex
                lock = Lock(self._file_of(self.owner))
            self._lock = lock

    def _file_of(self, owner: str) -> Path:
        return self.folder / f"{owner}.lock"
