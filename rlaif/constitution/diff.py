"""What changed from one constitution to another, in words, principle by principle."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from rlaif.constitution.principle import Constitution, Principle

_FIELDS = ("weight", "veto", "negated", "scope", "when", "critique", "revision")


class Change(NamedTuple):
    """One principle that is new, gone, or changed."""

    mark: Literal["+", "-", "~"]
    principle: str
    what: str

    def __str__(self) -> str:
        """Write one line.

        >>> print(Change("+", "asks-back", '"The response asks back."'))
        + asks-back   "The response asks back."
        """
        return f"{self.mark} {self.principle}   {self.what}"


def diff(before: Constitution, after: Constitution) -> list[Change]:
    """Say what a judge would see change; reasons and tags are not seen by one."""
    old = {principle.id: principle for principle in before.principles}
    new = {principle.id: principle for principle in after.principles}
    renamed = _renamed(old, new)
    changes = [Change("~", name, f"was called {former!r}") for former, name in renamed.items()]
    for name, principle in new.items():
        if name in old:
            changes += [Change("~", name, what) for what in _changed(old[name], principle)]
        elif name not in renamed.values():
            changes.append(Change("+", name, f'"{principle.text}"'))
    gone = [name for name in old if name not in new and name not in renamed]
    return [*changes, *(Change("-", name, f'"{old[name].text}"') for name in gone)]


def _renamed(old: dict[str, Principle], new: dict[str, Principle]) -> dict[str, str]:
    """Recognise a principle under a new name by its sentence."""
    by_text = {principle.text: name for name, principle in new.items() if name not in old}
    return {
        name: by_text[principle.text]
        for name, principle in old.items()
        if name not in new and principle.text in by_text
    }


def _changed(before: Principle, after: Principle) -> Iterator[str]:
    if before.text != after.text:
        yield f'"{before.text}" → "{after.text}"'
    for field in _FIELDS:
        was, now = getattr(before, field), getattr(after, field)
        if was != now:
            yield f"{field}: {_shown(was)} → {_shown(now)}"
    if before.propositions != after.propositions:
        yield f"propositions: {_listed(before)} → {_listed(after)}"
    for name in ("examples", "tests"):
        had, has = getattr(before, name), getattr(after, name)
        if had != has:
            yield f"{name}: {len(had)} → {len(has)}, not the same pairs"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return "none" if value is None else str(value)


def _listed(principle: Principle) -> str:
    listed = (f"{p.sign * p.weight:+g} {p.text}" for p in principle.propositions)
    return "; ".join(listed) or "none"


def words_changed(changes: list[Change]) -> str:
    """Sum changes up for a line.

    >>> words_changed([Change("~", "a", "x"), Change("+", "b", "y")])
    '1 principle changed, 1 added'
    """
    if not changes:
        return "nothing that a judge sees changed"
    told: list[str] = []
    for mark, verb in (("~", "changed"), ("+", "added"), ("-", "removed")):
        names = {change.principle for change in changes if change.mark == mark}
        if names and not told:
            told.append(f"{len(names)} principle{'s' if len(names) > 1 else ''} {verb}")
        elif names:
            told.append(f"{len(names)} {verb}")
    return ", ".join(told)
