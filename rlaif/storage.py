"""What is kept on disk: journals of records, and files written whole or not at all."""

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
from rlaif.records import Record
from rlaif.yamlfile import read_lines, refuse_huge

Row = TypeVar("Row", bound=Record)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the disk, a quota, a limit on files
_NO_ROOM = (
    "no space left on the disk; make room and run the same command again, what is done is kept"
)


@contextlib.contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn a full disk, or a folder that may not be written, into one line."""
    try:
        yield
    except PermissionError:
        raise StorageError(f"{path}: may not be written; check its permissions") from None
    except (OSError, sqlite3.DatabaseError) as error:
        told = _what_is_wrong(error)
        if told is None:
            raise
        raise StorageError(f"{path}: {told}") from None


def _what_is_wrong(error: OSError | sqlite3.DatabaseError) -> str | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest says where in SQLite
    is_full = code == sqlite3.SQLITE_FULL or "disk is full" in str(error)
    if is_full or (isinstance(error, OSError) and error.errno in _FULL):
        return _NO_ROOM
    if code == sqlite3.SQLITE_IOERR:
        return f"cannot be written or read ({error}); {_NO_ROOM}"
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return "no store of completions, or a damaged one; move it away, and it is made anew"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return "may not be written; check its permissions"
    return None


def read_records(path: Path, kind: type[Row]) -> Iterator[Row]:
    """Read a JSONL file that a person or another program wrote.

    Raises:
        InputError: for a line that is no such record, naming file and line.
    """
    return (row for _, row in numbered_records(path, kind))


def numbered_records(path: Path, kind: type[Row]) -> Iterator[tuple[int, Row]]:
    """Read a JSONL file as `read_records` does, each row with its line."""
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        refuse_huge(len(line), path, number)
        try:
            yield number, kind.model_validate_json(line)
        except ValidationError as error:
            detail = error.errors()[0]
            where = ".".join(str(step) for step in detail["loc"])
            what = f"{where}: {detail['msg']}" if where else detail["msg"]
            raise InputError.at(path, number, f"no {kind.__name__}: {what}") from None


def write_records(path: Path, records: Iterable[Record]) -> int:
    """Write a JSONL file whole, or not at all; return the number of rows."""
    lines = [record.model_dump_json(exclude_defaults=True) for record in records]
    write_lines(path, lines)
    return len(lines)


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines as a file whole, or not at all."""
    write_atomically(path, "".join(f"{line}\n" for line in lines))


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
            # Without a buffer, so that a line is written by one call, whole.
            self._file = path.open("ab", buffering=0)

    def _drop_torn_line(self) -> None:
        if not self.path.exists():
            return
        whole = self.path.read_bytes()
        kept = whole[: whole.rfind(b"\n") + 1]
        if len(kept) < len(whole):
            os.truncate(self.path, len(kept))

    def append(self, row: Row) -> None:
        """Keep one record; it is with the operating system when this returns.

        Raises:
            StorageError: when there is no room; what was there before is left as it was.
        """
        line = f"{row.model_dump_json(exclude_defaults=True)}\n".encode()
        written = 0
        with storing(self.path):
            try:
                while written < len(line):  # a disk that is almost full takes a part
                    written += self._file.write(line[written:])
            except OSError:
                self._file.truncate(self._file.seek(0, os.SEEK_END) - written)
                raise

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

    def clear(self) -> None:
        """Drop every record."""
        with storing(self.path):
            self._file.truncate(0)

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
