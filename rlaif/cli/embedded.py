"""The model that comes along: where it is, and its judge's training and report card."""

import typer

from rlaif.cli.console import OUT, Shown

app = typer.Typer(help="The model that comes along, and its judge.", no_args_is_help=True)


@app.command()
def path() -> None:
    """Print the embedded model's folder, converting the model on first use."""
    from rlaif.embedded.find import embedded_model

    OUT.print(str(embedded_model(Shown().say)), markup=False)
