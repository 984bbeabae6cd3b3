"""Find what ships beside the code: constitutions, prompts and experiments."""

import difflib
from pathlib import Path

from rlaif.errors import InputError

_PACKAGE = Path(__file__).parent
_SUFFIX = {"constitution": ".yaml", "experiments": ".yaml", "prompts": ".j2"}


def shipped(folder: str) -> Path:
    """Give a shipped folder, or file: inside the package in a wheel, beside it in a checkout."""
    inside = _PACKAGE / "shipped" / folder
    return inside if inside.exists() else _PACKAGE.parent / folder


def shipped_names(folder: str) -> list[str]:
    """List the names that `find` accepts for a folder."""
    return sorted(path.stem for path in shipped(folder).glob(f"*{_SUFFIX[folder]}"))


def find(folder: str, name: str | Path) -> Path:
    """Turn a path, or the bare name of a shipped file, into a path that exists.

    Raises:
        InputError: when there is no such file; names the nearest shipped one.
    """
    path = Path(name)
    if path.is_file():
        return path
    if path.is_dir():
        raise InputError(f"{path}: a folder; name a file in it")
    known = shipped_names(folder)
    if str(name).removesuffix(_SUFFIX[folder]) in known:
        return shipped(folder) / f"{str(name).removesuffix(_SUFFIX[folder])}{_SUFFIX[folder]}"
    raise InputError(f"{name}: no such file{did_you_mean(str(name), known)}")


def did_you_mean(name: str, known: list[str]) -> str:
    """End an error with the nearest known name, or with all of them where none is near.

    >>> did_you_mean("wieght", ["weight", "veto"])
    "; did you mean 'weight'?"
    >>> did_you_mean("zzz", ["weight", "veto"])
    '; there are: veto, weight'
    """
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are: {', '.join(sorted(known))}" if known else ""
