"""`rlaif` in a process of its own that starts in an instant, to be killed: everything is loaded."""

import io
import multiprocessing
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

IN_FLIGHT = 8
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["rlaif.cli.main", "rlaif.experiment.alone", "rlaif.backends.openai", "tests.labelling"]
)


def start(
    folder: Path, arguments: list[str], base_url: str, *, largest_file: int | None = None
) -> Any:
    """Start the command in a folder, against a server; what it says of errors goes to `told`."""
    process = _CONTEXT.Process(target=_run, args=(folder, arguments, base_url, largest_file))
    process.start()
    return process


def _run(folder: Path, arguments: list[str], base_url: str, largest_file: int | None) -> None:
    # A shell ignores Ctrl-C for what it starts in the background, tests included.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    os.environ |= {"OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": "sk-planted-key"}
    told = (folder / "told").open("w", encoding="utf-8")
    sys.stdout, sys.stderr = io.StringIO(), told
    if largest_file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))
    # Loaded already, by the server of forks.
    from rlaif.backends.spec import OpenAIModel  # noqa: PLC0415
    from rlaif.cli.main import main  # noqa: PLC0415

    OpenAIModel.model_fields["in_flight"].default = IN_FLIGHT
    OpenAIModel.model_rebuild(force=True)
    code = main(arguments)
    told.flush()
    sys.exit(code)
