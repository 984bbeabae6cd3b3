"""A labelling that is killed, shared or out of room ends as if nothing had happened, paid once."""

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rlaif.records import canonical_json
from tests.backends.fake_server import Body, FakeServer, Reply, said, serve
from tests.labelling import IN_FLIGHT, start

pytestmark = pytest.mark.slow

LABEL = ["label", "pairs.jsonl", "--judge", "openai:m", "--template", "compare", "-c", "rule.yaml"]


def judge(body: Body, _: int) -> Reply:
    """Answer after 40 ms, always the same to the same question."""
    time.sleep(0.04)
    p = hashlib.sha256(canonical_json(body["messages"]).encode()).digest()[0] / 256
    return said("A" if p > 0.5 else "B", {"A": -1.0 + p, "B": -p})


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serve(judge) as server:
        yield server


@pytest.fixture
def job(tmp_path: Path) -> Callable[[int], Path]:
    """Make a folder with so many pairs to label."""

    def make(count: int) -> Path:
        rows = [
            {"id": f"r{n}", "prompt": f"Question {n}?", "first": f"One {n}.", "second": f"Two {n}."}
            for n in range(count)
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / "pairs.jsonl").write_text(text, encoding="utf-8")
        rule = "name: rule\nprinciples:\n  kind: The response is kind.\n"
        (tmp_path / "rule.yaml").write_text(rule, encoding="utf-8")
        return tmp_path

    return make


def label(folder: Path, server: FakeServer, *more: str, **how: Any) -> int | None:
    process = start(folder, [*LABEL, *more], server.base_url, **how)
    process.join(120)
    code: int | None = process.exitcode
    return code


def told(folder: Path) -> list[str]:
    return (folder / "told").read_text(encoding="utf-8").splitlines()


def labels(folder: Path) -> list[str]:
    """Give the lines of a finished file, each of which must be whole, by the pairs' ids."""
    lines = (folder / "preferences.jsonl").read_text(encoding="utf-8").splitlines()
    return sorted(lines, key=lambda line: str(json.loads(line)["id"]))


def asked(server: FakeServer) -> Counter[str]:
    return Counter(canonical_json(body["messages"]) for body in server.seen)


def wait_for(server: FakeServer, requests: int) -> None:
    until = time.monotonic() + 60
    while len(server.seen) < requests:
        assert time.monotonic() < until
        time.sleep(0.005)


def is_whole(path: Path) -> bool:
    """Say whether all lines but a torn last one are JSON."""
    for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
        json.loads(line)
    return True


def test_a_job_killed_twenty_times_is_the_undisturbed_one_and_no_more_is_paid_than_was_in_flight(
    job: Callable[[int], Path], server: FakeServer
) -> None:
    folder, pairs, chance = job(250), 250, random.Random(6)
    kills = 0
    while kills < 20:
        before = asked(server)
        process = start(folder, [*LABEL, "-o", "out"], server.base_url)
        wait_for(server, before.total() + 1)
        time.sleep(chance.uniform(0.0, 0.12))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert process.exitcode == -signal.SIGKILL, "the job is long enough for all kills"
        kills += 1
        again = sum(1 for one in (asked(server) - before) if before[one])
        assert again <= IN_FLIGHT, "only what was in flight"
        for name in ("preferences.jsonl", "abstentions.jsonl"):
            path = folder / "out" / name
            assert not path.exists() or is_whole(path)
    assert label(folder, server, "-o", "out") == 0
    counts = asked(server)
    assert len(counts) == 2 * pairs
    assert counts.total() - len(counts) <= kills * IN_FLIGHT
    assert label(folder, server, "-o", "whole") == 0
    assert labels(folder / "out") == labels(folder / "whole")


def test_two_processes_on_one_job_ask_nothing_twice(
    job: Callable[[int], Path], server: FakeServer
) -> None:
    folder = job(100)
    names = ("one", "two")
    both = [
        start(folder, [*LABEL, "-o", name, "--store", "all.sqlite"], server.base_url)
        for name in names
    ]
    for process in both:
        process.join(120)
    assert [process.exitcode for process in both] == [0, 0]
    assert set(asked(server).values()) == {1}
    assert len(asked(server)) == 200
    assert labels(folder / "one") == labels(folder / "two")


