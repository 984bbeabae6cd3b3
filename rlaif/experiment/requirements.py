"""What is required of a judge, as a command line says it; checked before any model is loaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rlaif.constitution.principle import Constitution
from rlaif.errors import InputError
from rlaif.feedback.label import LabelConfig, Require
from rlaif.feedback.people import read_ratings
from rlaif.judges.compose import Judging, conditions_to_ask, requests_for_comparison
from rlaif.resources import did_you_mean


def parse_require(told: Sequence[str]) -> Require | None:
    """Read `agreement=0.7`, `people=FILE` and the like; None where nothing is required.

    Raises:
        InputError: for a requirement that there is not, or a value that it cannot have.
    """
    if not told:
        return None
    values: dict[str, Any] = {}
    for one in told:
        name, equals, value = one.partition("=")
        if name not in Require.model_fields:
            known = did_you_mean(name, list(Require.model_fields))
            raise InputError(f"--require {name}: no such requirement{known}")
        if not equals or not value:
            raise InputError(f"--require {one}: expected NAME=VALUE, such as agreement=0.7")
        values[name] = value
    try:
        return Require.model_validate(values)
    except ValidationError as error:
        detail = error.errors()[0]
        where = ".".join(str(step) for step in detail["loc"])
        what = detail["msg"].removeprefix("Value error, ").replace("Input should", "should")
        raise InputError(f"--require {where}: {what}" if where else f"--require: {what}") from None


def check_require(require: Require | None, constitution: Constitution, people: Path | None) -> None:
    """Make sure that what is required can be measured.

    Raises:
        InputError: for a file of people's labels that cannot be read, or where agreement is
            required and there is nothing to agree with.
    """
    if require is None:
        return
    if people is not None:
        read_ratings(people)
    elif require.agreement is not None and not _examples(constitution):
        raise InputError(
            f"{constitution.name}: agreement is required, and no principle has examples; give "
            "them some, or name people's labels as `people`"
        )


def gate_requests(config: LabelConfig, models: int, constitution: Constitution) -> int:
    """Count the requests that the gate sends at most beside those for the labels."""
    require = config.require
    if require is None or require.agreement is None:
        return 0
    if require.people:
        rules = constitution.principles
        each = requests_for_comparison(config, models, rules, config.principles)
        return require.sample * (each + conditions_to_ask(constitution))
    return trial_requests(config, models, constitution)


def trial_requests(config: Judging, models: int, constitution: Constitution) -> int:
    """Count the requests that trying a constitution's examples sends at most."""
    # An example is tried with either reply first.
    return 2 * sum(
        len(principle.tried) * requests_for_comparison(config, models, [principle], "all")
        for principle in constitution.principles
    )


def _examples(constitution: Constitution) -> int:
    return sum(len(principle.tried) for principle in constitution.principles)
