"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[Path, typer.Option("-o", "--out", help="The folder to write.")]
Constitution_ = Annotated[
    str, typer.Option("--constitution", "-c", help="A constitution file, or a shipped one's name.")
]
ModelName = Annotated[
    str, typer.Option(help="embedded, a Hugging Face folder or name, openai:MODEL, a YAML file.")
]
JudgeName = Annotated[
    str, typer.Option(help="embedded, openai:MODEL, a YAML file, recorded:FILE, a folder.")
]
Store = Annotated[
    Path | None,
    typer.Option(help="Completions are kept here; -o's own by default. Processes share one."),
]
BudgetOf = Annotated[
    str | None, typer.Option("--budget", help="Stop at usd=5,requests=20000,tokens=3000000.")
]
DryRun = Annotated[bool, typer.Option(help="Count requests, tokens and money; ask nothing.")]
Seed = Annotated[int, typer.Option(help="What every draw starts from.")]
Settings = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY=VALUE",
        help="Any key of the experiment's section of this name, such as steps=300.",
    ),
]
