"""YAML errors name the file, the line, the field and the near miss."""

from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.errors import InputError
from rlaif.records import Record
from rlaif.yamlfile import line_of, load, parse, read_text


class Wheel(Record):
    size: int
    kind: Literal["front", "rear"] = "front"


class Bicycle(Record):
    name: str
    wheels: tuple[Wheel, ...] = ()
    bell: Wheel | None = None


def said_of(text: str) -> list[str]:
    with pytest.raises(InputError) as error:
        parse(text, Bicycle, "b.yaml")
    return str(error.value).splitlines()


def test_a_good_file_is_the_model() -> None:
    made = parse("name: red\nwheels:\n  - {size: 28}\n", Bicycle, "b.yaml")
    assert made == Bicycle(name="red", wheels=(Wheel(size=28),))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nam: red\n", "b.yaml:1: nam: no such field; did you mean 'name'?"),
        (
            "name: red\nwheels:\n- size: 1\n- {siz: 2}\n",
            "b.yaml:4: wheels.1.siz: no such field; did you mean 'size'?",
        ),
        ("name: red\nbell:\n  size: big\n", "b.yaml:3: bell.size: should be a valid integer"),
        ("name: red\nname: blue\n", "b.yaml:2: 'name' stands twice, first on line 1"),
        ("name: red\nbell: {size: 1, size: 2}\n", "b.yaml:2: 'size' stands twice, first on line 2"),
        ("name: red\nwheels: [{size: 1, kind: side}]\n", "b.yaml:2: wheels.0.kind: should be"),
        ("- red\n", "b.yaml: expected `key: value` lines at the top"),
        ("name: [\n", "b.yaml:2: not YAML"),
        ("name: red\n\ttab: 1\n", "b.yaml:2: not YAML"),
        ("", "b.yaml: the file is empty"),
        ("# only a comment\n", "b.yaml: the file is empty"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, said: str) -> None:
    assert any(line.startswith(said) for line in said_of(text)), said_of(text)


def test_every_mistake_has_a_line() -> None:
    lines = said_of("wheels:\n  - {size: x}\n  - {size: 1, kind: y}\n")
    assert [line.split(": ")[0] for line in lines] == ["b.yaml:1", "b.yaml:2", "b.yaml:3"]


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.yaml: no such file$"):
        load(tmp_path / "none.yaml", Bicycle)
    with pytest.raises(InputError, match=r": a folder; name a file in it$"):
        load(tmp_path, Bicycle)
    (tmp_path / "latin.yaml").write_bytes(b"name: red\nbell: \xe9\n")
    with pytest.raises(InputError, match=r"latin.yaml:2: not UTF-8 text; save it as UTF-8$"):
        read_text(tmp_path / "latin.yaml")


@given(st.integers(0, 30), st.integers(1, 5))
def test_the_line_is_the_one_an_editor_shows(before: int, gap: int) -> None:
    text = "\n" * before + "name: red\n" + "\n" * gap + "nmae: blue\n"
    assert said_of(text)[0].startswith(f"b.yaml:{before + gap + 2}: nmae: ")


def test_a_field_that_is_not_there_is_on_the_line_of_the_nearest_one_above() -> None:
    text = "name: red\nbell:\n  size: 1\n"
    assert line_of(text, ("bell", "size")) == 3
    assert line_of(text, ("bell", "colour")) == 2
    assert line_of("", ("bell",)) is None
