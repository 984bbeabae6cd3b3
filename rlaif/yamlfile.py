"""YAML to a model, with errors that name the file, the line, the field and the near miss.

A file may be hostile: what it says is built only after its size, depth and every value are known.
"""

import contextlib
import json
import os
import types
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rlaif.errors import InputError
from rlaif.resources import did_you_mean

Model = TypeVar("Model", bound=BaseModel)
Place = tuple[int | str, ...]

_NOT_UTF8 = "not UTF-8 text; save it as UTF-8"
_DEEP = 60
"""Levels, one in another; a config has six or so."""
_LONGEST_ROW = 500_000
"""Characters of one row, unless RLAIF_LONGEST_ROW says otherwise: some 100,000 tokens."""
_MANY = 200_000
"""Values, those that stand for one another by `*name` counted each time."""


def load(path: Path, model: type[Model]) -> Model:
    """Read a YAML file as a model.

    Raises:
        InputError: one line for each mistake, `file:line: path.to.field: what`.
    """
    return parse(read_text(path), model, path)


def parse(text: str, model: type[Model], path: Path | str) -> Model:
    """Read YAML text as a model; `path` stands in the errors."""
    root = _compose(text, path)
    data = yaml.SafeLoader("").construct_document(root)
    if not isinstance(data, dict):
        raise InputError.at(path, None, "expected `key: value` lines at the top")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [_line_of_error(detail, root, model, path) for detail in _own(error)]
        raise InputError("\n".join(dict.fromkeys(lines))) from None


def validated(data: Any, model: type[Model]) -> Model:
    """Make a model of data that stands in no file, such as a command's options.

    Raises:
        InputError: one line for each mistake, `path.to.field: what`.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = []
        for detail in _own(error):
            where = ".".join(map(str, detail["loc"]))
            lines.append(f"{where}: {_what(detail, model)}" if where else _what(detail, model))
        raise InputError("\n".join(dict.fromkeys(lines))) from None


def _own(error: ValidationError) -> list[ErrorDetails]:
    """Leave out the list that is too short only because an item of it is wrong."""
    details = error.errors()
    places = [detail["loc"] for detail in details]
    return [
        detail
        for detail in details
        if detail["type"] != "too_short"
        or not any(
            place != detail["loc"] and place[: len(detail["loc"])] == detail["loc"]
            for place in places
        )
    ]


def read_text(path: Path) -> str:
    """Read a UTF-8 file, or say in one line why it cannot be read.

    Raises:
        InputError: for a missing file, a folder, a file that may not be read, or other bytes.
    """
    with readable(path):
        # Some editors begin a file with a mark of the encoding.
        try:
            return path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            line = path.read_bytes()[: error.start].count(b"\n") + 1
            raise InputError.at(path, line, _NOT_UTF8) from None


def read_lines(path: Path) -> Iterator[str]:
    """Read a UTF-8 file line by line, however large; its errors are those of `read_text`."""
    with readable(path), path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8").removesuffix("\n")
            except UnicodeDecodeError:
                raise InputError.at(path, number, _NOT_UTF8) from None


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Say in one line why a file cannot be read, while it is."""
    try:
        yield
    except IsADirectoryError:
        raise InputError.at(path, None, "a folder; name a file in it") from None
    except FileNotFoundError:
        raise InputError.at(path, None, "no such file") from None
    except PermissionError:
        raise InputError.at(path, None, "may not be read; check its permissions") from None
    except OSError as error:
        raise InputError.at(path, None, f"cannot be read: {error.strerror}") from None


def _compose(text: str, path: Path | str) -> yaml.Node:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise InputError.at(path, line, f"not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise InputError.at(path, None, f"not YAML: {error}".splitlines()[0]) from None
    except RecursionError:
        raise InputError.at(path, None, f"more than {_DEEP} levels deep") from None
    if root is None:
        raise InputError.at(path, None, "the file is empty")
    _count(root, path, {}, 0)
    _refuse_repeats(root, path)
    return root


def _count(node: yaml.Node, path: Path | str, known: dict[int, int], depth: int) -> int:
    """Count a node's values as they are once built, and refuse what cannot be built."""
    line = node.start_mark.line + 1
    if id(node) in known:
        if not known[id(node)]:
            raise InputError.at(path, line, "a value that holds itself")
        return known[id(node)]
    if depth > _DEEP:
        raise InputError.at(path, line, f"more than {_DEEP} levels deep")
    known[id(node)] = 0
    if isinstance(node, yaml.ScalarNode):
        _refuse_unbuildable(node, path, line)
    number = 1 + sum(_count(inner, path, known, depth + 1) for inner in _inside(node, path))
    if number > _MANY:
        raise InputError.at(path, line, f"stands for more than {_MANY} values; use fewer `*names`")
    known[id(node)] = number
    return number


def _inside(node: yaml.Node, path: Path | str) -> Iterator[yaml.Node]:
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    if not isinstance(node, yaml.ScalarNode) and kind not in ("map", "seq"):
        what = f"{node.tag!r} is no plain value; write a list, or `key: value` lines"
        raise InputError.at(path, node.start_mark.line + 1, what)
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag.endswith(":merge"):
                raise InputError.at(path, key.start_mark.line + 1, "a key must be one word")
            yield from (key, value)


def _refuse_unbuildable(node: yaml.ScalarNode, path: Path | str, line: int) -> None:
    try:
        yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError, LookupError, AttributeError):
        shown = repr(node.value if len(node.value) <= 40 else f"{node.value[:40]}…")
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        what = f"{shown} cannot be read as {kind}; put text in quotes"
        raise InputError.at(path, line, what) from None


