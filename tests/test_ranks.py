import pytest

from rlaif.ranks import is_first, rank, ranks


@pytest.mark.parametrize(("number", "expected"), [("0", (2, 0, True)), ("1", (2, 1, False))])
def test_a_launcher_says_which_process_this_is(monkeypatch, number, expected) -> None:
    for name, value in (("MASTER_ADDR", "127.0.0.1"), ("WORLD_SIZE", "2"), ("RANK", number)):
        monkeypatch.setenv(name, value)
    assert (ranks(), rank(), is_first()) == expected


def test_without_a_launcher_there_is_one_process(monkeypatch) -> None:
    for name in ("MASTER_ADDR", "WORLD_SIZE", "RANK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RANK", "3")  # a scheduler's own
    assert (ranks(), rank(), is_first()) == (1, 0, True)
