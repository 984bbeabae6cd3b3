"""What a model would be asked about a row: the very requests, before anybody is asked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlaif.answers.answer import letters
from rlaif.backends.scripted import ScriptedBackend
from rlaif.constitution.principle import Constitution, Principle
from rlaif.errors import InputError, TemplateError
from rlaif.feedback.importers import read_pair, read_pairs
from rlaif.feedback.revise import values_of
from rlaif.judges.base import Case
from rlaif.judges.build import judge_from, kind_of
from rlaif.records import Comparison, Request
from rlaif.templates import Template
from rlaif.yamlfile import json_value, read_text

THOUGHT = "(what the model has thought stands here)"
CRITIQUE = "(the critique stands here)"


def requests_on(
    name: str | Path, row: str, constitution: Constitution, principle: str | None = None
) -> list[Request]:
    """Make the requests that a prompt file leads to on a row, with one order of the replies.

    The row holds the values of the file's inputs, or a pair of any kind that `label` reads; of a
    pair's principles the first in scope is asked about unless one is named.

    Args:
        name: a prompt file, or a shipped one's name.
        row: a file of JSON or JSONL, its first row taken, or `FILE:LINE`.
        constitution: where principles come from when the row is a pair.
        principle: the id of one of them.

    Raises:
        InputError: for a file or row that cannot be used, or a principle that is not there.
    """
    template = Template.load(name)
    path, line = _place(row)
    values = _object(path, line)
    if set(template.inputs) <= set(values) and isinstance(values.get("prompt", ""), str):
        return _filled(template, values)
    comparison = read_pair(path, line)
    asked = constitution[principle] if principle else _first_in_scope(constitution, comparison)
    if "when" in template.inputs:
        when = {"prompt": comparison.prompt.text, "when": _when_of(asked, constitution)}
        return _filled(template, when)
    try:
        kind = kind_of(template)
    except TemplateError:
        written = comparison.prompt, comparison.first
        return _filled(template, values_of(written, asked, CRITIQUE, template))
    together = [comparison]
    if kind == "rank" and comparison.group is not None:
        together = [pair for pair in read_pairs(path) if pair.group == comparison.group]
    return _judged(name, [Case(pair, asked) for pair in together], constitution)


def _judged(name: str | Path, cases: list[Case], constitution: Constitution) -> list[Request]:
    """Let the judge itself ask, of a backend that only listens."""
    listener = ScriptedBackend(lambda request: (request.options or (THOUGHT,))[0])
    judge = judge_from(listener, name, orders="one", constitution=constitution)
    for _ in judge.decide(cases):
        pass
    return listener.seen


def _filled(template: Template, values: Mapping[str, Any]) -> list[Request]:
    replies = values.get("replies", ())
    if all(isinstance(reply, str) for reply in replies):
        named = zip(letters(len(replies)), replies, strict=False)
        shown = [{"letter": letter, "text": text} for letter, text in named]
        values = {**values, "replies": shown}
    if template.thinking is None:
        return [template.render("", values)]
    thinks = template.render_thinking("", values)
    return [thinks, template.render("", values, thought=THOUGHT)]


def _when_of(principle: Principle, constitution: Constitution) -> str:
    if principle.when is None:
        raise InputError(
            f"{constitution.name}: the principle {principle.id!r} has no `when` to ask of a prompt"
        )
    return principle.when


def _first_in_scope(constitution: Constitution, comparison: Comparison) -> Principle:
    fitting = [p for p in constitution.principles if p.applies_to(comparison.prompt.tags)]
    return fitting[0] if fitting else constitution.principles[0]


def _place(row: str) -> tuple[Path, int | None]:
    if Path(row).exists():
        return Path(row), None
    before, _, line = row.rpartition(":")
    return (Path(before), int(line)) if before and line.isdecimal() else (Path(row), None)


def _object(path: Path, line: int | None) -> dict[str, Any]:
    """Read a row as an object; a file may also be one object over many lines."""
    text = read_text(path)
    lines = text.rstrip("\n").split("\n")
    if line is not None and not (0 < line <= len(lines) and lines[line - 1].strip()):
        raise InputError.at(path, line, f"no row here; the last line is {len(lines)}")
    number = line or next((n for n, row in enumerate(lines, start=1) if row.strip()), 1)
    try:
        found = json_value(lines[number - 1], path, number)
    except InputError as error:
        try:
            found = json_value(text, path) if line is None else None
        except InputError:
            found = None
        if found is None:
            raise error from None
    if not isinstance(found, dict):
        raise InputError.at(path, number, "expected an object: the inputs' values, or a pair")
    return found
