import pytest

from rlaif.errors import InputError
from rlaif.records import Prompt
from rlaif.training.optimize.functions import function_of
from rlaif.training.rewards import RewardPart

HI = Prompt.of("Hi")


def scores(part: RewardPart, *texts: str) -> list[float | None]:
    return list(function_of(part)([HI] * len(texts), texts))


def test_length_costs_nothing_up_to_the_limit_and_then_by_times_of_it() -> None:
    part = RewardPart(function="length", most=4)
    assert scores(part, "a b c d", "a b c d e f", "a b c d e f g h") == [0.0, -0.5, -1.0]


def test_a_refusal_counts_one() -> None:
    part = RewardPart(function="refusal", weight=-1)
    assert scores(part, "I can't help with that.", "Boil it for eight minutes.") == [1.0, 0.0]


def test_saying_the_same_again_has_no_variety() -> None:
    assert scores(RewardPart(function="variety"), "ha ha ha ha ha", "one two three") == [0.25, 1.0]


def test_a_function_of_ones_own_is_found_by_module_and_name(monkeypatch, tmp_path) -> None:
    (tmp_path / "my_rewards.py").write_text(
        "def one(prompts, texts):\n    return [1.0 for _ in texts]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert scores(RewardPart(function="my_rewards:one"), "a", "b") == [1.0, 1.0]


@pytest.mark.parametrize("name", ["no_such_module:one", "math:no_such", "math:pi"])
def test_one_that_cannot_be_called_is_told_in_one_line(name: str) -> None:
    with pytest.raises(InputError, match=f"rewards: {name} "):
        function_of(RewardPart(function=name))
