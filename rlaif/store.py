"""The store of completions: what was asked and answered once is not asked, or paid for, again.

One SQLite file that several processes share. An answer is a line in a file of this process at once,
and goes from there into the store with others, in one transaction; what a process that was killed
had not written yet, the next one finds in its file.
"""

import atexit
import contextlib
import hashlib
import json
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rlaif.claims import Claims
from rlaif.errors import StorageError
from rlaif.records import Completion, Request, canonical_json
from rlaif.spool import Line, Spool, left_by, remove
from rlaif.storage import storing

NAME = "completions.sqlite"
"""What a store is called in a folder of runs or labels."""
_GATHER = 0.05  # seconds
_MOST_ROWS = 1024  # that wait to be written; whoever asks for more helps to write them
_IDLE = 1.0  # seconds after which the writer's thread ends; the next answer starts another
_BUSY = 60.0  # seconds to wait while other processes write
_TABLE = (
    "CREATE TABLE IF NOT EXISTS completions (key TEXT PRIMARY KEY, body TEXT NOT NULL,"
    " asked TEXT NOT NULL DEFAULT '', made INTEGER NOT NULL DEFAULT 0)"
)
_open: "weakref.WeakSet[CompletionStore]" = weakref.WeakSet()


class Question(NamedTuple):
    """What a model is asked, and the key that stands for it."""

    key: str
    asked: str
    """The request without its id, as JSON."""


_quoted = json.JSONEncoder(ensure_ascii=False).encode


def _wanted_json(request: Request) -> str:
    """Write `request.wanted` as `canonical_json` does, in a fraction of the time."""
    turns = ",".join(
        f'{{"content":{_quoted(turn.content)},"role":"{turn.role}"}}' for turn in request.messages
    )
    sampling = canonical_json(request.sampling.model_dump(mode="json"))
    return (
        f'{{"messages":[{turns}],"opening":{_quoted(request.opening)},'
        f'"options":{canonical_json(request.options)},"sampling":{sampling}}}'
    )


class _Row(NamedTuple):
    line: Line
    completion: Completion


