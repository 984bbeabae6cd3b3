"""What a stage keeps of its outcomes, and what its next run asks again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rlaif.errors import BackendError
from rlaif.experiment.outcomes import Outcomes
from rlaif.experiment.progress import Quiet
from rlaif.records import Abstention, Response

FAILED = {
    "backend": "no connection to the server",
    "timeout": "no answer within 60 s",
    "one-order": "backend: HTTP 500",
    "no-critique": "timeout: no answer within 60 s",
    "no-principle": "kind: backend; short: timeout",
}
FINAL = {
    "unreadable": "expected one of A, B: 'backend'",
    "one-order": "unreadable: says backend",
    "no-principle": "no principle applies to a prompt tagged backend",
    "refused": "",
}


def response(name: str) -> Response:
    return Response(id=name, prompt_id="p", text="Hi", author="a")


def abstained(kinds: dict[str, str]) -> Iterator[Abstention]:
    for number, (kind, detail) in enumerate(kinds.items()):
        row = {"kind": kind, "subject": f"{kind} {number}", "by": "j", "detail": detail}
        yield Abstention.model_validate(row)


def test_what_a_server_failed_at_is_open_again_and_nothing_else_is(tmp_path: Path) -> None:
    made = [response("r"), *abstained(FAILED), *abstained(FINAL)]
    with Outcomes(tmp_path, Response, "responses") as outcomes:
        counts = outcomes.keep(made, Quiet(), "respond", len(made))
    assert counts.total() == len(made)
    with Outcomes(tmp_path, Response, "responses") as outcomes:
        assert outcomes.seen.keys() == {"r", *(row.subject for row in abstained(FINAL))}
        again = [response(row.subject) for row in abstained(FAILED)]
        assert outcomes.keep(again, Quiet(), "respond", len(made)).total() == len(made)
    with Outcomes(tmp_path, Response, "responses") as outcomes:
        assert len(outcomes.seen) == len(made)


def test_a_run_that_only_failed_ends_with_why(tmp_path: Path) -> None:
    with (
        Outcomes(tmp_path, Response, "responses") as outcomes,
        pytest.raises(BackendError, match=r"respond: nothing was answered.*kind: backend; short"),
    ):
        outcomes.keep(abstained(FAILED), Quiet(), "respond", len(FAILED))
    with Outcomes(tmp_path, Response, "responses") as outcomes:
        one = [response("r"), *abstained(FAILED)]
        assert outcomes.keep(one, Quiet(), "respond", len(one)).total() == len(one)
