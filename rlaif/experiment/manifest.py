"""What is fresh, stale or half written: a stage's folder is finished when its manifest is there."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from rlaif import __version__
from rlaif.errors import StorageError
from rlaif.records import Manifest, fingerprint_of
from rlaif.storage import storing, write_atomically

State = Literal["fresh", "stale", "unfinished", "missing"]


def key_of(stage: str, config: dict[str, Any], inputs: dict[str, str], seed: int) -> str:
    """Stand for everything that a stage's folder is made from."""
    return fingerprint_of([stage, config, inputs, seed, __version__])


def read_manifest(folder: Path) -> Manifest | None:
    """Read a finished stage's manifest; None where the stage is missing or unfinished.

    Raises:
        StorageError: for a manifest that somebody damaged.
    """
    path = folder / "manifest.json"
    if not path.is_file():
        return None
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError:
        raise StorageError(f"{path}: damaged; delete {folder} and run again") from None


def state_of(folder: Path, key: str) -> State:
    """Say how a stage's folder stands beside what it should be made from."""
    manifest = read_manifest(folder)
    if manifest:
        return "fresh" if manifest.key == key else "stale"
    return "unfinished" if _begun_with(folder) == key else "stale" if folder.exists() else "missing"


def begin(folder: Path, key: str) -> None:
    """Open a stage's folder: what an unfinished run with the same inputs left is gone on from.

    What was made from other inputs goes: its completions are in the store, so asking again for
    what has not changed costs nothing.
    """
    with storing(folder):
        if folder.exists() and _begun_with(folder) != key:
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "manifest.json").unlink(missing_ok=True)
        write_atomically(folder / "begun.json", json.dumps({"key": key}))


def finish(folder: Path, manifest: Manifest) -> None:
    """Write the manifest: from here on the stage is finished."""
    stamped = manifest.model_copy(update={"finished": datetime.now(UTC).isoformat("T", "seconds")})
    write_atomically(folder / "manifest.json", stamped.model_dump_json(indent=1))


def _begun_with(folder: Path) -> str | None:
    try:
        key = json.loads((folder / "begun.json").read_text(encoding="utf-8"))["key"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(key)
