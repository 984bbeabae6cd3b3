import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from rlaif.errors import InputError
from rlaif.feedback.importers import read_people
from rlaif.feedback.importers.rows import read_rows

PAIR = {"prompt": "P, “quoted”\nand long", "chosen": "a", "rejected": "b"}


def texts(path: Path) -> list[tuple[str, str, str]]:
    return [(row.prompt.text, row.chosen.text, row.rejected.text) for row in read_people(path)]


def test_one_pair_is_the_same_pair_in_every_kind_of_file(tmp_path: Path) -> None:
    expected = [(PAIR["prompt"], "a", "b")]
    lines = tmp_path / "x.jsonl"
    lines.write_text(json.dumps(PAIR) + "\n", encoding="utf-8")
    whole = tmp_path / "x.json"
    whole.write_text(json.dumps([PAIR], indent=1), encoding="utf-8")
    alike = tmp_path / "lines.json"
    alike.write_text(json.dumps(PAIR) + "\n\n", encoding="utf-8")
    table = tmp_path / "x.csv"
    table.write_text(
        'prompt,chosen,rejected\n"P, “quoted”\nand long",a,b\n', encoding="utf-8", newline=""
    )
    columns = tmp_path / "x.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([PAIR]), columns)
    for path in (lines, whole, alike, table, columns):
        assert texts(path) == expected, path.name


def test_a_long_cell_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"prompt,chosen,rejected\nP,{'a' * 200_000},b\n", encoding="utf-8")
    assert len(texts(path)[0][1]) == 200_000


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", "prompt,chosen,rejected\nP,a,b\nP,a\n", r"x\.csv:3: not as many cells"),
        ("x.csv", "prompt,chosen,rejected\nP,a,b,c\n", r"x\.csv:2: not as many cells"),
        ("x.csv", 'prompt,chosen,rejected\nP,"a"x,b\n', r"x\.csv:2: not CSV"),
        ("x.csv", "", r"x\.csv: the file has no rows"),
        ("x.json", "[1]", r"x\.json:1: expected named fields, found 1"),
        ("x.json", "[", r"x\.json:1: not JSON"),
        ("x.json", "[]", r"x\.json: the file has no rows"),
        ("x.parquet", "PAR0", r"x\.parquet: not Parquet"),
        ("x.jsonl", '{"a": 1}\n[1]\n', r"x\.jsonl:2: expected named fields"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(
    name: str, content: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        list(read_rows(tmp_path / name))


def test_a_parquet_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x\.parquet: no such file"):
        list(read_rows(tmp_path / "x.parquet"))
    (tmp_path / "y.parquet").mkdir()
    with pytest.raises(InputError, match=r"y\.parquet: a folder"):
        list(read_rows(tmp_path / "y.parquet"))
