from pathlib import Path

from rlaif.spool import Line, Spool, left_by, remove


def line(key: str) -> Line:
    return Line(key=key, body="{}", asked="{}", made=1)


def test_a_file_is_emptied_while_the_other_takes_lines(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "me")
    spool.append(line("a"))
    spool.turn()
    spool.append(line("b"))
    assert sorted(one.key for one in left_by(tmp_path, "me")) == ["a", "b"]
    spool.clear()
    assert [one.key for one in left_by(tmp_path, "me")] == ["b"]
    spool.turn()
    spool.append(line("c"))
    assert sorted(one.key for one in left_by(tmp_path, "me")) == ["b", "c"]
    spool.close(is_stored=False)
    remove(tmp_path, "me")
    remove(tmp_path, "me")
    assert not list(tmp_path.iterdir())


def test_files_go_only_where_all_is_stored(tmp_path: Path) -> None:
    for is_stored in (False, True):
        spool = Spool(tmp_path, "me")
        spool.append(line("a"))
        spool.close(is_stored=is_stored)
        assert bool(list(tmp_path.iterdir())) != is_stored


def test_nothing_is_left_by_one_who_kept_nothing(tmp_path: Path) -> None:
    assert list(left_by(tmp_path, "nobody")) == []
