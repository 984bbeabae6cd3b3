import threading
import time
from collections.abc import Iterator

import pytest

from rlaif.backends.openai import OpenAIBackend
from rlaif.backends.spec import OpenAIModel
from rlaif.constitution.principle import Constitution, Principle
from rlaif.errors import BackendError
from rlaif.judges.build import judge_from
from rlaif.judges.early import Early
from rlaif.judges.reward import reward_of
from rlaif.records import Prompt
from tests.backends.faulty import Faulty, faulty

RULES = Constitution(name="rules", principles=(Principle(id="better", text="It is better."),))
PROMPTS = [Prompt.of(f"Question {number // 2}?") for number in range(8)]
TEXTS = [f"Reply {number}." for number in range(8)]


@pytest.fixture
def server() -> Iterator[Faulty]:
    with faulty({}, latency=0.3) as state:
        yield state


def test_work_goes_on_while_a_judge_behind_a_server_is_waited_for(server: Faulty) -> None:
    backend = OpenAIBackend(OpenAIModel(model="m", base_url=server.base_url))
    reward = reward_of(judge_from(backend, "compare"), RULES)
    begun = Early(reward).start(PROMPTS, TEXTS)
    worked = 0
    while not begun.done():
        sum(range(1000))
        worked += 1
    # A thread that waits holds nothing up, so much is done in a third of a second.
    assert worked > 500
    assert begun.result() == reward(PROMPTS, TEXTS)
    assert None not in begun.result()
    assert sum(server.sent.values()) == 2 * 8  # both orders of four pairs, twice
    backend.close()


def test_starting_does_not_wait() -> None:
    free = threading.Event()

    def slow(*_: object) -> list[float | None]:
        free.wait(5)
        return [1.0]

    early = Early(slow)
    began = time.monotonic()
    first, second = early.start(PROMPTS[:1], TEXTS[:1]), early.start(PROMPTS[:1], TEXTS[:1])
    assert time.monotonic() - began < 1
    assert not first.done()
    free.set()
    assert (first.result(5), second.result(5)) == ([1.0], [1.0])


def test_what_judging_raises_reaches_who_needs_the_figures() -> None:
    def fails(*_: object) -> list[float | None]:
        raise BackendError("the key is gone")

    with pytest.raises(BackendError, match="the key is gone"):
        Early(fails)(PROMPTS, TEXTS)
