import pytest

from rlaif.evaluation.labels import sum_up, use_of_principles
from rlaif.records import Abstention
from tests.evaluation.run_folder import CONSTITUTION, preference

SILENT = Abstention(kind="no-mass", subject="pair9", by="judge", detail="x", principle="useful")


def test_labels_are_binned_by_how_sure_they_are() -> None:
    labels = sum_up([preference(n, p) for n, p in enumerate((0.5, 0.549, 0.55, 0.71, 1.0))], [])
    assert labels.histogram == (2, 1, 0, 0, 1, 0, 0, 0, 0, 1)
    assert labels.labelled == 5


def test_orders_that_disagreed_are_a_share_of_those_asked_twice() -> None:
    labels = sum_up([preference(n, 0.7) for n in range(4)], [])
    # One of each label's two verdicts was asked in both orders; only label 0's disagreed.
    assert (labels.asked_twice, labels.flipped and labels.flipped.value) == (4, 0.25)
    assert labels.lean == pytest.approx(0.2)


def test_abstentions_are_counted_by_kind_with_an_example() -> None:
    other = SILENT.model_copy(update={"kind": "same", "detail": "both"})
    assert sum_up([], [SILENT, other, SILENT]).abstained == (
        ("no-mass", 2, "x"),
        ("same", 1, "both"),
    )


def test_without_labels_there_is_no_share_of_them() -> None:
    labels = sum_up([], [SILENT])
    assert (labels.flipped, labels.lean, labels.longer) == (None, None, None)


def test_a_principle_is_contradicted_where_its_own_verdict_named_the_other_reply() -> None:
    harm, useful = use_of_principles(CONSTITUTION, [preference(n, 0.7) for n in range(3)], [SILENT])
    assert (harm.applied, harm.supported, harm.opposed, harm.unanswered) == (3, 3, 0, 0)
    assert (useful.applied, useful.supported, useful.opposed, useful.unanswered) == (4, 0, 3, 1)
    assert harm.sureness == pytest.approx(0.9)
    assert useful.sureness == pytest.approx(0.6)


def test_a_principle_that_was_never_asked_says_so() -> None:
    harm, _ = use_of_principles(CONSTITUTION, [], [])
    assert (harm.applied, harm.sureness) == (0, None)
