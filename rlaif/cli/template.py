"""Prompt files: show what a model would receive."""

import json
from pathlib import Path
from typing import Annotated

import typer

from rlaif.cli.console import OUT
from rlaif.errors import InputError

app = typer.Typer(help="Look at prompt files.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Look at prompt files."""


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A prompt file, or a shipped one's name")],
    on: Annotated[Path | None, typer.Option("--on", help="JSON with the inputs' values.")] = None,
) -> None:
    """Show a prompt file role by role; with `--on`, exactly what a model would receive."""
    from rlaif.templates import Template
    from rlaif.yamlfile import read_text

    template = Template.load(name)
    OUT.print(f"{template.name}: {template.purpose}", markup=False)
    OUT.print(
        f"inputs: {', '.join(template.inputs)}   answer: {template.answer.kind}\n", markup=False
    )
    if on is None:
        turns = [(_head(t.role, is_example=t.is_example), t.body) for t in template.turns]
    else:
        try:
            values = json.loads(read_text(on).split("\n")[0])
        except json.JSONDecodeError as error:
            raise InputError.at(on, 1, f"not JSON: {error.msg}") from None
        if not isinstance(values, dict):
            needed = ", ".join(template.inputs)
            raise InputError.at(on, 1, f"expected one object with {needed}")
        request = template.render("shown", values)
        turns = [(message.role, message.content) for message in request.messages]
        if request.opening:
            turns.append(("assistant", request.opening))
    for role, text in turns:
        OUT.print(f"[{role}]\n{text}\n", markup=False)


def _head(role: str, *, is_example: bool) -> str:
    return f"example {role}" if is_example else role
