"""The rows of a file, each with its line: JSON lines, one JSON value, CSV, TSV or Parquet."""

import csv
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow
import pyarrow.parquet

from rlaif.errors import InputError
from rlaif.yamlfile import json_value, read_text, refuse_huge

_TABLES = {".csv": ",", ".tsv": "\t"}


class Row(NamedTuple):
    """One row and where it stands."""

    line: int
    """Its line; in Parquet and in a JSON list, its number from 1."""
    fields: dict[str, Any]


def read_rows(path: Path) -> Iterator[Row]:
    """Read a file's rows, by the ending of its name.

    Raises:
        InputError: for a file or a row that cannot be read, or a file without rows.
    """
    count = 0
    for line, value in _values(path):
        if not isinstance(value, dict):
            raise InputError.at(path, line, f"expected named fields, found {_short(value)}")
        refuse_huge(sum(len(v) for v in value.values() if isinstance(v, str)), path, line)
        count += 1
        yield Row(line, value)
    if not count:
        raise InputError(f"{path}: the file has no rows")


def _values(path: Path) -> Iterator[tuple[int, Any]]:
    ending = path.suffix.lower()
    if ending == ".parquet":
        return _parquet(path)
    text = read_text(path)
    if ending in _TABLES:
        return _table(text, path, _TABLES[ending])
    return _whole(text, path) if ending == ".json" and not _is_lines(text) else _lines(text, path)


def _lines(text: str, path: Path) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, json_value(line, path, number)


def _is_lines(text: str) -> bool:
    """Say whether the first line is a whole object, as in JSON lines."""
    try:
        return isinstance(json.loads(text.lstrip().partition("\n")[0]), dict)
    except (ValueError, RecursionError):
        return False


def _whole(text: str, path: Path) -> Iterator[tuple[int, Any]]:
    value = json_value(text, path)
    return enumerate(value if isinstance(value, list) else [value], start=1)


def _table(text: str, path: Path, separator: str) -> Iterator[tuple[int, Any]]:
    # A reply may be longer than the 128 KiB that the module allows a cell.
    csv.field_size_limit(sys.maxsize)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 2
    try:
        for row in reader:
            if None in row or None in row.values():
                raise InputError.at(path, line, "not as many cells as the first line")
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError.at(path, line, f"not CSV: {error}") from None


def _parquet(path: Path) -> Iterator[tuple[int, Any]]:
    if not path.is_file():
        read_text(path)  # says in one line that there is none, or that it is a folder
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches(batch_size=1_000):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except PermissionError:
        raise InputError.at(path, None, "may not be read; check its permissions") from None
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError.at(path, None, f"not Parquet: {error}".splitlines()[0][:200]) from None


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:40]}…"
