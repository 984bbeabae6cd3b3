import sqlite3
from pathlib import Path

from rlaif.claims import Claims
from rlaif.locks import Lock


def claims_in(folder: Path) -> Claims:
    db = sqlite3.connect(folder / "store", isolation_level=None)
    db.execute("CREATE TABLE IF NOT EXISTS completions (key TEXT PRIMARY KEY)")
    return Claims(db, folder / "store")


def test_an_owner_whose_new_lock_somebody_holds_for_a_moment_takes_another_name(
    tmp_path: Path,
) -> None:
    claims = claims_in(tmp_path)
    before = claims.owner
    sweeper = Lock(claims.folder / f"{before}.lock")
    assert sweeper.take()
    assert claims.take("question")
    assert claims.owner != before
    sweeper.let_go()
    other = claims_in(tmp_path)
    assert not other.take("question")
    other.sweep(lambda _: None)
    assert not other.take("question")
    claims.close()
    assert other.take("question")
    other.close()
