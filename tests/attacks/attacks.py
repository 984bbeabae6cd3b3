"""The replies that talk to the judge, read from their file; what fills a template with them."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from rlaif.records import Request
from rlaif.resources import shipped_names
from rlaif.templates import Template

PLAIN = "Two times two is four."
OTHER = "I do not know."
PRINCIPLE = "The response answers the question."


class Attack(NamedTuple):
    """A reply that talks to the judge."""

    id: str
    kind: str
    text: str


@lru_cache
def loaded(name: str) -> Template:
    """Read a shipped prompt file once for all that fill it in."""
    return Template.load(name)


def attacks() -> list[Attack]:
    """Read them from their file."""
    found = yaml.safe_load(Path(__file__).with_name("replies.yaml").read_text(encoding="utf-8"))
    return [
        Attack(row["id"], kind, row["text"] * row.get("times", 1))
        for kind, rows in found.items()
        for row in rows
    ]


def judging() -> list[str]:
    """Name the shipped prompt files that show a judge what somebody else wrote."""
    names = shipped_names("prompts")
    return [name for name in names if loaded(name).answer.kind != "text"]


def filled(name: str, text: str) -> Iterator[Request]:
    """Fill a prompt file in with a text in each place that a reply, or a prompt, can stand in."""
    template = loaded(name)
    for place in _places(template):
        values = _values(template, place, text)
        if template.thinking:
            yield template.render_thinking("", values)
            yield template.render("", values, thought="Four is right.")
            yield template.render("", values, thought=text or "-")
        else:
            yield template.render("", values)


def _places(template: Template) -> list[str]:
    places = [name for name in ("prompt", "reply", "first", "second") if name in template.inputs]
    return places + (["A", "C"] if "replies" in template.inputs else [])


def _values(template: Template, place: str, text: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        "prompt": "What is two times two?",
        "reply": PLAIN,
        "first": PLAIN,
        "second": OTHER,
        "principle": PRINCIPLE,
        "when": "The user asks for a number.",
        "replies": [{"letter": letter, "text": PLAIN} for letter in "ABC"],
        "examples": [
            {"prompt": "Hi", "first": "Hello.", "second": "No.", "principle": "It is kind.",
             "answer": "A"}
        ],
    }  # fmt: skip
    if place in "AC":
        values["replies"] = [
            {**reply, "text": text} if reply["letter"] == place else reply
            for reply in values["replies"]
        ]
    else:
        values[place] = text
    return {name: values[name] for name in template.inputs}
