import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlaif.errors import InputError
from rlaif.evaluation.reward.report import RewardReport, reward_report
from rlaif.evaluation.reward.scored import Scored
from tests.evaluation.reward.made import scored

# Eight right and two wrong, which Wilson puts between 0.490 and 0.943.
TEN = [scored(n, 1.0 if n < 8 else -1.0) for n in range(10)]


def report(rows: list[Scored]) -> RewardReport:
    return reward_report(rows, "rm", rounds=1000)


def test_the_accuracy_has_wilsons_interval() -> None:
    found = report(TEN).accuracy
    assert found is not None
    assert found.share.value == pytest.approx(0.8)
    assert (found.share.low, found.share.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert (found.pairs, found.prompts) == (10, 10)


def test_pairs_of_one_prompt_are_one_observation() -> None:
    rows = [scored(n, 1.0 if n < 8 else -1.0, prompt=f"Question {n // 5}?") for n in range(10)]
    found = report(rows).accuracy
    assert found is not None
    assert (found.share.value, found.pairs, found.prompts) == (0.8, 10, 2)
    assert found.share.low < 0.3


def test_equal_rewards_count_half_and_ties_not_at_all() -> None:
    found = report([scored(0, 0.0), scored(1, 1.0), scored(2, 5.0, 0.5)])
    assert found.accuracy is not None
    assert (found.accuracy.share.value, found.accuracy.pairs) == (0.75, 2)
    assert (found.counts.even, found.counts.ties, found.counts.held_out) == (1, 1, 3)


def test_the_loss_is_the_soft_cross_entropy() -> None:
    found = report([scored(0, math.log(3), 0.8), scored(1, 0.0, 1.0)]).loss
    assert found is not None
    # σ(log 3) = 3/4.
    by_hand = (-(0.8 * math.log(0.75) + 0.2 * math.log(0.25)) + math.log(2)) / 2
    assert found.value == pytest.approx(by_hand)


def test_a_reply_without_a_reward_is_counted_and_in_no_figure() -> None:
    found = report([*TEN, scored(10, None)])
    assert (found.counts.unscored, found.counts.held_out) == (1, 10)
    assert found.accuracy == report(TEN).accuracy


def test_the_gap_is_training_less_held_out() -> None:
    train = [scored(100 + n, 2.0, split="train") for n in range(10)]
    found = report([*TEN, *train])
    assert found.counts.train == 10
    assert found.gap is not None
    assert found.gap.train.share.value == 1.0
    assert found.gap.accuracy is not None
    assert found.gap.accuracy.value == pytest.approx(0.2)
    assert found.gap.accuracy.low <= 0.2 <= found.gap.accuracy.high
    assert found.gap.loss is not None
    by_hand = (8 * math.log1p(math.exp(-1)) + 2 * math.log1p(math.exp(1))) / 10
    assert found.gap.loss.value == pytest.approx(by_hand - math.log1p(math.exp(-2)))
    # What trained the model says nothing of how right it is.
    assert found.accuracy == report(TEN).accuracy


def test_a_prompt_in_both_splits_is_refused_with_its_rows() -> None:
    rows = [*TEN, scored(20, 1.0, prompt="Question 3?", split="train")]
    with pytest.raises(InputError, match=r"pair3-judge \(held-out\) and pair20-judge \(train\)"):
        report(rows)


def test_nothing_held_out_is_refused_with_the_counts() -> None:
    rows = [scored(0, 1.0, split="train"), scored(1, None)]
    with pytest.raises(InputError, match="of 2 rows 1 trained the model and 1 have"):
        report(rows)


def test_ties_alone_have_no_accuracy_and_still_a_loss() -> None:
    found = report([scored(n, 0.0, 0.5) for n in range(3)])
    assert found.accuracy is None
    assert found.loss is not None
    assert found.loss.value == pytest.approx(math.log(2))
    assert not found.trivial


def test_the_hardest_are_the_wrong_pairs_by_loss() -> None:
    rows = [scored(n, -float(n) if n % 2 else float(n)) for n in range(1, 60)]
    found = report(rows).hardest
    assert len(found) == 20
    assert [hard.margin for hard in found] == [-float(n) for n in range(59, 19, -2)]
    assert found[0].loss == pytest.approx(math.log1p(math.exp(59)))


def test_few_mistakes_are_all_there_is_to_show() -> None:
    assert [hard.margin for hard in report(TEN).hardest] == [-1.0, -1.0]


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.floats(-50, 50),
            st.floats(0.5, 1.0),
            st.tuples(st.integers(1, 40), st.integers(1, 40)),
            st.integers(0, 5),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_every_figure_stays_in_its_range(
    rows: list[tuple[float, float, tuple[int, int], int]],
) -> None:
    made = [scored(n, d, p, words=w, prompt=f"Q{q}?") for n, (d, p, w, q) in enumerate(rows)]
    found = reward_report(made, "rm", rounds=50)
    shares = [found.accuracy.share] if found.accuracy else []
    shares += [group.accuracy.share for group in found.groups]
    shares += [rule.accuracy.share for rule in found.trivial]
    lengths = found.lengths
    shares += [one for one in (lengths.longer, lengths.labels_longer, lengths.balanced) if one]
    calibration = found.calibration
    assert calibration.ece is not None
    assert calibration.brier is not None
    for one in [*shares, calibration.ece, calibration.brier]:
        assert -1e-9 <= one.low <= one.value <= one.high <= 1 + 1e-9
    assert found.loss is not None
    assert found.loss.value >= 0
    if lengths.correlation:
        assert -1 - 1e-9 <= lengths.correlation.low <= lengths.correlation.high <= 1 + 1e-9
    assert RewardReport.model_validate_json(found.model_dump_json()) == found
