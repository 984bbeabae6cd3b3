"""What can go wrong, as a tree: every error a person can cause is one line and an exit code.

    RlaifError                 anything this toolkit reports in one line (exit 2)
    ├── InputError             a file, row or option that cannot be used: where, what, what to do
    │   └── TemplateError      a prompt file that cannot be rendered or read
    ├── MissingModelError      a model, adapter or reward model that is not there
    ├── BackendError           a backend that cannot go on: a wrong key, a dead server
    │   ├── RefusedError       a key, a model or an address that a server refuses
    │   └── OutageError        a judge that stays away in the middle; everything is kept (exit 3)
    ├── StorageError           a folder or disk that cannot hold what must be kept
    ├── BudgetError            a budget that is spent; everything is kept (exit 3)
    ├── GateError              a judge that falls short of what is required of it
    └── StageError             a stage that has nothing to work on, or lacks an earlier one

To add one: put it under the category whose remedy it shares, give it a docstring that names the
remedy, and draw it above; `tests/test_errors.py` holds the drawing to the classes.

A judge that gives no usable answer is not here: that is an `Abstention`, which is data.
"""

from pathlib import Path


class RlaifError(Exception):
    """Anything this toolkit reports to a person in one line."""

    exit_code = 2


class InputError(RlaifError):
    """A file, row or option that cannot be used; the message says where, what, and what to do."""

    @classmethod
    def at(cls, path: Path | str, line: int | None, what: str) -> "InputError":
        """Name the place first, as compilers do: `file:line: what`."""
        place = f"{path}:{line}" if line else f"{path}"
        return cls(f"{place}: {what}")


class TemplateError(InputError):
    """A prompt file that cannot be rendered or read; mend the file it names."""


class MissingModelError(RlaifError):
    """A model, adapter or reward model that is not there; the message says how to get one."""


class BackendError(RlaifError):
    """A backend that cannot go on; the message names the setting to change."""


class RefusedError(BackendError):
    """A key, a model or an address that a server refuses; mend it, since waiting does not help."""


class OutageError(BackendError):
    """A judge that stays away; bring it back, and the same command goes on from what is kept."""

    exit_code = 3


class StorageError(RlaifError):
    """A folder or disk that cannot hold what must be kept; make room or choose another place."""


class BudgetError(RlaifError):
    """A budget that is spent; raise it, and the same command goes on from what is kept."""

    exit_code = 3


class GateError(RlaifError):
    """A judge that falls short; change what the table says of it, or go on with `--anyway`."""


class StageError(RlaifError):
    """A stage that has nothing to work on, or lacks an earlier one; the message says which."""
