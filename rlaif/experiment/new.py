"""Begin an experiment of one's own: a ready file under a new name, with its constitution."""

import re
from collections.abc import Mapping
from pathlib import Path

from rlaif.constitution.principle import Constitution
from rlaif.errors import InputError
from rlaif.experiment.config import beside, load_experiment
from rlaif.resources import find
from rlaif.storage import write_atomically
from rlaif.yamlfile import read_text


def write_new(name: str, template: str, folder: Path) -> list[Path]:
    """Write `NAME.yaml` and, beside it, the constitution that it names; overwrite nothing.

    A comparison of methods names none, and is written alone.

    Raises:
        InputError: for a name that cannot name a folder, or a file that is there already.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise InputError(f"{name!r}: use letters, digits, '.', '_' and '-'")
    source = find("experiments", template)
    written = {folder / f"{name}.yaml": _with(read_text(source), name=name)}
    if not is_comparison(source):
        written = _with_constitution(source, written)
    for path in written:
        if path.exists():
            raise InputError(f"{path}: is there already; choose another name, or move it away")
    for path, content in written.items():
        write_atomically(path, content)
    return list(written)


def is_comparison(file: Path) -> bool:
    """Say whether a file compares methods, which an experiment does not."""
    return re.search(r"^methods:", read_text(file), re.MULTILINE) is not None


def _with_constitution(source: Path, written: Mapping[Path, str]) -> dict[Path, str]:
    [(path, text)] = written.items()
    constitution = beside(source, load_experiment(source).constitution, "constitution")
    rules = Constitution.load(constitution).name
    # The schema is for editors and lies beside the shipped file, not beside the copy.
    own = re.sub(r"^# yaml-language-server:.*\n", "", read_text(constitution))
    return {path: _with(text, constitution=f"{rules}.yaml"), path.parent / f"{rules}.yaml": own}


def _with(text: str, **values: str) -> str:
    """Put other values in place of a file's own."""
    for key, value in values.items():
        text = re.sub(rf"^{key}:.*$", f"{key}: {value}", text, count=1, flags=re.MULTILINE)
    return text
