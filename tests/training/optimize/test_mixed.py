import math
from concurrent.futures import Future

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.errors import StageError
from rlaif.records import Prompt
from rlaif.training.optimize.mixed import Mixed, Part
from rlaif.training.rewards import RewardPart

HI = [Prompt.of("Hi")] * 3
TEXTS = ["a", "b", "c"]


def says(*scores: float | None):
    return lambda _, texts: list(scores[: len(texts)])


def mixed(*parts: tuple, mix="sum", clip=None) -> Mixed:
    made = [
        Part(reward, RewardPart(**{"judge": "run", "name": f"part{number}", **how}))
        for number, (reward, how) in enumerate(parts)
    ]
    return Mixed(made, mix, clip)


def test_parts_are_added_by_weight() -> None:
    reward = mixed((says(1, 2, 3), {"weight": 0.5}), (says(10, 0, -10), {"weight": -0.1}))
    assert reward(HI, TEXTS) == pytest.approx([-0.5, 1.0, 2.5])


def test_an_answer_that_one_part_leaves_open_has_no_reward_in_any() -> None:
    scored = mixed((says(1, None, 3), {}), (says(1, 1, None), {})).score(HI, TEXTS)
    assert scored.totals == [2.0, None, None]
    assert scored.counted == {"part0": [1.0, None, None], "part1": [1.0, None, None]}
    assert scored.raw["part0"] == [1, None, 3]


def test_a_score_that_is_no_number_is_none() -> None:
    assert mixed((says(math.nan, math.inf, 1.0), {}))(HI, TEXTS) == [None, None, 1.0]


def test_scores_are_clipped_by_part_and_as_a_whole() -> None:
    reward = mixed((says(9, -9, 1), {"clip": 2}), (says(3, 3, 3), {}), clip=4.0)
    assert reward(HI, TEXTS) == [4.0, 1.0, 4.0]


def test_a_mixed_reward_takes_the_closer_bound() -> None:
    loose, close = (mixed((says(9, -9, 1), {}), clip=clip) for clip in (None, 1.5))
    assert Mixed.of(loose, 2.0)(HI, TEXTS) == [2.0, -2.0, 1.0]
    assert Mixed.of(close, 2.0)(HI, TEXTS) == [1.5, -1.5, 1.0]
    assert Mixed.of(close)(HI, TEXTS) == [1.5, -1.5, 1.0]


def test_helpful_and_safe_multiply_and_functions_are_added() -> None:
    reward = Mixed(
        [
            Part(says(0.0, 50.0, -50.0), RewardPart(judge="run", name="helpful")),
            Part(says(0.0, 0.0, 50.0), RewardPart(judge="run", name="safe", weight=2.0)),
            Part(says(0.0, -1.0, 0.0), RewardPart(function="length", most=3, weight=0.5)),
        ],
        "product",
    )
    assert reward(HI, TEXTS) == pytest.approx([0.5 * 0.25, 1.0 * 0.25 - 0.5, 0.0])


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=8), st.floats(-50, 50))
def test_whitened_scores_have_mean_0_and_forget_where_0_was(scores, shift) -> None:
    prompts, texts = HI[:1] * len(scores), ["x"] * len(scores)
    white = mixed((says(*scores), {"whiten": True}))(prompts, texts)
    assert sum(s or 0 for s in white) == pytest.approx(0, abs=1e-3)
    moved = mixed((says(*(s + shift for s in scores)), {"whiten": True}))(prompts, texts)
    if max(scores) - min(scores) > 1e-3:
        assert moved == pytest.approx(white, abs=1e-3)


def test_what_can_be_begun_is_waited_for_last() -> None:
    told: list[str] = []

    class Far:
        def start(self, *_) -> Future:
            told.append("begun")
            begun: Future = Future()
            begun.result = lambda: (told.append("needed"), [1.0, 1.0, 1.0])[1]
            return begun

        def __call__(self, *_):
            raise AssertionError("asked twice")

    def near(_, texts) -> list[float | None]:
        told.append("near")
        return [1.0] * len(texts)

    reward = mixed((Far(), {}), (near, {}))
    reward.start(HI, TEXTS)
    assert reward(HI, TEXTS) == [2.0, 2.0, 2.0]
    assert told == ["begun", "near", "needed"]


def test_a_reward_that_gives_too_few_scores_is_told_so() -> None:
    with pytest.raises(StageError, match="part0 gave 1 scores to 3 answers"):
        mixed((says(1.0), {}))(HI, TEXTS)
