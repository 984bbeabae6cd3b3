"""The command line where a launcher has started several processes: one of them speaks."""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rlaif.ranks import is_first, rank, ranks

_TRAIN = ("run", "sft", "reward", "optimize")
_LAUNCHED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR")
_ALONE = ("reward score", "reward report")


@contextlib.contextmanager
def one_speaks(arguments: Sequence[str]) -> Iterator[bool]:
    """Say whether this process has a part in a command, and silence it unless it is the first.

    What does not train is done by the first process, while the others end at once.
    """
    trains = arguments[:1] and arguments[0] in _TRAIN and " ".join(arguments[:2]) not in _ALONE
    if not trains:
        is_speaker = is_first()
        if is_speaker:
            # What it trains by itself, it must not wait for the others with.
            for name in _LAUNCHED:
                os.environ.pop(name, None)
        yield is_speaker
    elif is_first():
        yield True
    else:
        nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (closed below)
        with nowhere, contextlib.redirect_stdout(nowhere):
            yield True
    if ranks() > 1 and "torch" in sys.modules:
        from rlaif.training.team import leave

        leave()


def end_all() -> None:
    """Let the other processes of the run end with this one, which says nothing."""
    if ranks() > 1 and "torch" in sys.modules:
        from rlaif.training.team import has_the_word

        has_the_word()


def say_why(line: str) -> None:
    """Say why a command ends, unless another process of the run has said so."""
    if ranks() > 1:
        from rlaif.training.team import has_the_word

        if not has_the_word():
            return
        if not is_first():
            line = f"process {rank()}: {line}"
    print(line, file=sys.stderr, flush=True)
