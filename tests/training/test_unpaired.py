import pytest

from rlaif.records import Prompt
from rlaif.training.unpaired import Unpaired, balance, shuffled, unpaired_of
from tests.training.conftest import preferring_yes


def test_a_sure_pair_is_a_good_answer_and_a_bad_one() -> None:
    rows, ties = unpaired_of([preferring_yes(0, p=0.9, weight=2.0)])
    assert [(row.text, row.good) for row in rows] == [("Yes!", True), ("No.", False)]
    assert [row.weight for row in rows] == pytest.approx([1.6, 1.6])
    assert ties == 0


def test_an_answer_of_several_pairs_is_one_row_by_their_mean() -> None:
    once = preferring_yes(0, p=1.0)
    middle = once.rejected.model_copy(update={"text": "Maybe."})
    low = once.rejected.model_copy(update={"text": "Hm."})
    pairs = [
        once.model_copy(update={"rejected": middle}),
        once.model_copy(update={"chosen": middle, "rejected": low}),
        once.model_copy(update={"rejected": low, "p_chosen": 0.75}),
    ]
    rows, ties = unpaired_of(pairs)
    assert {row.text: (row.good, row.weight) for row in rows} == {
        "Yes!": (True, pytest.approx(0.75)),
        "Hm.": (False, pytest.approx(0.75)),
    }
    assert ties == 1  # as often better as worse


def test_a_tie_says_nothing_of_either_answer() -> None:
    assert unpaired_of([preferring_yes(0, p=0.5)]) == ([], 2)


def test_shuffling_mixes_the_kinds_and_is_the_seeds() -> None:
    rows = [Unpaired(f"{n}", Prompt.of("q"), "a", n < 20) for n in range(40)]
    kinds = [row.good for row in shuffled(rows, 0)]
    assert 4 < sum(kinds[:20]) < 16
    assert shuffled(rows, 0) == shuffled(rows, 0) != shuffled(rows, 1)
    assert sorted(shuffled(rows, 0)) == sorted(rows)


def test_the_rarer_kind_counts_more_but_not_for_everything() -> None:
    assert balance([(True, 1.0), (False, 1.0), (False, 2.0)]) == (3.0, 1.0)
    assert balance([(True, 1.0)] * 50 + [(False, 1.0)]) == (1.0, 10.0)
