from pathlib import Path

import pytest

from rlaif.errors import InputError
from rlaif.prices import Price, price_of
from rlaif.records import Usage


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_listed_model_and_its_dated_versions_have_a_price() -> None:
    price = price_of("gpt-5-mini")
    assert price == Price(read=0.25, written=2)
    assert price_of("gpt-5-mini-2025-08-07") == price
    assert price.of(Usage(read=2_000_000, written=500_000)) == 1.5


def test_an_unknown_model_has_no_price_and_never_0() -> None:
    assert price_of("smollm2") is None
    assert price_of("gpt-5-mini-tuned") is None


def test_a_table_in_the_working_folder_comes_first() -> None:
    Path("prices.yaml").write_text(
        "models:\n  mine: {read: 1, written: 2}\n  gpt-5-mini: {read: 9, written: 9}\n", "utf-8"
    )
    assert price_of("mine") == Price(read=1, written=2)
    assert price_of("gpt-5-mini") == Price(read=9, written=9)
    assert price_of("gpt-5-nano") is not None


def test_a_mistake_in_it_is_told_with_its_line() -> None:
    Path("prices.yaml").write_text("models:\n  mine: {red: 1, written: 2}\n", "utf-8")
    with pytest.raises(InputError, match=r"prices.yaml:2: models.mine.red: .*'read'"):
        price_of("mine")
