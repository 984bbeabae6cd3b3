import json
from pathlib import Path
from typing import Any

import pytest

from rlaif.backends.recorded import RecordedBackend
from rlaif.errors import InputError
from rlaif.records import Completion, Failure, Message, Request

TURNS = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]


def recorded(folder: Path, *rows: Any) -> RecordedBackend:
    path = folder / "replies.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return RecordedBackend(path)


def answer(backend: RecordedBackend, id: str = "7") -> Completion | Failure:  # noqa: A002
    [(_, said)] = backend.stream([Request(id=id, messages=tuple(Message(**t) for t in TURNS))])
    return said


@pytest.mark.parametrize("where", [{"messages": TURNS}, {"prompt": "Hi"}, {"id": "7"}], ids=str)
def test_a_recording_is_found_by_what_it_gives(tmp_path: Path, where: dict[str, Any]) -> None:
    backend = recorded(tmp_path, {**where, "text": "Output (a)", "option_logprobs": {"A": -0.1}})
    said = answer(backend)
    assert isinstance(said, Completion)
    assert (said.text, said.option_logprobs) == ("Output (a)", {"A": -0.1})


def test_the_most_exact_recording_counts(tmp_path: Path) -> None:
    rows = [
        {"id": "7", "text": "id"},
        {"prompt": "Hi", "text": "prompt"},
        {"messages": TURNS, "text": "all"},
    ]
    assert getattr(answer(recorded(tmp_path, *rows)), "text", None) == "all"
    assert getattr(answer(recorded(tmp_path, *rows[:2])), "text", None) == "prompt"


def test_an_id_is_no_prompt(tmp_path: Path) -> None:
    assert isinstance(answer(recorded(tmp_path, {"id": "Hi", "text": "x"})), Failure)


def test_what_is_not_recorded_is_a_failure(tmp_path: Path) -> None:
    said = answer(recorded(tmp_path, {"prompt": "Other", "text": "x"}))
    assert said == Failure(kind="backend", detail="no recording of this request")


@pytest.mark.parametrize(
    "row", [7, [], {"text": "x"}, {"prompt": "Hi"}, {"prompt": "Hi", "text": 3}, {"messages": "Hi"}]
)
def test_a_row_that_is_no_recording_is_refused_by_line(tmp_path: Path, row: Any) -> None:
    with pytest.raises(InputError, match=r"replies\.jsonl:2: expected"):
        recorded(tmp_path, {"prompt": "ok", "text": "x"}, row)


def test_two_answers_to_one_question_are_refused(tmp_path: Path) -> None:
    rows = [{"prompt": "Hi", "text": "a"}, {"prompt": "Hi", "text": "b"}]
    with pytest.raises(InputError, match=":2: the same question"):
        recorded(tmp_path, *rows)


def test_another_recording_has_another_name(tmp_path: Path) -> None:
    first = recorded(tmp_path, {"prompt": "Hi", "text": "a"}).name
    assert recorded(tmp_path, {"prompt": "Hi", "text": "b"}).name != first
