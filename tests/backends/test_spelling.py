import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.backends.spelling import likelihoods, spellings, steps
from rlaif.errors import InputError


def characters(text: str, **_: object) -> dict[str, list[int]]:
    return {"input_ids": [ord(letter) for letter in text]}


def with_a_space_before(text: str, **_: object) -> dict[str, list[int]]:
    """A tokenizer that puts a space before whatever it is given, as some do."""
    return characters(" " + text)


def joining(text: str, **_: object) -> dict[str, list[int]]:
    """A tokenizer that has a token of its own for a line break and what follows."""
    return {"input_ids": [999] if text.startswith("\n") and len(text) > 1 else [*map(ord, text)]}


@pytest.mark.parametrize("tokenizer", [characters, with_a_space_before, joining])
def test_an_option_is_spelled_with_and_without_a_space_before(tokenizer: object) -> None:
    spelled = spellings(tokenizer, ["10"])
    assert set(spelled["10"]) == {(49, 48), (32, 49, 48)}


def test_options_that_are_the_same_tokens_are_refused() -> None:
    lower = lambda text, **_: characters(text.lower())  # noqa: E731
    with pytest.raises(InputError, match="'yes' and 'Yes' are the same tokens"):
        spellings(lower, ["yes", "no", "Yes"])


def test_each_beginning_is_asked_for_once_with_all_that_may_follow_it() -> None:
    spelled = {"1": [(1,), (9, 1)], "10": [(1, 0), (9, 1, 0)], "2": [(2,), (9, 2)]}
    assert steps(spelled) == {(): [1, 2, 9], (9,): [1, 2], (1,): [0], (9, 1): [0]}


def test_a_shorter_option_has_what_longer_ones_leave_of_it() -> None:
    spelled = {"1": [(1,)], "10": [(1, 0)], "100": [(1, 0, 0)], "2": [(2,), (3,)]}
    chances = {(): {1: 0.5, 2: 0.2, 3: 0.1}, (1,): {0: 0.4}, (1, 0): {0: 0.25}}
    logs = {
        beginning: {token: math.log(chance) for token, chance in after.items()}
        for beginning, after in chances.items()
    }
    got = {option: math.exp(value) for option, value in likelihoods(spelled, logs).items()}
    assert got == pytest.approx({"1": 0.3, "10": 0.15, "100": 0.05, "2": 0.3})


def test_an_option_that_is_left_nothing_still_has_a_number() -> None:
    spelled = {"1": [(1,)], "10": [(1, 0)]}
    got = likelihoods(spelled, {(): {1: -0.5}, (1,): {0: 0.0}})
    assert got["10"] == pytest.approx(-0.5)
    assert math.isfinite(got["1"])
    assert got["1"] < -15


words = st.text("ab", min_size=1, max_size=4)


@given(st.lists(words, min_size=2, max_size=6, unique=True), st.floats(0.05, 0.95))
def test_options_together_hold_what_their_first_tokens_can_lead_to(
    options: list[str], chance: float
) -> None:
    """With two letters, each as likely as `chance` says, no set of words holds more than one."""
    spelled = {option: [tuple(map(ord, option))] for option in options}
    logs = {ord("a"): math.log(chance), ord("b"): math.log(1 - chance)}
    after = dict.fromkeys(steps(spelled), logs)
    got = {option: math.exp(value) for option, value in likelihoods(spelled, after).items()}
    for option in options:
        whole = math.prod(chance if letter == "a" else 1 - chance for letter in option)
        begun_by_it = [got[other] for other in options if other.startswith(option)]
        assert sum(begun_by_it) == pytest.approx(whole)
    assert sum(got.values()) <= 1 + 1e-6
