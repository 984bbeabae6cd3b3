import errno
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.errors import InputError, StorageError
from rlaif.records import Prompt
from rlaif.storage import (
    Journal,
    read_records,
    storing,
    write_atomically,
    write_records,
)


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "rows.jsonl"
    rows = [Prompt.of("One"), Prompt.of("Zwei\u2028\nlines", tags=("a",))]
    assert write_records(path, rows) == 2
    assert list(read_records(path, Prompt)) == rows


@given(st.lists(st.text(min_size=1), unique=True), st.integers(0, 60))
def test_a_journal_cut_short_loses_only_its_torn_line(tmp_path_factory, said, cut):
    path = tmp_path_factory.mktemp("journal") / "rows.jsonl"
    rows = [Prompt.of(text, id=str(number)) for number, text in enumerate(said)]
    with Journal(path, Prompt) as journal:
        for row in rows:
            journal.append(row)
    whole = path.read_bytes()
    path.write_bytes(whole[: max(len(whole) - cut, 0)])
    with Journal(path, Prompt) as journal:
        kept = list(journal)
        assert kept == rows[: len(kept)]
        for row in rows[len(kept) :]:
            journal.append(row)
        assert list(journal) == rows


def test_a_line_that_somebody_broke_is_named(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"broken": 1}\n')
    with Journal(path, Prompt) as journal, pytest.raises(StorageError, match=r"rows.jsonl:1"):
        list(journal)


def test_a_row_of_a_persons_file_that_is_no_record_is_named(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "a", "messages": [{"role": "user", "content": "x"}]}\n\n{"id": "b"}\n')
    with pytest.raises(InputError, match=r"rows.jsonl:3: no Prompt: messages"):
        list(read_records(path, Prompt))


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "file.txt"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \ud800")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "no space"), sqlite3.OperationalError("database or disk is full")],
)
def test_a_full_disk_is_one_line_that_says_what_to_do(tmp_path, error):
    with (
        pytest.raises(StorageError, match="no space left on the disk; make room"),
        storing(tmp_path),
    ):
        raise error


def test_another_error_of_the_system_is_not_called_a_full_disk(tmp_path):
    with pytest.raises(OSError, match="other"), storing(tmp_path):
        raise OSError(errno.EIO, "other")


def test_a_line_that_finds_no_room_leaves_the_journal_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "rows.jsonl"
    rows = [Prompt.of("a" * 50, id="1"), Prompt.of("b" * 500, id="2"), Prompt.of("c", id="3")]
    with Journal(path, Prompt) as journal:
        journal.append(rows[0])
        file = journal._file

        class AlmostFull:
            def write(self, line):
                if len(line) <= 100:
                    raise OSError(errno.ENOSPC, "no space")
                return file.write(line[:100])

            def __getattr__(self, name):
                return getattr(file, name)

        monkeypatch.setattr(journal, "_file", AlmostFull())
        with pytest.raises(StorageError, match=r"rows.jsonl: no space left on the disk"):
            journal.append(rows[1])
        assert list(journal) == rows[:1]
        monkeypatch.undo()
        journal.append(rows[2])
        assert list(journal) == [rows[0], rows[2]]


def test_a_limit_on_files_is_a_full_disk_too(tmp_path):
    with pytest.raises(StorageError, match="no space left"), storing(tmp_path):
        raise OSError(errno.EDQUOT, "quota")
