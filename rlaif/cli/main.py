"""The entry point: every error a person can cause is one line, and no traceback reaches them."""

import contextlib
import os
import signal
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path

import typer

from rlaif import __version__
from rlaif.cli import (
    cache,
    compare,
    constitution,
    embedded,
    experiment,
    feedback,
    judge,
    reward,
    sample,
    several,
    stages,
    template,
)
from rlaif.cli.console import end_lines
from rlaif.errors import RlaifError
from rlaif.ranks import is_first

INTERRUPTED = 130
TERMINATED = 143

app = typer.Typer(
    name="rlaif",
    help="Constitutional AI and RLAIF: write principles, judge by them, train on the labels.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
experiment.add_to(app)
stages.add_to(app)
sample.add_to(app)
compare.add_to(app)
app.add_typer(constitution.app, name="constitution")
app.add_typer(template.app, name="template")
app.add_typer(judge.app, name="judge")
app.add_typer(reward.app, name="reward")
app.add_typer(feedback.app, name="feedback")
app.add_typer(embedded.app, name="embedded")
app.add_typer(cache.app, name="cache")


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    The exit code is 0, 2 for what a person can mend, 3 for a budget that is spent or a judge that
    stays away, 130 for Ctrl-C and 143 for a polite kill, which loses as little.
    """
    _quiet_libraries()
    with several.one_speaks(sys.argv[1:] if arguments is None else arguments) as has_part:
        return _ended(arguments) if has_part else 0


def _ended(arguments: list[str] | None) -> int:
    with _ended_politely() as killed:
        try:
            code = _run(arguments)
        finally:
            end_lines()
    if code == INTERRUPTED:
        several.say_why("stopped; what is done is kept, run the same command again to go on")
        return TERMINATED if killed else code
    return code


@contextlib.contextmanager
def _ended_politely() -> Iterator[list[int]]:
    """Make SIGTERM what Ctrl-C is; give a list that holds it once it has come."""
    killed: list[int] = []

    def end(number: int, _: object) -> None:
        killed.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield killed
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield killed
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(arguments: list[str] | None) -> int:
    try:
        # Typer gives the code of an Exit, and 130 for Ctrl-C, as what it returns.
        returned = app(arguments, standalone_mode=False)
    except RlaifError as error:
        several.say_why(str(error))
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        returned = INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away, as `head` does.
        several.end_all()
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 (the last line of defence)
        return _unforeseen(error)
    return returned if isinstance(returned, int) else 0


def _unforeseen(error: Exception) -> int:
    show = getattr(error, "show", None)
    if callable(show):  # a usage error of the command line itself: an unknown option, say
        if is_first():
            show()
        return 2
    if os.environ.get("RLAIF_DEBUG"):
        raise error
    with tempfile.NamedTemporaryFile(
        "w", prefix="rlaif-", suffix=".log", delete=False, encoding="utf-8"
    ) as file:
        traceback.print_exception(error, file=file)
    what = str(error).splitlines()[0][:200] if str(error) else ""
    several.say_why(
        f"rlaif met something it did not foresee: {type(error).__name__}: {what}\n"
        f"what is done is kept; the details are in {Path(file.name)}"
    )
    return 1


def _quiet_libraries() -> None:
    warnings.filterwarnings("ignore", category=FutureWarning)
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def entry() -> None:
    """Run as a program."""
    sys.exit(main())
