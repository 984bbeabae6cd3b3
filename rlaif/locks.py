"""Locks that end with the process that holds them, however it ends, and ask no clock."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from rlaif.errors import StorageError
from rlaif.storage import storing

_TRIES = 20
_SOON = 0.002
"""Seconds between two looks at what another holds for a moment."""


class Lock:
    """A file that one process at a time holds; the system lets it go when the process dies."""

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is made yet."""
        self.path = path
        # Taken in one thread and let go in another, as a store is.
        self._lock = FileLock(path, timeout=0, thread_local=False)

    def take(self) -> bool:
        """Hold the file; false where another holds it."""
        with storing(self.path):
            for left in range(_TRIES, 0, -1):
                try:
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                    self._lock.acquire()
                    break
                except Timeout:
                    return False
                except (FileNotFoundError, FileExistsError):
                    # Another has just taken the empty folder away.
                    if left == 1:
                        raise
        return True

    def let_go(self) -> None:
        """Hold it no longer."""
        self._lock.release()


def is_held(path: Path) -> bool:
    """Say whether a living process holds a file."""
    if not path.is_file():
        return False
    lock = Lock(path)
    if lock.take():
        lock.let_go()
        return False
    return True


@contextmanager
def in_turn(path: Path) -> Iterator[None]:
    """Hold a file for a moment; another process that wants it waits."""
    lock = Lock(path)
    while not lock.take():
        time.sleep(_SOON)
    try:
        yield
    finally:
        lock.let_go()


@contextmanager
def alone_in(folder: Path, advice: str = "wait until it ends") -> Iterator[None]:
    """Let one process at a time work in a folder.

    Raises:
        StorageError: when another is at work there.
    """
    lock = Lock(folder / ".lock")
    if not lock.take():
        raise StorageError(f"{folder}: another process is at work in this folder; {advice}")
    try:
        yield
    finally:
        lock.let_go()