def test_what_a_killed_process_was_asking_another_takes_over(
    job: Callable[[int], Path], server: FakeServer
) -> None:
    folder = job(100)
    first = start(folder, [*LABEL, "-o", "one", "--store", "all.sqlite"], server.base_url)
    wait_for(server, 40)
    second = start(folder, [*LABEL, "-o", "two", "--store", "all.sqlite"], server.base_url)
    wait_for(server, 80)
    os.kill(first.pid, signal.SIGKILL)
    second.join(60)
    assert second.exitcode == 0
    counts = asked(server)
    assert len(counts) == 200
    assert counts.total() - 200 <= IN_FLIGHT, "what was in flight"
    assert len(labels(folder / "two")) == 100


def test_a_second_process_in_the_same_folder_is_told_and_disturbs_nothing(
    job: Callable[[int], Path],
) -> None:
    folder, goes_on = job(20), threading.Event()

    def waits(body: Body, before: int) -> Reply:
        assert goes_on.wait(60)
        return judge(body, before)

    with serve(waits) as server:
        first = start(folder, [*LABEL, "-o", "out"], server.base_url)
        wait_for(server, 1)
        assert label(folder, server, "-o", "out") == 2
        lines = told(folder)
        assert len(lines) == 1, lines
        [line] = lines
        assert line.startswith("out: another process is at work in this folder; wait until it ends")
        goes_on.set()
        first.join(60)
    assert first.exitcode == 0
    assert len(labels(folder / "out")) == 20
    assert asked(server).total() == 40


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stop_is_one_line_and_the_same_command_goes_on(
    job: Callable[[int], Path], server: FakeServer, sent: signal.Signals, code: int
) -> None:
    folder = job(100)
    process = start(folder, [*LABEL, "-o", "out"], server.base_url)
    wait_for(server, 60)
    os.kill(process.pid, sent)
    process.join(60)
    assert process.exitcode == code
    assert told(folder) == ["stopped; what is done is kept, run the same command again to go on"]
    assert label(folder, server, "-o", "out") == 0
    assert len(labels(folder / "out")) == 100
    assert asked(server).total() - 200 <= IN_FLIGHT


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """Mount a disk of so little room; skip where that is not allowed."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("a disk cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="no mount")
def test_a_full_disk_is_one_line_and_the_job_goes_on_when_there_is_room(
    job: Callable[[int], Path], server: FakeServer
) -> None:
    folder = job(100)
    with small_disk(folder / "disk", "300k"):
        assert label(folder, server, "-o", "disk/out") == 2
        lines = told(folder)
        assert len(lines) == 1, lines
        [line] = lines
        assert "no space left on the disk; make room and run the same command again" in line
        remount = ["mount", "-o", "remount,size=50m", str(folder / "disk")]
        subprocess.run(remount, check=True)
        assert label(folder, server, "-o", "disk/out") == 0
        counts = asked(server)
        assert counts.total() - 200 <= IN_FLIGHT
        assert label(folder, server, "-o", "whole") == 0
        assert labels(folder / "disk/out") == labels(folder / "whole")


def test_a_limit_on_files_is_one_line_and_the_job_goes_on_without_it(
    job: Callable[[int], Path], server: FakeServer
) -> None:
    folder = job(100)
    assert label(folder, server, "-o", "out", largest_file=100_000) == 2
    [line] = told(folder)
    assert "no space left on the disk" in line
    assert label(folder, server, "-o", "out") == 0
    assert asked(server).total() - 200 <= IN_FLIGHT
    assert len(labels(folder / "out")) == 100


def test_the_planted_key_is_nowhere(job: Callable[[int], Path], server: FakeServer) -> None:
    folder = job(20)
    assert label(folder, server, "-o", "out") == 0
    assert server.keys[0] == "Bearer sk-planted-key"
    for path in folder.rglob("*"):
        if path.is_file():
            assert b"sk-planted-key" not in path.read_bytes(), path
