import numpy as np
import pytest

from rlaif.constitution.principle import Constitution, Principle
from rlaif.evaluation.audit.principles import Coverage, coverage, pairings
from rlaif.evaluation.intervals import Draws
from rlaif.records import Abstention, Preference
from tests.evaluation.pairs import compare, label, verdict


def weighed(number: int, silent: tuple[str, ...] = (), **said: float) -> Preference:
    """Label a pair by the mean of what principles say."""
    verdicts = [verdict(name, p) for name, p in said.items()]
    mean = sum(said.values()) / len(said)
    return label(compare(number), mean, verdicts=verdicts, silent=silent)


def covered(
    rows: list[Preference],
    abstentions: tuple[Abstention, ...] = (),
    rules: Constitution | None = None,
) -> dict[str, Coverage]:
    draws = Draws([row.prompt.id for row in rows], rounds=1000)
    return {row.principle: row for row in coverage(rows, abstentions, rules, draws)}


def test_coverage_by_hand() -> None:
    rows = [
        weighed(0, calm=0.9, short=0.3),  # calm alone says so: without it, short turns it
        weighed(1, calm=0.2, short=0.3),  # both say so: neither decides
        weighed(2, calm=0.8),  # nobody else: calm decides
        weighed(3, calm=0.5, short=0.9),  # without short there is a tie: short decides
        weighed(4, ("short",), calm=0.7),
    ]
    calm, short = covered(rows).values()
    assert (calm.asked, calm.unanswered, calm.applies and calm.applies.value) == (5, 0, 1.0)
    assert (calm.agrees, calm.contradicts, calm.tied) == (4, 0, 1)
    assert calm.decides == 3
    assert (short.asked, short.unanswered, short.applies and short.applies.value) == (4, 1, 0.8)
    assert (short.agrees, short.contradicts, short.tied, short.decides) == (2, 1, 0, 1)
    # Beside each other and both decided: labels 0 and 1 for calm; 0, 1 for short (calm tied in 3).
    assert (calm.beside, calm.contradicted) == (2, 1)
    assert (short.beside, short.contradicted) == (2, 1)


def test_weights_decide_where_the_constitution_is_known() -> None:
    row = weighed(0, calm=0.6, short=0.3, warm=0.9)
    assert covered([row])["warm"].decides == 1  # calm and short alone: 0.45
    rules = Constitution(
        name="rules",
        principles=(
            Principle(id="calm", text="Calm.", weight=9.0),
            Principle(id="short", text="Short."),
            Principle(id="warm", text="Warm."),
        ),
    )
    found = covered([row], rules=rules)
    assert found["warm"].decides == 0  # calm outweighs short: 0.57
    assert found["calm"].decides == 0  # short and warm alone: 0.6


def test_principles_stand_in_the_constitutions_order_and_one_never_asked_says_so() -> None:
    rules = Constitution(
        name="rules",
        principles=(Principle(id="short", text="Short."), Principle(id="calm", text="Calm.")),
    )
    found = covered([weighed(0, calm=0.9)], rules=rules)
    assert list(found) == ["short", "calm"]
    assert (found["short"].asked, found["short"].decides) == (0, 0)


def test_a_comparison_that_a_principle_abstained_on_alone_was_asked_of_it() -> None:
    silent = Abstention(kind="refused", subject="pair9", by="judge", principle="calm")
    calm = covered([weighed(0, calm=0.9)], (silent,))["calm"]
    assert (calm.asked, calm.unanswered) == (2, 1)


def test_a_tie_is_decided_by_nobody() -> None:
    assert covered([weighed(0, calm=0.9, short=0.1)])["calm"].decides == 0


def test_two_principles_that_always_say_the_same_are_redundant() -> None:
    rng = np.random.default_rng(0)
    rows = []
    for number in range(40):
        p = 0.9 if rng.random() < 0.5 else 0.1
        rows.append(weighed(number, calm=p, kind=p, other=0.9 if rng.random() < 0.5 else 0.1))
    found = {
        (pair.one, pair.other): pair
        for pair in pairings(rows, Draws([row.prompt.id for row in rows], rounds=1000))
    }
    assert set(found) == {("calm", "kind"), ("calm", "other"), ("kind", "other")}
    same, apart = found["calm", "kind"], found["calm", "other"]
    assert same.kappa is not None
    assert (same.pairs, same.alike and same.alike.value, same.kappa.value) == (40, 1.0, 1.0)
    assert same.is_redundant
    assert apart.kappa is not None
    assert abs(apart.kappa.value) < 0.45
    assert not apart.is_redundant


def test_few_pairs_make_nothing_redundant() -> None:
    rows = [weighed(n, calm=p, kind=p) for n, p in enumerate((0.9, 0.1, 0.9, 0.2))]
    [pair] = pairings(rows, Draws([row.prompt.id for row in rows], rounds=1000))
    assert pair.pairs == 4
    assert not pair.is_redundant


def test_kappa_does_not_depend_on_which_reply_was_chosen() -> None:
    # Both agree always; told as "the chosen one" they would seem to have one answer only.
    rows = [weighed(n, calm=0.9 if n % 2 else 0.1, kind=0.8 if n % 2 else 0.2) for n in range(30)]
    [pair] = pairings(rows, Draws([row.prompt.id for row in rows], rounds=1000))
    assert pair.kappa is not None
    assert pair.kappa.value == pytest.approx(1.0)


def test_principles_never_asked_of_one_pair_are_not_compared() -> None:
    rows = [weighed(0, calm=0.9), weighed(1, short=0.9)]
    assert pairings(rows, Draws(["p0", "p1"], rounds=1000)) == []
