"""Prompt files: show what a model would receive."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rlaif.cli.console import OUT

if TYPE_CHECKING:
    from rlaif.backends.tokens import TokenCounter
    from rlaif.records import Request
    from rlaif.templates import Template

app = typer.Typer(help="Look at prompt files.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Look at prompt files."""


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A prompt file, or a shipped one's name")],
    on: Annotated[
        str | None,
        typer.Option("--on", help="FILE or FILE:LINE with the inputs' values, or with a pair."),
    ] = None,
    constitution: Annotated[
        str, typer.Option("--constitution", "-c", help="Whose principles a pair is judged by.")
    ] = "harmlessness",
    principle: Annotated[
        str | None, typer.Option(help="One of them; the first in scope where none is named.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="Whose tokens to count: embedded, or a model's folder.")
    ] = "embedded",
) -> None:
    """Show a prompt file role by role; with `--on`, exactly what a model would receive."""
    from rlaif.constitution.principle import Constitution
    from rlaif.feedback.asked import requests_on
    from rlaif.templates import Template

    template = Template.load(name)
    if on is None:
        _head(template)
        for role, body, is_example in template.turns:
            OUT.print(f"[{'example ' if is_example else ''}{role}]\n{body}\n", markup=False)
        return
    requests = requests_on(name, on, Constitution.load(constitution), principle)
    counter = _counter(model)
    _head(template)
    for number, request in enumerate(requests, start=1):
        if len(requests) > 1:
            OUT.print(f"── request {number} of {len(requests)}\n", markup=False)
        _show(request, counter)


def _head(template: "Template") -> None:
    answer = f"{template.answer.kind} {', '.join(template.answer.options)}".strip()
    thinks = "   thinks first" if template.thinking else ""
    OUT.print(f"{template.name}: {template.purpose}", markup=False)
    OUT.print(f"inputs: {', '.join(template.inputs)}   answer: {answer}{thinks}\n", markup=False)


def _show(request: "Request", counter: "TokenCounter | None") -> None:
    for message in request.messages:
        OUT.print(f"[{message.role}]\n{message.content}\n", markup=False)
    if request.opening:
        OUT.print(f"[assistant]\n{request.opening}\n", markup=False)
    if request.options:
        OUT.print(f"scored: {', '.join(request.options)}", markup=False)
    if counter is None:
        OUT.print("tokens: not counted; the embedded model is not here, name a --model\n")
        return
    turns = [f"{message.role} {counter.count(message.content)}" for message in request.messages]
    whole = counter.count_request(request)
    asked = f"at most {request.sampling.max_tokens} to write"
    OUT.print(
        f"tokens: {whole} with {counter.name}'s chat template ({', '.join(turns)}); {asked}\n",
        markup=False,
    )


def _counter(model: str) -> "TokenCounter | None":
    from rlaif.backends.tokens import TokenCounter
    from rlaif.embedded.find import converted_model

    folder = converted_model() if model == "embedded" else Path(model)
    return TokenCounter(folder) if folder else None
