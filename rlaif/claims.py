"""Single flight: of all threads and processes that want an answer, one asks and the others wait.

A claim names its owner, and the owner holds a lock file while it lives. So the claims of a process
that was killed are nobody's at once, whatever happened to clocks and process numbers meanwhile.
"""

import contextlib
import sqlite3
import threading
import uuid
from collections.abc import Iterable
from pathlib import Path

from rlaif.locks import Lock, is_held

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
        self._folder = store.with_name(f"{store.name}.owners")
        self._owner = uuid.uuid4().hex
        self._lock: Lock | None = None
        db.execute(_TABLE)

    def take(self, key: str) -> bool:
        """Claim a question; false where another asks it, or where its answer is there already.

        A thread that asks the same in two streams asks twice: it cannot wait for itself.
        """
        self._live()
        thread = threading.get_ident()
        if self._db.execute(_TAKE, (key, self._owner, thread)).rowcount:
            return True
        row = self._db.execute("SELECT owner, thread FROM claims WHERE key = ?", (key,)).fetchone()
        return bool(row == (self._owner, thread))

    def release(self, keys: Iterable[str]) -> None:
        """Give up claims, in the transaction that is open or each in its own."""
        self._db.executemany(
            "DELETE FROM claims WHERE key = ? AND owner = ?", [(key, self._owner) for key in keys]
        )

    def sweep(self) -> int:
        """Drop the claims of owners that are no more; return how many owners."""
        owners = {row[0] for row in self._db.execute("SELECT DISTINCT owner FROM claims")}
        left = {path.stem for path in self._folder.glob("*.lock")}
        gone = [
            owner for owner in (owners | left) - {self._owner} if not is_held(self._file_of(owner))
        ]
        for owner in gone:
            self._db.execute("DELETE FROM claims WHERE owner = ?", (owner,))
            self._file_of(owner).unlink(missing_ok=True)
        return len(gone)

    def close(self) -> None:
        """Give up everything."""
        if self._lock is None:
            return
        # Where the disk is full the claims stay, and are nobody's as soon as the lock is let go.
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("DELETE FROM claims WHERE owner = ?", (self._owner,))
        self._lock.let_go()
        self._lock.path.unlink(missing_ok=True)
        self._lock = None
        with contextlib.suppress(OSError):  # others live in it
            self._folder.rmdir()

    def _live(self) -> None:
        """Show that this owner lives, before its first claim."""
        if self._lock is None:
            lock = Lock(self._file_of(self._owner))
            assert lock.take(), "another process has drawn the same name"
            self._lock = lock

    def _file_of(self, owner: str) -> Path:
        return self._folder / f"{owner}.lock"