def _refuse_repeats(node: yaml.Node, path: Path | str, known: set[int] | None = None) -> None:
    # Each node once, however often it is named.
    known = set() if known is None else known
    if id(node) in known:
        return
    known.add(id(node))
    seen: dict[Hashable, int] = {}
    for key, value in _pairs(node):
        line = key.start_mark.line + 1
        if key.value in seen:
            first = seen[key.value]
            raise InputError.at(path, line, f"{key.value!r} stands twice, first on line {first}")
        seen[key.value] = line
        _refuse_repeats(value, path, known)
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_repeats(item, path, known)


def _pairs(node: yaml.Node) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key, value


def _line_of_error(
    detail: ErrorDetails, root: yaml.Node, model: type[BaseModel], path: Path | str
) -> str:
    line, names = _walk(root, detail["loc"])
    where = ".".join(names)
    return str(
        InputError.at(
            path, line, f"{where}: {_what(detail, model)}" if where else _what(detail, model)
        )
    )


def _walk(root: yaml.Node, place: Place) -> tuple[int, list[str]]:
    """Follow an error's place through the file: its line, and its path in the file's own names."""
    node, line, names = root, root.start_mark.line + 1, []
    for step in place:
        found = _step(node, step)
        if found is None:
            # A field that is missing, or the name of a union's branch: stay on the last line.
            if step == place[-1] and isinstance(step, str):
                names.append(step)
            continue
        name, line, node = found
        names.append(name)
    return line, names


def _step(node: yaml.Node, step: int | str) -> tuple[str, int, yaml.Node] | None:
    pairs = list(_pairs(node))
    for position, (key, value) in enumerate(pairs):
        # A mapping that the model turned into a tuple is addressed by position.
        if key.value == step or (position == step and isinstance(step, int)):
            return key.value, key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item = node.value[step]
        return str(step), item.start_mark.line + 1, item
    return None


def _what(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, message = detail["type"], detail["msg"]
    if kind == "extra_forbidden":
        known = _fields_at(model, detail["loc"][:-1])
        return f"no such field{did_you_mean(str(detail['loc'][-1]), known)}"
    if kind == "missing":
        return "is needed here"
    if kind == "too_short":
        return (
            f"needs {detail['ctx']['min_length']} or more, and has {detail['ctx']['actual_length']}"
        )
    message = message.removeprefix("Value error, ").replace("Input should", "should")
    given = detail["input"]
    shown = f" (not {given!r})" if isinstance(given, str | int | float | bool) else ""
    return f"{message[0].lower()}{message[1:]}{shown}"


def _fields_at(model: type[BaseModel], place: Place) -> list[str]:
    candidates = [model]
    for step in place:
        deeper = [
            inner
            for candidate in candidates
            if step in candidate.model_fields
            for inner in _models_in(candidate.model_fields[str(step)].annotation)
        ]
        # A list's position, a mapping's key or a union's branch leads to no other model.
        candidates = deeper or candidates
    return sorted({name for candidate in candidates for name in candidate.model_fields})


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    if get_origin(annotation) is not None or isinstance(annotation, types.UnionType):
        for inner in get_args(annotation):
            yield from _models_in(inner)


def line_of(text: str, place: Place) -> int | None:
    """Give the line that a field stands on, or that of the nearest one above it that is there."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    return _walk(root, place)[0] if root is not None else None


def refuse_huge(size: int, path: Path | str, line: int | None) -> None:
    """Refuse a row of more characters than any model reads.

    Raises:
        InputError: for one; it names the limit and how to change it.
    """
    limit = os.environ.get("RLAIF_LONGEST_ROW", "")
    most = int(limit) if limit.isdecimal() else _LONGEST_ROW
    if size > most:
        raise InputError.at(
            path,
            line,
            f"a row of {size:,} characters, and {most:,} are the most; shorten it, or set the "
            "environment variable RLAIF_LONGEST_ROW",
        )


def json_value(text: str, path: Path | str, line: int | None = None) -> Any:
    """Read JSON text; `path` and `line` stand in the error.

    Raises:
        InputError: for text that is no JSON, a field that stands twice, too many levels, or a
            line of a file that is longer than any model reads.
    """
    if line is not None:
        refuse_huge(len(text), path, line)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError.at(path, line, f"{twice!r} stands twice in one object")
        return found

    try:
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        raise InputError.at(path, line or error.lineno, f"not JSON: {error.msg}") from None
    except RecursionError:
        raise InputError.at(path, line, f"more than {_DEEP} levels deep") from None
    except ValueError as error:  # a number of thousands of digits
        raise InputError.at(path, line, f"not JSON: {str(error).split(';')[0]}") from None
