"""People among themselves, worked by hand on three pairs."""

import pytest

from rlaif.evaluation.intervals import Draws
from rlaif.evaluation.raters import AmongPeople, among_people
from rlaif.feedback.people import Rated
from rlaif.records import Choice
from tests.evaluation.pairs import compare, rated

DRAWS = Draws(["0", "1", "2"], rounds=1000)


def pairs(*said: tuple[Choice, ...]) -> list[Rated]:
    return [rated(compare(number), *choices) for number, choices in enumerate(said)]


def found(people: list[Rated], judge: list[Choice | None], *, ties: bool = False) -> AmongPeople:
    among = among_people(people, judge, DRAWS, ties=ties)
    assert among is not None
    return among


def test_two_raters_of_a_pair_agree_as_often_as_its_pairs_of_raters_do() -> None:
    people = pairs(("first", "first", "second"), ("second", "second"), ("first", "second"))
    among = found(people, ["first", "second", "first"])
    # A third of the pairs of raters, all of them, none; the judge: 2 of 3, 2 of 2, 1 of 2.
    assert among.people is not None
    assert among.people.value == pytest.approx((1 / 3 + 1 + 0) / 3)
    assert among.judge is not None
    assert among.judge.value == pytest.approx((2 / 3 + 1 + 1 / 2) / 3)
    assert among.ratio is not None
    assert among.ratio.value == pytest.approx((13 / 6) / (4 / 3))
    assert (among.pairs, among.raters) == (3, 3)


def test_kappa_of_raters_by_hand() -> None:
    # Two raters, both ways round: 2 alike of 3, half of the answers first: (2/3 − 1/2) / (1/2).
    people = pairs(("first", "first"), ("second", "second"), ("first", "second"))
    among = found(people, ["first", "second", "second"])
    assert among.people_kappa is not None
    assert among.people_kappa.value == pytest.approx(1 / 3)
    # The judge and a rater: 2.5 of 3 alike; the judge says first once of 3, raters half the time.
    assert among.judge_kappa is not None
    assert among.judge_kappa.value == pytest.approx((5 / 6 - 1 / 2) / (1 / 2))
    # Six answers, three of each kind: α = 1 − (6 − 1)·2 / (36 − 18).
    assert among.people_alpha is not None
    assert among.people_alpha.value == pytest.approx(1 - 10 / 18)


def test_ties_are_left_out_or_are_answers() -> None:
    people = pairs(("first", "first", "tie"), ("tie", "tie"), ("first", "second"))
    judge: list[Choice | None] = ["first", "tie", "second"]
    without, with_ties = found(people, judge), found(people, judge, ties=True)
    assert (without.pairs, with_ties.pairs) == (2, 3)
    assert without.people is not None
    assert with_ties.people is not None
    assert without.people.value == pytest.approx((1 + 0) / 2)
    assert with_ties.people.value == pytest.approx((1 / 3 + 1 + 0) / 3)


def test_pairs_of_one_rater_and_pairs_the_judge_left_open_do_not_count() -> None:
    people = pairs(("first", "first"), ("first",), ("first", "second"))
    among = found(people, ["first", "first", None])
    assert among.pairs == 1
    assert among.ratio is not None
    assert among.ratio.value == 1.0


def test_one_rater_a_pair_says_nothing_of_people() -> None:
    assert among_people(pairs(("first",), ("tie",)), ["first", "first"], DRAWS, ties=True) is None


def test_a_judge_that_says_what_each_rater_says_stands_at_one() -> None:
    people = pairs(("first", "first"), ("second", "second"), ("first", "first"))
    among = found(people, ["first", "second", "first"])
    for figure in (among.people, among.judge, among.ratio, among.people_kappa, among.judge_kappa):
        assert figure is not None
        assert (figure.value, figure.low, figure.high) == pytest.approx((1.0, 1.0, 1.0))