class CompletionStore:
    """Completions by what was asked; threads and processes share them.

    The key holds everything that could change the answer (messages, sampling, opening, options,
    the model's kind and name) and nothing else, so editing one principle asks again only what it
    touched.
    """

    def __init__(self, path: Path) -> None:
        """Open, or make, the store.

        Raises:
            StorageError: for a file that is no store, or that cannot be written.
        """
        self.path = path
        self._lock = threading.RLock()  # the connection's
        self._queue = threading.Lock()  # the unwritten rows'
        self._arrived = threading.Event()
        self._unwritten: dict[str, _Row] = {}
        self._writer: threading.Thread | None = None
        self._failed: StorageError | None = None
        self._spool: Spool | None = None
        with storing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = _connection(path)
            self._claims = Claims(self._db, path)
        _open.add(self)
        self.sweep()

    @staticmethod
    def question(model: str, request: Request) -> Question:
        """Give what stands for everything that could change the answer."""
        asked = _wanted_json(request)
        text = f"[{_quoted(model)},{asked}]"
        return Question(hashlib.sha256(text.encode()).hexdigest()[:32], asked)

    def get(self, question: Question) -> Completion | None:
        """Look a completion up."""
        with self._queue:
            row = self._unwritten.get(question.key)
        if row is not None:
            return row.completion
        with self._lock, storing(self.path):
            found = self._db.execute(
                "SELECT body FROM completions WHERE key = ?", (question.key,)
            ).fetchone()
        return Completion.model_validate_json(found[0]) if found else None

    def put(self, question: Question, completion: Completion) -> None:
        """Keep a completion, and give its claim up; takes a few microseconds.

        No kill of this process loses what was kept when this returns.

        Raises:
            StorageError: when this one, or one before it, could not be written.
        """
        body, now = completion.model_dump_json(), int(time.time())
        line = Line(key=question.key, body=body, asked=question.asked, made=now)
        with self._queue:
            self._unwritten[question.key] = _Row(line, completion)
            self._spooled().append(line)
            if self._failed:
                raise self._failed
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, daemon=True)
                self._writer.start()
        self._arrived.set()

    def _spooled(self) -> Spool:
        if self not in _open:
            raise StorageError(f"{self.path}: is closed already")
        if self._spool is None:
            self._claims.live()
            self._spool = Spool(self._claims.folder, self._claims.owner)
        return self._spool

    def claim(self, question: Question) -> bool:
        """Say whether the caller is to ask; false where another does, or has."""
        if len(self._unwritten) >= _MOST_ROWS:
            self.flush()
        with self._lock, storing(self.path):
            return self._claims.take(question.key)

    def release(self, questions: Iterable[Question]) -> None:
        """Give claims up that led to nothing, so that others may ask."""
        with self._lock, storing(self.path):
            if self in _open:  # closing has given them up
                self._claims.release(question.key for question in questions)

    def sweep(self) -> int:
        """Drop the claims of processes that are no more; return how many these were.

        What they had kept and not written yet is written.
        """
        with self._lock, storing(self.path):
            return self._claims.sweep(self._save)

    def _save(self, owner: str) -> None:
        lines = list(left_by(self._claims.folder, owner))
        if lines:
            self._insert(lines)
        remove(self._claims.folder, owner)

    def flush(self) -> None:
        """Write what waits to be written.

        Raises:
            StorageError: when it cannot be; what waits is kept and tried again.
        """
        with self._lock, storing(self.path):
            with self._queue:
                rows = list(self._unwritten.values())
                if not rows or self not in _open:
                    return
                if self._spool:
                    self._spool.turn()
            self._insert([row.line for row in rows])
            self._failed = None
            with self._queue:
                for row in rows:
                    if self._unwritten.get(row.line.key) is row:
                        del self._unwritten[row.line.key]
                if self._spool:
                    self._spool.clear()

    def _insert(self, lines: Sequence[Line]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(
                "INSERT OR REPLACE INTO completions (key, body, asked, made) VALUES (?, ?, ?, ?)",
                [(line.key, line.body, line.asked, line.made) for line in lines],
            )
            self._claims.release(line.key for line in lines)
            self._db.execute("COMMIT")
        except BaseException:
            # A full disk has rolled back already.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _write(self) -> None:
        while True:
            has_news = self._arrived.wait(_IDLE)
            self._arrived.clear()
            time.sleep(_GATHER if has_news else 0)
            try:
                self.flush()
            except StorageError as error:
                # Told where the next answer is put, or the store is flushed or closed.
                self._failed = error
            with self._queue:
                if self._failed or not (has_news or self._unwritten):
                    self._writer = None
                    return

    def rows(self) -> Iterator[tuple[str, Completion, int]]:
        """Give what was asked, what was answered, and when (seconds since 1970), oldest first."""
        self.flush()
        with self._lock:
            found = self._db.execute("SELECT asked, body, made FROM completions ORDER BY made, key")
            for asked, body, made in found:
                yield asked, Completion.model_validate_json(body), made

    def prune(self, *, before: float | None = None, model: str | None = None) -> int:
        """Drop completions made before a moment, or a model's, or where both are true of them."""
        where, values = ["1"], list[object]()
        if before is not None:
            where.append("made < ?")
            values.append(int(before))
        if model is not None:
            where.append("json_extract(body, '$.model') = ?")
            values.append(model)
        self.flush()
        with self._lock, storing(self.path):
            # The conditions above are the only text that is put in.
            query = f"DELETE FROM completions WHERE {' AND '.join(where)}"
            dropped = self._db.execute(query, values).rowcount
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return dropped

    def __len__(self) -> int:
        """Count the completions kept."""
        self.flush()
        with self._lock:
            count: int = self._db.execute("SELECT COUNT(*) FROM completions").fetchone()[0]
        return count

    def close(self) -> None:
        """Write what waits, give every claim up and close the file."""
        with self._lock, contextlib.ExitStack() as last:
            if self not in _open:
                return
            last.callback(self._db.close)
            last.callback(self._claims.close)
            last.callback(self._close_spool)
            last.callback(_open.discard, self)
            self.flush()

    def _close_spool(self) -> None:
        with self._queue:
            if self._spool:
                self._spool.close(is_stored=not self._unwritten)


def _connection(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute(_TABLE)
    columns = {row[1] for row in db.execute("PRAGMA table_info(completions)")}
    for column, kind in (("asked", "TEXT NOT NULL DEFAULT ''"), ("made", "INTEGER DEFAULT 0")):
        if column not in columns:  # a store that an earlier version made
            db.execute(f"ALTER TABLE completions ADD COLUMN {column} {kind}")
    return db


@atexit.register
def _close_all() -> None:
    """Lose nothing at an ordinary end, which Ctrl-C is too."""
    for store in list(_open):
        with contextlib.suppress(StorageError):  # which the last stream has told of
            store.close()
