"""What is kept on disk: journals of records, and the store of completions already paid for."""

import contextlib
import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from pydantic import ValidationError

from rlaif.errors import InputError, StorageError
from rlaif.records import Completion, Record, Request, fingerprint_of
from rlaif.yamlfile import read_text

Row = TypeVar("Row", bound=Record)


@contextlib.contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn a full disk, or a folder that may not be written, into one line."""
    try:
        yield
    except PermissionError:
        raise StorageError(f"{path}: may not be written; check its permissions") from None
    except (OSError, sqlite3.OperationalError) as error:
        full = getattr(error, "errno", None) == errno.ENOSPC or "disk is full" in str(error)
        if not full:
            raise
        raise StorageError(
            f"{path}: no space left on the disk; make room and run the same command again, "
            "what is done is kept"
        ) from None


def read_records(path: Path, kind: type[Row]) -> Iterator[Row]:
    """Read a JSONL file that a person or another program wrote.

    Raises:
        InputError: for a line that is no such record, naming file and line.
    """
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield kind.model_validate_json(line)
        except ValidationError as error:
            detail = error.errors()[0]
            where = ".".join(str(step) for step in detail["loc"])
            what = f"{where}: {detail['msg']}" if where else detail["msg"]
            raise InputError.at(path, number, f"no {kind.__name__}: {what}") from None


def write_records(path: Path, records: Iterable[Record]) -> int:
    """Write a JSONL file whole, or not at all; return the number of rows."""
    lines = [record.model_dump_json(exclude_defaults=True) for record in records]
    write_atomically(path, "".join(f"{line}\n" for line in lines))
    return len(lines)


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old text or the new one, never half of it."""
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


class Journal(Generic[Row]):
    """An append-only JSONL file of records, valid at every moment.

    A last line cut short by a kill is recognised and dropped when the journal is opened, so what
    it held is derived again.
    """

    def __init__(self, path: Path, kind: type[Row]) -> None:
        """Open, or make, the journal at `path`."""
        self.path = path
        self._kind = kind
        with storing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._drop_torn_line()
            self._file = path.open("a", encoding="utf-8")

    def _drop_torn_line(self) -> None:
        if not self.path.exists():
            return
        whole = self.path.read_bytes()
        kept = whole[: whole.rfind(b"\n") + 1]
        if len(kept) < len(whole):
            os.truncate(self.path, len(kept))

    def append(self, row: Row) -> None:
        """Keep one record; it is with the operating system when this returns."""
        with storing(self.path):
            self._file.write(row.model_dump_json(exclude_defaults=True) + "\n")
            self._file.flush()

    def __iter__(self) -> Iterator[Row]:
        """Read the records kept so far.

        Raises:
            StorageError: for a line that is no such record: somebody edited the file.
        """
        with self.path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield self._kind.model_validate_json(line)
                except ValidationError:
                    raise StorageError(
                        f"{self.path}:{number}: not a line of this journal; "
                        "delete the line, and what it held is done again"
                    ) from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        """Use the journal in a `with` block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()


class CompletionStore:
    """Completions by what was asked, in SQLite: nothing is asked, or paid for, twice.

    The key holds everything that could change the answer (messages, sampling, opening, options,
    the model's name) and nothing else, so editing one principle asks again only what it touched.
    """

    def __init__(self, path: Path) -> None:
        """Open, or make, the store; several processes may share it."""
        self.path = path
        with storing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS completions (key TEXT PRIMARY KEY, body TEXT NOT NULL)"
                " WITHOUT ROWID"
            )

    @staticmethod
    def key(model: str, request: Request) -> str:
        """Stand for everything that could change the answer."""
        return fingerprint_of([model, request.wanted])

    def get(self, key: str) -> Completion | None:
        """Look a completion up."""
        row = self._db.execute("SELECT body FROM completions WHERE key = ?", (key,)).fetchone()
        return Completion.model_validate_json(row[0]) if row else None

    def put(self, key: str, completion: Completion) -> None:
        """Keep a completion."""
        with storing(self.path):
            self._db.execute(
                "INSERT OR REPLACE INTO completions VALUES (?, ?)",
                (key, completion.model_dump_json()),
            )

    def __len__(self) -> int:
        """Count the completions kept."""
        count: int = self._db.execute("SELECT COUNT(*) FROM completions").fetchone()[0]
        return count

    def close(self) -> None:
        """Close the file."""
        self._db.close()
