"""Small preferences that a tiny model can learn in a second."""

import signal
from collections.abc import Iterator

import pytest

from rlaif.records import Preference, Prompt, Response


@pytest.fixture
def unanswered() -> Iterator[None]:
    """SIGTERM as it is at first: a library that another test loads may answer it in its own way."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def preferences() -> list[Preference]:
    return [preferring_yes(number) for number in range(24)]


def preferring_yes(number: int, p: float = 0.9, weight: float = 1.0) -> Preference:
    prompt = Prompt.of(f"question {number}")
    answers = {"chosen": "Yes!" * (1 + number % 3), "rejected": "No." * (1 + number % 2)}
    responses = {
        side: Response(id=f"{number}/{side}", prompt_id=prompt.id, text=text, author="test")
        for side, text in answers.items()
    }
    return Preference(
        id=f"pair-{number}",
        prompt=prompt,
        p_chosen=p,
        weight=weight,
        source="judge",
        by="test",
        **responses,
    )
