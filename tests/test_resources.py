"""Shipped files are found by bare name, a person's own by path."""

from pathlib import Path

import pytest

from rlaif.errors import InputError
from rlaif.resources import did_you_mean, find, shipped, shipped_names


def test_a_bare_name_finds_the_shipped_file() -> None:
    assert find("constitution", "tone") == shipped("constitution") / "tone.yaml"
    assert find("prompts", "absolute") == shipped("prompts") / "absolute.j2"
    assert find("experiments", "embedded.yaml") == shipped("experiments") / "embedded.yaml"


def test_a_file_of_ones_own_comes_before_a_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tone").write_text("mine", encoding="utf-8")
    assert find("constitution", "tone") == Path("tone")


def test_a_name_that_is_nowhere_names_the_nearest() -> None:
    with pytest.raises(InputError, match="tonne: no such file; did you mean 'tone'"):
        find("constitution", "tonne")
    with pytest.raises(InputError, match=r"xyz: no such file; there are: .*harmlessness"):
        find("constitution", "xyz")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder; name a file in it"):
        find("prompts", tmp_path)


@pytest.mark.parametrize("folder", ["constitution", "prompts", "experiments"])
def test_each_listed_name_is_found(folder: str) -> None:
    names = shipped_names(folder)
    assert names
    assert all(find(folder, name).is_file() for name in names)


def test_nothing_known_is_nothing_meant() -> None:
    assert did_you_mean("x", []) == ""
