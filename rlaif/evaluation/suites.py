"""Suites: what policies are evaluated on, shipped by name or as a person's own file."""

from importlib.resources import as_file, files
from pathlib import Path

from rlaif.embedded.traits.base import Kind
from rlaif.errors import InputError
from rlaif.feedback.prompts import load_prompts
from rlaif.records import Prompt
from rlaif.resources import did_you_mean

SHIPPED = ("harmful", "benign", "helpful")
"""Requests to decline, requests that only sound so, and ordinary ones."""

_KINDS: dict[str, Kind] = {"harmful": "unsafe", "benign": "scary", "ordinary": "ordinary"}


def load_suite(name_or_path: str | Path) -> list[Prompt]:
    """Read a shipped suite by its name, or any file of prompts.

    Raises:
        InputError: where there is neither; names the nearest suite.
    """
    name, path = str(name_or_path), Path(name_or_path)
    if name in SHIPPED:
        with as_file(files("rlaif.evaluation").joinpath("suites", f"{name}.jsonl")) as shipped:
            return load_prompts(shipped)
    if path.suffix or path.exists():
        return load_prompts(path)
    raise InputError(f"{name}: no such suite{did_you_mean(name, list(SHIPPED))}")


def kind_of(prompt: Prompt) -> Kind:
    """Say what a prompt asks for, by its tags, in the words that traits use."""
    return next((_KINDS[tag] for tag in prompt.tags if tag in _KINDS), "")
