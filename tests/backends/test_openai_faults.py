"""A server that fails in every way, some of the time: no label is lost, doubled or another one."""

import itertools
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from rlaif.backends.cached import Cached
from rlaif.backends.openai import OpenAIBackend
from rlaif.backends.spec import OpenAIModel
from rlaif.constitution.principle import Constitution, Principle
from rlaif.feedback.label import LabelConfig, label
from rlaif.judges.build import judge_from
from rlaif.records import Abstention, Comparison, Preference, Prompt, Response
from rlaif.store import CompletionStore
from tests.backends.faulty import FAULTS, Faulty, faulty

RULES = Constitution(name="rules", principles=(Principle(id="better", text="It is better."),))
TIMEOUT = 2.0


def comparison(number: int) -> Comparison:
    prompt = Prompt.of(f"Question {number}?", id=f"p{number}")
    first, second = (
        Response(id=f"r{number}{slot}", prompt_id=prompt.id, text=f"Reply {slot}.", author="a")
        for slot in "AB"
    )
    return Comparison(id=f"c{number}", prompt=prompt, first=first, second=second)


Outcomes = Mapping[str, Preference | Abstention]


def labelled(
    server: Faulty, count: int, store: CompletionStore | None = None
) -> tuple[Outcomes, float, OpenAIBackend]:
    """Label so many comparisons; give each one's outcome, and how long it took."""
    spec = OpenAIModel(model="m", base_url=server.base_url, timeout=TIMEOUT, attempts=6)
    backend = OpenAIBackend(spec, first_wait=0.02)
    judge = judge_from(
        backend if store is None else Cached(backend, store), "compare", orders="one"
    )
    began = time.monotonic()
    outcomes: dict[str, Preference | Abstention] = {}
    for made in label(map(comparison, range(count)), RULES, judge, LabelConfig(template="compare")):
        name = made.subject if isinstance(made, Abstention) else made.id
        assert name not in outcomes, "an item ended twice"
        outcomes[name] = made
    backend.close()
    return outcomes, time.monotonic() - began, backend


def told(outcome: Preference | Abstention) -> tuple[str, float]:
    assert isinstance(outcome, Preference), outcome
    return outcome.chosen.id, outcome.p_chosen


def check(count: int, seed: int) -> None:
    with faulty({}) as server:
        fine, fine_seconds, _ = labelled(server, count)
    with faulty(FAULTS, seed) as server:
        got, seconds, backend = labelled(server, count)
    assert set(got) == set(fine) == {f"c{number}" for number in range(count)}
    kept = {name: one for name, one in got.items() if isinstance(one, Preference)}
    assert len(kept) >= count - 2  # six faults in a row, which chance may bring
    for name, one in kept.items():
        assert told(one) == told(fine[name])
        assert one.verdicts[0].read == "logprobs"
    assert server.sent["ok"] >= len(kept)  # a machine that is busy may time a good one out
    # Nor need a busy server have read what was sent before it was timed out.
    assert 0 <= backend.traffic.tries - sum(server.sent.values()) <= count // 100
    # The judge asks anew, with more room, where three answers in a row were of nothing.
    assert 0 <= backend.traffic.tries - count - backend.traffic.retries <= 2
    assert all(server.sent[fault] for fault in FAULTS)
    # A hang takes its time-out; a few may follow each other.
    assert seconds <= 1.5 * fine_seconds + 4 * TIMEOUT


def test_a_clock_that_jumps_by_an_hour_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look at the clock is an hour before, or behind, the one before it."""
    count, real, jumps = 150, time.time, itertools.cycle((3600.0, -3600.0, 0.0))
    with faulty({}) as server:
        fine, fine_seconds, _ = labelled(server, count)
    looks = 0

    def jumping() -> float:
        nonlocal looks
        looks += 1
        return real() + next(jumps)

    monkeypatch.setattr(time, "time", jumping)
    store = CompletionStore(tmp_path / "store")
    with faulty({"429": 0.1, "500": 0.05, "hang": 0.01}, 3) as server:
        got, seconds, _ = labelled(server, count, store)
        sent = server.sent.total()
        again, _, _ = labelled(server, count, store)
        assert server.sent.total() == sent, "what is kept is found again, whenever it was made"
    store.close()
    assert looks >= count
    assert {name: told(one) for name, one in got.items()} == {n: told(o) for n, o in fine.items()}
    assert again == got
    assert seconds <= 1.5 * fine_seconds + 4 * TIMEOUT


def test_each_item_ends_once_and_as_it_would_without_faults() -> None:
    check(count=300, seed=1)


@pytest.mark.slow
def test_five_thousand_items_end_once_each_and_as_they_would_without_faults() -> None:
    check(count=5000, seed=2)
