import pytest

from rlaif.evaluation.audit.repeats import between_runs, within_run
from rlaif.evaluation.intervals import Draws
from rlaif.records import Preference, Verdict
from tests.evaluation.pairs import compare, label


def run(*p: float) -> list[Preference]:
    return [label(compare(number), each) for number, each in enumerate(p)]


def test_two_runs_by_hand() -> None:
    again = {row.id: row for row in run(0.8, 0.3, 0.4, 0.5)}
    found = between_runs(run(0.9, 0.2, 0.6, 0.5), again, rounds=1000)
    assert found is not None
    # The third turned round; the fourth is a tie both times.
    assert (found.pairs, found.same and found.same.value) == (4, 0.75)
    assert found.moved is not None
    assert found.moved.value == pytest.approx((0.1 + 0.1 + 0.2 + 0.0) / 4)


def test_a_run_beside_itself_is_the_same() -> None:
    rows = run(0.9, 0.2, 0.6, 0.3)
    found = between_runs(rows, {row.id: row for row in rows}, rounds=1000)
    assert found is not None
    assert found.same is not None
    assert (found.same.value, found.kappa and found.kappa.value) == (1.0, 1.0)
    assert found.moved is not None
    assert found.moved.value == 0.0


def test_runs_of_other_pairs_have_nothing_to_compare() -> None:
    assert between_runs(run(0.9), {}) is None


def repeated(*p: float) -> Verdict:
    evidence = {f"repeat {number}/p_first": each for number, each in enumerate(p, start=1)}
    return Verdict(p_first=sum(p) / len(p), judge="judge", principle="r", evidence=evidence)


def within(*verdicts: Verdict) -> list[Preference]:
    return [label(compare(n), v.p_first, verdicts=[v]) for n, v in enumerate(verdicts)]


def test_repeats_within_a_run_by_hand() -> None:
    rows = within(repeated(0.8, 0.6), repeated(0.9, 0.4, 0.7))
    found = within_run(rows, Draws(["0", "1"], rounds=1000))
    assert found is not None
    # All of one pair of repeats alike, one of three.
    assert found.pairs == 2
    assert found.same is not None
    assert found.same.value == pytest.approx((1 + 1 / 3) / 2)
    assert found.moved is not None
    assert found.moved.value == pytest.approx((0.2 + (0.5 + 0.2 + 0.3) / 3) / 2)


def test_repeats_that_speak_of_the_second_reply_are_turned() -> None:
    said = repeated(0.8, 0.6)
    named = {name.replace("first", "second"): 1 - p for name, p in said.evidence.items()}
    draws = Draws(["0"], rounds=1000)
    turned = within(said.model_copy(update={"evidence": named}))
    one, other = within_run(within(said), draws), within_run(turned, draws)
    assert one is not None
    assert other is not None
    assert other.same == one.same
    assert other.moved is not None
    assert other.moved.value == pytest.approx(one.moved.value if one.moved else -1)


def test_a_verdict_asked_once_is_no_repeat() -> None:
    assert within_run(within(repeated(0.8)), Draws(["0"], rounds=1000)) is None
