import pytest

from rlaif.errors import InputError
from rlaif.experiment.requirements import parse_require
from rlaif.feedback.label import Require


def test_requirements_are_read_from_a_command_line() -> None:
    told = parse_require(["agreement=0.7", "same_slot=0.3", "sample=20", "people=p.jsonl"])
    assert told == Require(agreement=0.7, same_slot=0.3, sample=20, people="p.jsonl")
    assert parse_require([]) is None


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("agrement=0.7", "--require agrement: no such requirement; did you mean 'agreement'"),
        ("agreement", "--require agreement: expected NAME=VALUE, such as agreement=0.7"),
        ("agreement=", "--require agreement=: expected NAME=VALUE"),
        ("agreement=7", "--require agreement: should be less than or equal to 1"),
        ("agreement=much", "--require agreement: should be a valid number"),
        ("sample=0", "--require sample: should be greater than or equal to 1"),
        ("sample=9", "--require: names no requirement: agreement, same_slot or abstained"),
    ],
)
def test_what_cannot_be_required_is_one_line(told: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_require([told])
