"""What every client is given and tells: the same questions, and one line of JSON.

Each client is a program of its own, `CLIENT.py URL ITEMS IN_FLIGHT`, so that one's memory and
imports are not another's. Needs nothing that is not Python's own.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

SAMPLING: dict[str, Any] = {
    "temperature": 0,
    "top_p": 1,
    "max_tokens": 1,
    "logprobs": True,
    "top_logprobs": 20,
}
_FILLER = "A reply to compare, of a few dozen words, as they are in most preference data sets. " * 9
os.environ.setdefault("OPENAI_API_KEY", "none")


class Job(NamedTuple):
    """What is to be done."""

    url: str
    items: int
    in_flight: int


def reply(number: int, slot: str) -> str:
    """Write one of the two replies of an item."""
    return f"Reply {slot} to {number}. {_FILLER}"


def question(number: int) -> str:
    """Write the whole question about an item."""
    return (
        f"Which reply is better?\n\nQuestion {number}\n\n<A>\n{reply(number, 'A')}\n</A>\n\n"
        f"<B>\n{reply(number, 'B')}\n</B>\n\nAnswer with A or B alone."
    )


def messages(number: int) -> list[dict[str, str]]:
    """Write the question as a chat."""
    return [{"role": "user", "content": question(number)}]


def measure(client: Callable[[Job], int]) -> None:
    """Let a client work, and tell how long it took, what of it was its own time, and its memory."""
    job = Job(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    began, own = time.perf_counter(), time.process_time()
    done = client(job)
    told = {
        "done": done,
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - own,
        "mb": peak(),
    }
    print("\n" + json.dumps(told), flush=True)
    # Some clients leave threads behind that wait for ever.
    os._exit(0)


def peak() -> float:
    """Give the most memory that this process has had, in megabytes."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return 0.0
    text = status.read_text(encoding="utf-8")
    return int(text.partition("VmHWM:")[2].split()[0]) / 1024
