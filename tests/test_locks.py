import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from rlaif.errors import StorageError
from rlaif.locks import Lock, alone_in, is_held


def test_a_lock_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    one, other = Lock(tmp_path / "a/lock"), Lock(tmp_path / "a/lock")
    assert not is_held(one.path)
    assert one.take()
    assert is_held(one.path)
    assert not other.take()
    one.let_go()
    assert not is_held(one.path)
    assert other.take()
    other.let_go()


def test_a_second_process_in_a_folder_is_told_in_one_line(tmp_path: Path) -> None:
    with alone_in(tmp_path):
        with (
            pytest.raises(StorageError, match=r"another process is at work .*; wait until it ends"),
            alone_in(tmp_path),
        ):
            pass
        assert is_held(tmp_path / ".lock"), "the one that was refused has not let it go"
    with alone_in(tmp_path):
        pass


def _hold(path: Path, ready: "multiprocessing.synchronize.Event") -> None:
    lock = Lock(path)
    assert lock.take()
    ready.set()
    time.sleep(60)


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    other = context.Process(target=_hold, args=(tmp_path / "lock", ready))
    other.start()
    assert ready.wait(30)
    assert is_held(tmp_path / "lock")
    assert other.pid is not None
    os.kill(other.pid, signal.SIGKILL)
    other.join()
    assert not is_held(tmp_path / "lock")
