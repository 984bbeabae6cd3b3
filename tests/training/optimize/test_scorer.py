import pytest

from rlaif.errors import BackendError, OutageError
from rlaif.records import Prompt
from rlaif.training.optimize import patience as module
from rlaif.training.optimize.patience import Patience
from rlaif.training.optimize.scorer import Scorer

HI = [Prompt.of("Hi")]


def answers(*texts: str):
    return [[{"role": "assistant", "content": text}] for text in texts]


def test_a_judge_that_comes_back_is_asked_again(monkeypatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(module.time, "sleep", waited.append)
    tries = iter([BackendError("gone"), BackendError("gone"), None])

    def reward(_, texts):
        if error := next(tries):
            raise error
        return [1.0] * len(texts)

    said: list[str] = []
    scorer = Scorer(HI, reward, patience=Patience(100.0, said.append))
    assert scorer(completions=answers("a", "b"), row=[0, 0]) == [1.0, 1.0]
    assert waited == [1.0, 2.0]
    assert said == ["gone; it is asked again for up to 100 s", "it answers again"]
    assert scorer.asked == 2


def test_one_that_stays_away_ends_the_run_with_code_3() -> None:
    def reward(*_):
        raise BackendError("gone")

    with pytest.raises(OutageError) as caught:
        Scorer(HI, reward)(completions=answers("a"), row=[0])
    assert caught.value.exit_code == 3


def test_each_part_is_asked_once_for_all_its_columns() -> None:
    asked: list[int] = []

    def reward(_, texts):
        asked.append(len(texts))
        return [1.0, None]

    scorer = Scorer(HI, reward)
    [column] = scorer.columns
    logged: dict[str, float] = {}
    found = column(completions=answers("a", "b"), row=[0, 0], log_metric=logged.__setitem__)
    assert (found, asked) == ([1.0, None], [2])
    assert logged["abstained"] == 0.5


def test_each_column_is_bounded_as_a_whole_reward_is() -> None:
    [column] = Scorer(HI, lambda *_: [9.0, -9.0, None, 1.0], clip=2.0).columns
    asked = answers("a", "b", "c", "d")
    assert column(completions=asked, row=[0] * 4) == [2.0, -2.0, None, 1.0]


def test_one_that_scores_nothing_any_more_ends_the_run_with_code_3() -> None:
    said = iter([[1.0, None], *[[None, None]] * 40])
    scorer = Scorer(HI, lambda *_: next(said))
    for _ in range(32):
        scorer(completions=answers("a", "b"), row=[0, 0])
    with pytest.raises(OutageError, match="none of the last 64 answers") as caught:
        scorer(completions=answers("a", "b"), row=[0, 0])
    assert caught.value.exit_code == 3
    assert scorer.asked == 2 * 32
