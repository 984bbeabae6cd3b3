"""Length, on data of which the answer is known."""

import math

import numpy as np
import pytest

from rlaif.evaluation.audit.lengths import Lengths, lengths, log_ratio, rate
from rlaif.evaluation.intervals import Draws
from rlaif.judges.absolute import sigmoid
from rlaif.records import Preference
from tests.evaluation.pairs import compare, label


def pair(number: int, words: int, others: int, *, chose_first: bool) -> Preference:
    texts = ("word " * words, "word " * others)
    return label(compare(number, texts=texts), 0.8 if chose_first else 0.2)


def found(rows: list[Preference]) -> Lengths:
    return lengths(rows, Draws([row.prompt.id for row in rows], rounds=1000))


def test_a_ratio_is_counted_in_doublings_of_words() -> None:
    row = pair(0, 8, 2, chose_first=True)
    assert log_ratio(row.chosen, row.rejected) == 2.0
    assert log_ratio(row.rejected, row.chosen) == -2.0


def test_the_slope_by_hand() -> None:
    # At one ratio alone, the curve goes through the share itself: 3 of 4 choose the reply that is
    # twice as long, so that a doubling adds log(3 / 1), whichever of the two was shown first.
    rows = [
        pair(n, *((4, 2) if n % 3 else (2, 4)), chose_first=(n % 4 > 0) == bool(n % 3))
        for n in range(120)
    ]
    told = found(rows)
    assert told.pairs == 120
    assert told.longer is not None
    assert told.longer.value == 0.75
    assert told.slope is not None
    assert told.slope.value == pytest.approx(math.log(3), abs=1e-6)
    # Its error: 1 / sqrt(n p (1 − p)), and n / (n − 1) for the number of prompts.
    error = math.sqrt(120 / 119 / (120 * 0.75 * 0.25))
    assert told.slope.half == pytest.approx(1.96 * error, rel=1e-4)


def test_the_slope_that_made_the_choices_is_found() -> None:
    rng = np.random.default_rng(1)
    rows = []
    for number in range(3000):
        one, other = (int(8 * 2 ** rng.uniform(0, 3)) for _ in range(2))
        chose = rng.random() < sigmoid(0.7 * math.log2(one / other))
        rows.append(pair(number, one, other, chose_first=bool(chose)))
    told = found(rows)
    assert told.slope is not None
    assert told.slope.low < 0.7 < told.slope.high
    assert told.slope.half < 0.1
    for point in told.points:
        expected = sigmoid(0.7 * math.log2(point.times_longer))
        assert point.longer == pytest.approx(expected, abs=0.12)


def test_a_judge_of_length_alone_has_no_slope_that_ends() -> None:
    told = found([pair(n, 4, 2, chose_first=True) for n in range(40)])
    assert told.longer is not None
    assert (told.longer.value, told.slope) == (1.0, None)


def test_ties_and_replies_of_one_length_say_nothing_of_length() -> None:
    tie = label(compare(0, texts=("one two three", "one")), 0.5)
    told = found([tie, pair(1, 3, 3, chose_first=True)])
    assert (told.pairs, told.longer, told.slope, told.points) == (0, None, None, ())
    assert found([]).pairs == 0


def test_the_rate_at_equal_length_by_hand() -> None:
    # Twice as long: 80 of 100 win. Half as long: 40 of 100. A line through both log-odds passes
    # half way between them at a ratio of 1: (log 4 + log ⅔) / 2.
    wins = [True] * 80 + [False] * 20 + [True] * 40 + [False] * 60
    told = rate("wins", wins, [1.0] * 100 + [-1.0] * 100, [str(n) for n in range(200)])
    assert told.raw is not None
    assert told.raw.value == 0.6
    assert told.equal is not None
    assert told.equal.value == pytest.approx(sigmoid((math.log(4) + math.log(2 / 3)) / 2))


def test_a_rate_that_length_made_is_a_half_at_equal_length() -> None:
    # The one author's replies are longer in 3 of 4 pairs, and 3 of 4 choices go to the longer.
    rng = np.random.default_rng(2)
    ratios = np.where(rng.random(4000) < 0.75, 1.0, -1.0)
    wins = (rng.random(4000) < np.where(ratios > 0, 0.75, 0.25)).tolist()
    told = rate("wins", wins, ratios.tolist(), [str(n) for n in range(4000)])
    assert told.raw is not None
    assert told.raw.low > 0.58
    assert told.equal is not None
    assert told.equal.low < 0.5 < told.equal.high


def test_where_every_pair_is_of_one_length_the_rate_stays() -> None:
    told = rate("wins", [True] * 30 + [False] * 10, [0.0] * 40, [str(n) for n in range(40)])
    assert told.equal is not None
    assert told.equal.value == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("wins", "ratios"),
    [
        ([True, False] * 5, [1.0, -1.0] * 5),  # few pairs
        ([True] * 40, [1.0, -1.0] * 20),  # one outcome
        ([True] * 20 + [False] * 20, [1.0] * 20 + [-1.0] * 20),  # length decides
        ([True, False] * 20, [1.0] * 40),  # one ratio, so that nothing is known of another
    ],
)
def test_a_curve_that_cannot_be_known_is_not_told(wins: list[bool], ratios: list[float]) -> None:
    assert rate("wins", wins, ratios, [str(n) for n in range(len(wins))]).equal is None
