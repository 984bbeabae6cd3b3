import random
from collections.abc import Sequence

import pytest

from rlaif.errors import InputError
from rlaif.feedback.crowd.answer import Answer
from rlaif.feedback.crowd.pool import likeliest, parse_method, pooled, pooled_pairs
from rlaif.feedback.people import Rated, Rating
from rlaif.records import Choice, Comparison


def simulated(right: Sequence[float], items: int, seed: int) -> tuple[list[Answer], dict[str, str]]:
    """Let raters answer yes or no, each right as often as is said."""
    rng = random.Random(seed)
    truth = {f"i{n}": rng.choice(["yes", "no"]) for n in range(items)}
    wrong = {"yes": "no", "no": "yes"}
    answers = [
        Answer(item, f"r{number}", label if rng.random() < share else wrong[label])
        for item, label in truth.items()
        for number, share in enumerate(right)
    ]
    return answers, truth


def share_right(shares: dict[str, dict[str, float]], truth: dict[str, str]) -> float:
    best = likeliest(shares)
    return sum(best[item] == label for item, label in truth.items()) / len(truth)


def test_the_majority_is_the_share_of_the_raters() -> None:
    answers = [Answer("i", name, label) for name, label in zip("abc", "xxy", strict=True)]
    assert pooled(answers, "majority")["i"] == pytest.approx({"x": 2 / 3, "y": 1 / 3})


@pytest.mark.parametrize("method", ["dawid-skene", "mace"])
def test_one_good_rater_outweighs_guessers_where_raters_are_learnt(method: str) -> None:
    answers, truth = simulated([0.95, 0.9, 0.52, 0.5, 0.5, 0.48], 50, seed=1)
    learnt = pooled(answers, parse_method(method))
    assert share_right(learnt, truth) >= share_right(pooled(answers, "majority"), truth) + 0.1
    assert all(sum(row.values()) == pytest.approx(1.0) for row in learnt.values())


def test_right_answers_teach_dawid_skene_that_most_raters_are_turned_round() -> None:
    answers, truth = simulated([0.9, 0.15, 0.2, 0.1], 120, seed=2)
    known = {item: truth[item] for item in list(truth)[:40]}
    rest = {item: label for item, label in truth.items() if item not in known}
    blind = pooled(answers, "dawid-skene")
    taught = pooled(answers, "dawid-skene", gold=known)
    assert share_right(blind, rest) < 0.2
    assert share_right(taught, rest) > 0.8


def rated(comparison: Comparison, *choices: Choice) -> Rated:
    return Rated(comparison, tuple(Rating(f"r{n}", c) for n, c in enumerate(choices)))


def test_a_pair_becomes_one_label_with_its_probability_and_every_rater_on_it(
    comparison: Comparison,
) -> None:
    [label] = pooled_pairs([rated(comparison, "second", "second", "tie", "first")], "majority")
    assert label.chosen == comparison.second
    assert label.p_chosen == pytest.approx(0.625)  # two seconds, and half of a tie, of four
    assert [verdict.p_first for verdict in label.verdicts] == [1.0, 1.0, 0.5, 0.0]
    assert [verdict.judge for verdict in label.verdicts] == ["r0", "r1", "r2", "r3"]
    assert (label.source, label.by) == ("human", "majority of 4")


def test_raters_that_are_divided_leave_a_tie(comparison: Comparison) -> None:
    [label] = pooled_pairs([rated(comparison, "first", "second")], "majority")
    assert label.p_chosen == 0.5


def test_a_method_that_is_none_is_named_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"majorty: no way to pool.*did you mean 'majority'"):
        parse_method("majorty")
