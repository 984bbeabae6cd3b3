"""Completions are kept once, for threads and processes, whatever happens to those."""

import hashlib
import multiprocessing
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.errors import StorageError
from rlaif.records import Completion, Message, Request, Sampling, canonical_json
from rlaif.store import CompletionStore, Question


def request(said: str = "Hi", **changes: object) -> Request:
    turns = (Message(role="user", content=said),)
    return Request.model_validate({"id": "r", "messages": turns, **changes})


def question(name: str) -> Question:
    return Question(name, f'"{name}"')


def completion(text: str) -> Completion:
    return Completion(text=text, model="m")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CompletionStore]:
    store = CompletionStore(tmp_path / "store.sqlite")
    yield store
    store.close()


def test_a_completion_is_found_again_by_what_was_asked_and_by_nothing_else(
    store: CompletionStore,
) -> None:
    kept = Completion(text="Hello", model="m", option_logprobs={"Yes": -0.5})
    store.put(store.question("m", request()), kept)
    for _ in range(2):  # from memory, and from the disk
        same = request().model_copy(update={"id": "another name"})
        assert store.get(store.question("m", same)) == kept
        store.flush()
    assert store.get(store.question("other model", request())) is None
    assert store.get(store.question("m", request("Bye"))) is None
    assert store.get(store.question("m", request(sampling=Sampling(seed=1)))) is None
    assert store.get(store.question("m", request(options=("Yes", "No")))) is None
    assert len(store) == 1


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
turns = st.builds(Message, role=st.sampled_from(["system", "user", "assistant"]), content=texts)
drawn = st.builds(
    Sampling,
    temperature=st.floats(0, 2),
    seed=st.integers(),
    stop=st.lists(texts).map(tuple),
)
asked = st.builds(
    Request,
    id=texts,
    messages=st.lists(turns, min_size=1, max_size=3).map(tuple),
    sampling=drawn,
    opening=texts,
    options=st.lists(texts, max_size=3).map(tuple),
)


@given(asked, texts)
def test_the_key_is_the_hash_of_model_and_request_but_its_id(wanted: Request, model: str) -> None:
    whole = canonical_json([model, wanted.wanted])
    key, written = CompletionStore.question(model, wanted)
    assert key == hashlib.sha256(whole.encode()).hexdigest()[:32]
    assert written == canonical_json(wanted.wanted)


def test_what_is_put_is_on_the_disk_after_milliseconds_without_being_flushed(
    store: CompletionStore,
) -> None:
    store.put(question("a"), completion("A"))
    other = sqlite3.connect(store.path)
    until = time.monotonic() + 10
    while not other.execute("SELECT COUNT(*) FROM completions").fetchone()[0]:
        assert time.monotonic() < until
        time.sleep(0.002)
    other.close()


def _put_and_stay(path: Path, ready: "multiprocessing.synchronize.Event") -> None:
    store = CompletionStore(path)
    store.put(question("first"), completion("first"))
    store.flush()
    for number in range(64):
        assert store.claim(question(str(number)))
        store.put(question(str(number)), completion(f"x{number}"))
    ready.set()
    time.sleep(60)


def test_what_was_put_survives_a_kill_before_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rlaif.store._GATHER", 60.0)
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    other = context.Process(target=_put_and_stay, args=(tmp_path / "s", ready))
    other.start()
    assert ready.wait(30)
    with sqlite3.connect(tmp_path / "s") as db:
        assert db.execute("SELECT COUNT(*) FROM completions").fetchone() == (1,)
    assert len(CompletionStore(tmp_path / "s")) == 1, "the other lives, and will write them itself"
    assert other.pid is not None
    os.kill(other.pid, signal.SIGKILL)
    other.join()
    [torn] = (tmp_path / "s.owners").glob("*.1.jsonl")
    with torn.open("a", encoding="utf-8") as file:
        file.write('{"key": "cut sho')
    store = CompletionStore(tmp_path / "s")
    assert len(store) == 65
    for number in range(64):
        assert store.get(question(str(number))) == completion(f"x{number}")
        assert not store.claim(question(str(number)))
    store.close()
    assert not (tmp_path / "s.owners").exists()


