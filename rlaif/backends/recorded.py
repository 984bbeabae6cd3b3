"""Replay a file of answers as if a model were asked: for published replies and for tests.

A row is `{"messages": […], "text": …}`, `{"prompt": …, "text": …}`, where `prompt` is the last user
message alone, or `{"id": …, "text": …}` with the request's id; `option_logprobs` may give the
options' log-probabilities. The most exact row counts: messages, then prompt, then id.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rlaif.backends.base import Answered
from rlaif.errors import InputError
from rlaif.records import Completion, Failure, Request, fingerprint_of
from rlaif.yamlfile import json_value, read_text


class RecordedBackend:
    """Answers from a file; what is not in the file is a failure, never a guess."""

    def __init__(self, path: Path, *, name: str | None = None) -> None:
        """Read the file.

        Raises:
            InputError: for a file of nothing, a row that is no recording, or the same question
                with two answers.
        """
        self._answers: dict[tuple[str, str], Completion] = {}
        text = read_text(path)
        self.name = name or f"recorded:{path.stem}@{fingerprint_of(text)[:8]}"
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                self._learn(line, path, number)
        if not self._answers:
            raise InputError(f"{path}: no recordings in it; write one a line")

    def _learn(self, line: str, path: Path, number: int) -> None:
        try:
            row = json_value(line, path, number)
            key = _key_of_row(row)
            answer = Completion(
                text=row["text"], model=self.name, option_logprobs=row.get("option_logprobs")
            )
        except (ValueError, KeyError, TypeError):
            raise InputError.at(
                path, number, 'expected {"messages", "prompt" or "id": …, "text": …}'
            ) from None
        if self._answers.setdefault(key, answer) != answer:
            raise InputError.at(path, number, "the same question stands twice, answered otherwise")

    def stream(self, requests: Iterable[Request]) -> Iterator[Answered]:
        """Answer one request at a time."""
        for request in requests:
            found = (self._answers[key] for key in _keys(request) if key in self._answers)
            yield (
                request,
                next(found, Failure(kind="backend", detail="no recording of this request")),
            )


def _key_of_row(row: Any) -> tuple[str, str]:
    if "messages" in row:
        return "messages", _key(row["messages"])
    return ("prompt", row["prompt"]) if "prompt" in row else ("id", row["id"])


def _keys(request: Request) -> Iterator[tuple[str, str]]:
    yield "messages", _key([message.model_dump() for message in request.messages])
    yield "prompt", request.messages[-1].content
    yield "id", request.id


def _key(messages: Any) -> str:
    return fingerprint_of([{"role": m["role"], "content": m["content"]} for m in messages])
