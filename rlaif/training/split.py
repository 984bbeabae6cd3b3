"""Which conversations trained a model: kept in its folder as digests, so that no text leaks."""

import json
from collections.abc import Iterable
from pathlib import Path

from rlaif.errors import MissingModelError
from rlaif.records import Prompt, fingerprint_of
from rlaif.storage import write_atomically

FILE = "split.json"


def digest(prompt: Prompt) -> str:
    """Stand for a conversation by its text, as the split is made."""
    return fingerprint_of(prompt.text)[:16]


def note_split(folder: Path, train: Iterable[str]) -> None:
    """Write down, beside the weights, the digests of what the model was trained on."""
    digests = sorted(set(train))
    write_atomically(folder / FILE, json.dumps({"by": "prompt", "train": digests}) + "\n")


def trained_on(folder: Path) -> frozenset[str] | None:
    """Give the digests of the conversations a model was trained on; None where it does not say.

    Raises:
        MissingModelError: for a file that somebody damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        return frozenset(str(each) for each in json.loads(path.read_bytes())["train"])
    except (ValueError, KeyError, TypeError):
        raise MissingModelError(
            f"{path}: damaged; delete it, and every row will be taken as never trained on"
        ) from None
