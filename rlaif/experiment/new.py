"""Begin an experiment of one's own: a ready file under a new name, with its constitution."""

import re
from pathlib import Path

from rlaif.constitution.principle import Constitution
from rlaif.errors import InputError
from rlaif.experiment.config import beside, load_experiment
from rlaif.resources import find
from rlaif.storage import write_atomically
from rlaif.yamlfile import read_text


def write_new(name: str, template: str, folder: Path) -> list[Path]:
    """Write `NAME.yaml` and, beside it, the constitution that it names; overwrite nothing.

    Raises:
        InputError: for a name that cannot name a folder, or a file that is there already.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise InputError(f"{name!r}: use letters, digits, '.', '_' and '-'")
    source = find("experiments", template)
    experiment = load_experiment(source)
    constitution = beside(source, experiment.constitution, "constitution")
    text = re.sub(r"^name:.*$", f"name: {name}", read_text(source), count=1, flags=re.MULTILINE)
    rules = Constitution.load(constitution).name
    text = re.sub(
        r"^constitution:.*$", f"constitution: {rules}.yaml", text, count=1, flags=re.MULTILINE
    )
    # The schema is for editors and lies beside the shipped file, not beside the copy.
    own = re.sub(r"^# yaml-language-server:.*\n", "", read_text(constitution))
    written = {folder / f"{name}.yaml": text, folder / f"{rules}.yaml": own}
    for path in written:
        if path.exists():
            raise InputError(f"{path}: is there already; choose another name, or move it away")
    for path, content in written.items():
        write_atomically(path, content)
    return list(written)
