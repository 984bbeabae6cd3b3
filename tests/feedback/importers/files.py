"""Files of rows to read, and the real ones where they are."""

import json
import os
from pathlib import Path
from typing import Any

import pytest


def write(folder: Path, *rows: dict[str, Any], name: str = "pairs.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def real(name: str) -> Path:
    """Find a real file; skip the test where it is not there."""
    path = Path(os.environ.get("RLAIF_DATA", "/nowhere")) / name
    if not path.is_file():
        pytest.skip(f"RLAIF_DATA does not hold {name}")
    return path
