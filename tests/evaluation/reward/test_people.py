import pytest

from rlaif.evaluation.reward.people import WithPeople, people_in, with_people
from rlaif.evaluation.reward.scored import Scored, pairs_of
from rlaif.feedback.people import Rated, Rating
from rlaif.records import Choice
from tests.evaluation.reward.made import scored

# Four pairs: the judge chose `yes` in each; the model agrees with it on all but the last.
ROWS = [scored(n, 1.0 if n < 3 else -1.0) for n in range(4)]


def rated(row: Scored, *choices: Choice, is_swapped: bool = False) -> Rated:
    question = pairs_of([row], "held-out")[0].comparison
    shown = question.swapped() if is_swapped else question
    return Rated(shown, tuple(Rating(f"rater {n}", choice) for n, choice in enumerate(choices)))


def compared(people: list[Rated]) -> WithPeople:
    found = with_people(pairs_of(ROWS, "held-out"), people, "rm", rounds=200)
    assert found is not None
    return found


def test_the_model_and_the_judge_are_held_against_people_on_the_same_pairs() -> None:
    people = [rated(ROWS[0], "first"), rated(ROWS[1], "second"), rated(ROWS[3], "second")]
    found = compared(people)
    assert found.pairs == 3
    assert found.model.share is not None
    assert found.model.share.value == pytest.approx(2 / 3)
    assert found.judge is not None
    assert found.judge.share is not None
    assert found.judge.share.value == pytest.approx(1 / 3)
    beside = {row.other: row for row in found.beside}["judge"]
    assert (beside.only_judge, beside.only_other, beside.both_right) == (1, 0, 1)
    assert beside.ahead is not None
    assert beside.ahead.value == pytest.approx(1 / 3)


def test_the_order_in_which_people_saw_a_pair_changes_nothing() -> None:
    plain = compared([rated(ROWS[0], "first"), rated(ROWS[3], "second")])
    turned = compared(
        [rated(ROWS[0], "second", is_swapped=True), rated(ROWS[3], "first", is_swapped=True)]
    )
    assert (plain.model.share, plain.judge) == (turned.model.share, turned.judge)


def test_pairs_that_people_left_open_are_counted_and_in_no_share() -> None:
    found = compared([rated(ROWS[0], "first"), rated(ROWS[1], "first", "second")])
    assert found.undecided == 1
    assert found.model.agreed + found.model.disagreed == 1


def test_people_among_the_rows_are_found_where_a_judge_labelled_the_same_pair() -> None:
    human = [scored(n, 1.0 if n < 3 else -1.0, source="human", by="ann") for n in (0, 3, 9)]
    pairs = pairs_of([*ROWS, *human], "held-out")
    people = people_in(pairs)
    # Pair 9 has nobody's label beside a person's.
    assert [one.comparison.prompt.text for one in people] == ["Question 0?", "Question 3?"]
    found = with_people(pairs, people, "rm", rounds=200)
    assert found is not None
    assert found.judge is not None
    assert found.judge.share is not None
    assert (found.judge.share.value, found.pairs) == (1.0, 2)


def test_where_people_made_the_labels_there_is_no_judge_beside_the_model() -> None:
    human = [scored(n, 1.0, source="human", by="ann") for n in range(4)]
    found = with_people(pairs_of(human, "held-out"), [rated(human[0], "first")], "rm", rounds=200)
    assert found is not None
    assert found.judge is None


def test_people_who_saw_other_pairs_are_nothing_to_compare_with() -> None:
    other = rated(scored(50, 1.0), "first")
    assert with_people(pairs_of(ROWS, "held-out"), [other], "rm", rounds=200) is None
