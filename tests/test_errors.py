"""The drawing in the module is the tree of classes, and each says what its remedy is."""

import re

import rlaif.errors
from rlaif.errors import InputError, RlaifError


def below(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(below(inner) for inner in kind.__subclasses__()), set())


def test_the_drawing_names_every_class_and_no_other() -> None:
    drawn = set(re.findall(r"[├└]── (\w+)", rlaif.errors.__doc__ or "")) | {"RlaifError"}
    ours = {kind.__name__ for kind in below(RlaifError) if kind.__module__ == "rlaif.errors"}
    assert drawn == ours


def test_every_error_ends_with_2_but_what_goes_on_later_and_has_a_docstring() -> None:
    for kind in below(RlaifError):
        goes_on = kind in (rlaif.errors.BudgetError, rlaif.errors.OutageError)
        expected = 3 if goes_on else 2
        assert kind.exit_code == expected  # type: ignore[attr-defined]
        assert kind.__doc__


def test_a_place_is_written_as_compilers_do() -> None:
    assert str(InputError.at("a.yaml", 3, "wrong")) == "a.yaml:3: wrong"
    assert str(InputError.at("a.yaml", None, "wrong")) == "a.yaml: wrong"
