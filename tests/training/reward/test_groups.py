import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.training.config import RewardConfig
from rlaif.training.reward.groups import drawn, make_groups, ranking
from rlaif.training.reward.rows import Pair

PROMPTS = ["a", "b"]


def pair(prompt: int, first: int, second: int, p: float = 0.9, weight: float = 1.0) -> Pair:
    return Pair(prompt, first, second, p, 0.0, weight)


THREE = [pair(0, 4, 7), pair(0, 7, 9, 0.8), pair(0, 4, 9), pair(1, 1, 2)]


def test_without_kwise_a_row_is_a_pair() -> None:
    groups = make_groups(THREE, RewardConfig(), 0, PROMPTS)
    assert [row["answers"] for row in groups.rows] == [[4, 7], [7, 9], [4, 9], [1, 2]]


def test_with_kwise_a_row_is_a_prompt_with_each_answer_once() -> None:
    groups = make_groups(THREE, RewardConfig(kwise=True), 0, PROMPTS)
    row = groups.rows[0]
    assert row["answers"] == [4, 7, 9]
    assert (row["first"], row["second"], row["p"]) == ([0, 1, 0], [1, 2, 2], [0.9, 0.8, 0.9])
    assert (len(groups.rows), groups.pairs) == (2, 4)


def test_a_prompts_pairs_are_drawn_by_the_seed_and_counted() -> None:
    config = RewardConfig(kwise=True, pairs_per_prompt=2)
    groups = make_groups(THREE, config, 0, PROMPTS)
    assert (groups.pairs, groups.left_out) == (3, {"not drawn": 1})
    again = make_groups(THREE, config, 0, PROMPTS)
    assert groups.rows[0] == again.rows[0]
    several = {tuple(drawn(THREE[:3], 1, f"{seed}:x")) for seed in range(20)}
    assert len(several) == 3


def test_hard_takes_the_side_alone_and_a_tie_stays_one() -> None:
    pairs = [pair(0, 1, 2, 0.6), pair(0, 1, 3, 0.5)]
    groups = make_groups(pairs, RewardConfig(loss="hard"), 0, PROMPTS)
    assert [row["p"] for row in groups.rows] == [[1.0], [0.5]]


def test_weights_have_a_mean_of_one() -> None:
    pairs = [pair(0, 1, 2, weight=1.0), pair(0, 1, 3, weight=3.0)]
    rows = make_groups(pairs, RewardConfig(), 0, PROMPTS).rows
    assert [row["weight"] for row in rows] == [[0.5], [1.5]]


@given(st.permutations(range(5)))
def test_all_pairs_of_an_order_give_the_order(order: list[int]) -> None:
    pairs = [(order[i], order[j], 0.7) for i in range(5) for j in range(i + 1, 5)]
    assert ranking(5, pairs) == list(order)


@pytest.mark.parametrize(
    "pairs",
    [
        [(0, 1, 0.9), (1, 2, 0.9)],  # 0 and 2 were never compared
        [(0, 1, 0.9), (1, 2, 0.9), (0, 2, 0.5)],  # a tie
        [(0, 1, 0.9), (1, 2, 0.9), (2, 0, 0.9)],  # a circle
    ],
)
def test_pairs_that_make_no_ranking_are_left_out_and_counted(pairs) -> None:
    assert ranking(3, pairs) == []
    labels = [Pair(0, one, other, p, 0.0, 1.0) for one, other, p in pairs]
    groups = make_groups(labels, RewardConfig(kwise=True, loss="luce"), 0, PROMPTS)
    assert (groups.pairs, groups.left_out) == (0, {"no full ranking": len(pairs)})