def test_a_closed_store_takes_no_answer(tmp_path: Path) -> None:
    store = CompletionStore(tmp_path / "s")
    store.put(question("a"), completion("A"))
    store.close()
    with pytest.raises(StorageError, match="closed already"):
        store.put(question("b"), completion("B"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s"]


def test_closing_writes_what_waits_and_closing_twice_is_nothing(tmp_path: Path) -> None:
    store = CompletionStore(tmp_path / "s")
    store.put(question("a"), completion("A"))
    store.close()
    store.close()
    assert CompletionStore(tmp_path / "s").get(question("a")) == completion("A")


def test_a_store_of_an_earlier_version_is_read_and_written(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    old = sqlite3.connect(path)
    old.execute("CREATE TABLE completions (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID")
    old.execute("INSERT INTO completions VALUES ('a', ?)", (completion("A").model_dump_json(),))
    old.commit()
    old.close()
    store = CompletionStore(path)
    store.put(question("b"), completion("B"))
    assert store.get(question("a")) == completion("A")
    assert [said.text for _, said, _ in store.rows()] == ["A", "B"]


def test_a_file_that_is_no_store_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    path.write_text("no database, " * 100, encoding="utf-8")
    with pytest.raises(StorageError, match=r"store.sqlite: no store of completions"):
        CompletionStore(path)


def test_what_is_old_or_a_models_own_is_dropped(store: CompletionStore) -> None:
    for name in "abc":
        store.put(question(name), Completion(text=name, model="one" if name == "a" else "other"))
    assert store.prune(before=time.time() - 3600) == 0
    assert store.prune(model="one") == 1
    assert len(store) == 2
    assert store.prune(before=time.time() + 3600) == 2
    assert len(store) == 0


def test_a_full_disk_is_one_line_and_nothing_is_lost(
    store: CompletionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rlaif.store._GATHER", 60.0)
    store.put(question("before"), completion("before"))
    store.flush()
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    big = completion("x" * 2**16)
    store.put(question("big"), big)
    with pytest.raises(StorageError, match="no space left on the disk; make room"):
        store.flush()
    assert store.get(question("before")) == completion("before")
    store._db.execute("PRAGMA max_page_count = 100000")
    store.flush()
    assert store.get(question("big")) == big
    assert len(store) == 2


def test_a_write_that_fails_behind_is_told_where_the_next_answer_is_put(
    store: CompletionStore,
) -> None:
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    store.put(question("big"), completion("x" * 2**16))
    until = time.monotonic() + 10
    while store._failed is None:
        assert time.monotonic() < until
        time.sleep(0.01)
    with pytest.raises(StorageError, match="no space"):
        store.put(question("small"), completion("x"))
    with pytest.raises(StorageError, match="no space"):
        store.close()
    later = CompletionStore(store.path)
    assert later.get(question("small")) == completion("x"), "it was kept beside, and is taken in"
    later.close()


def test_one_of_many_threads_is_to_ask(store: CompletionStore) -> None:
    first: list[bool] = []

    def claim() -> None:
        first.append(store.claim(question("a")))
        time.sleep(0.05)  # so that no thread's number is used again

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(first) == [False] * 7 + [True]


def test_a_claim_ends_with_the_answer_or_is_given_up(tmp_path: Path) -> None:
    one, other = CompletionStore(tmp_path / "s"), CompletionStore(tmp_path / "s")
    assert one.claim(question("a"))
    assert not other.claim(question("a"))
    one.release([question("a")])
    assert other.claim(question("a"))
    other.put(question("a"), completion("A"))
    other.flush()
    assert not one.claim(question("a")), "what is answered is not to be asked"
    assert one.get(question("a")) == completion("A")
    assert one.claim(question("b"))
    one.close()
    assert other.claim(question("b"))
    other.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s"]


def _claim_and_stay(path: Path, ready: "multiprocessing.synchronize.Event") -> None:
    store = CompletionStore(path)
    assert store.claim(question("a"))
    ready.set()
    time.sleep(60)


def _fill(path: Path, start: int) -> None:
    store = CompletionStore(path)
    for number in range(start, start + 50):
        store.put(question(str(number)), completion(str(number)))
    store.close()


def test_a_killed_process_leaves_no_claim(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    other = context.Process(target=_claim_and_stay, args=(tmp_path / "s", ready))
    other.start()
    assert ready.wait(30)
    store = CompletionStore(tmp_path / "s")
    assert store.sweep() == 0
    assert not store.claim(question("a"))
    assert other.pid is not None
    os.kill(other.pid, signal.SIGKILL)
    other.join()
    assert store.sweep() == 1
    assert store.claim(question("a"))
    store.close()


def test_processes_that_make_one_store_at_the_same_moment_share_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    starts = range(0, 300, 50)
    workers = [context.Process(target=_fill, args=(tmp_path / "s", start)) for start in starts]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * len(workers)
    assert len(CompletionStore(tmp_path / "s")) == 300
