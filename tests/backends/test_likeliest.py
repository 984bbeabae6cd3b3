import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.backends.likeliest import answer_tokens, option_logprobs

SCORES = [str(number) for number in range(1, 11)]


def likely(text: str, share: float, **more: Any) -> dict[str, Any]:
    return {"token": text, "logprob": math.log(share), **more}


def token(written: str, **shares: float) -> dict[str, Any]:
    return {"token": written, "top_logprobs": [likely(t, p) for t, p in shares.items()]}


def read(options: list[str], *tokens: dict[str, Any]) -> dict[str, float] | None:
    found = option_logprobs(options, tokens)
    return found and {option: round(math.exp(value), 6) for option, value in found.items()}


def test_spellings_of_an_option_are_added_with_and_without_a_space() -> None:
    shares = {"Yes": 0.5, " Yes": 0.1, "▁Yes": 0.1, "Ġ Yes\n": 0.1, "No": 0.15, "Yesterday": 0.05}
    assert read(["Yes", "No"], token("Yes", **shares)) == {"Yes": 0.8, "No": 0.15}


@pytest.mark.parametrize("worthless", [None, -math.inf, math.nan])
def test_a_logprob_that_is_no_number_is_left_out(worthless: float | None) -> None:
    tops = [likely("No", 0.995), {"token": "Yes", "logprob": worthless}]
    assert read(["Yes", "No"], {"token": "No", "top_logprobs": tops}) == {"No": 0.995}


def test_a_token_is_known_by_its_id_then_its_bytes_then_its_text() -> None:
    """Named twice, it counts once; two tokens with the same text count both."""
    by_id = [likely("A", 0.4, id=7), likely("A", 0.4, id=7), likely("A", 0.1, id=8)]
    by_bytes = [likely("?", 0.4, bytes=[65])] * 2 + [likely("?", 0.1, bytes=[32, 65])]
    by_text = [likely("A", 0.4), likely("A", 0.4), likely(" A", 0.1)]
    for tops in (by_id, by_bytes, by_text):
        answer = {"token": "A", "top_logprobs": [*tops, likely("B", 0.5, id=9, bytes=[66])]}
        assert read(["A", "B"], answer) == {"A": 0.5, "B": 0.5}


def test_bytes_that_are_half_a_character_are_no_option() -> None:
    tops = [likely("A", 0.6), likely("\ufffd", 0.01, bytes=[195]), likely("B", 0.3)]
    assert read(["A", "B"], {"token": "A", "top_logprobs": tops}) == {"A": 0.6, "B": 0.3}


def test_an_option_that_may_hold_more_than_the_server_tells_is_not_guessed() -> None:
    assert read(["Yes", "No"], token("Yes", Yes=0.6)) is None
    assert read(["Yes", "No"], token("Yes", Yes=0.6, Sure=0.39)) == {"Yes": 0.6}
    assert read(["Yes", "No"], token("Yes", Yes=0.6, Sure=0.2, Well=0.001)) == {"Yes": 0.6}


def test_a_server_that_splits_digits_does_not_make_a_ten_a_one() -> None:
    digits = {str(number): 0.1 for number in range(1, 10)}
    assert read(SCORES, token("7", **digits)) is None
    assert read(SCORES, token("1", **digits)) is None


def test_where_ten_is_a_token_one_is_one() -> None:
    shares = {str(number): 0.1 for number in range(1, 11)}
    assert read(SCORES, token("7", **shares)) == shares


def test_a_beginning_that_holds_next_to_nothing_is_no_hindrance() -> None:
    shares = {"7": 0.9, "8": 0.08, "1": 0.001, "2": 0.001, "x": 0.0001}
    assert read(SCORES, token("7", **shares)) == {"7": 0.9, "8": 0.08, "1": 0.001, "2": 0.001}


def test_a_longer_option_is_read_along_the_tokens_that_were_written() -> None:
    first = token("1", **{"1": 0.6, "7": 0.3, " 7": 0.09, "x": 0.001})
    after = token("0", **{"0": 0.75, "\n": 0.2, ".": 0.05})
    assert read(SCORES, first, after) == {"1": 0.15, "7": 0.39, "10": 0.45}


def test_words_that_begin_alike_are_told_apart_where_they_differ() -> None:
    first = token("Reply", **{"Reply": 0.9, " Reply": 0.1})
    after = token(" B", **{" A": 0.25, " B": 0.75})
    options = ["Reply A", "Reply B"]
    assert read(options, first, after) == {"Reply A": 0.25, "Reply B": 0.75}
    assert read(options, first) is None
    spaced = token("Reply ", **{"Reply ": 1.0}), token("B", A=0.25, B=0.75)
    assert read(options, *spaced) == {"Reply A": 0.25, "Reply B": 0.75}


def test_three_that_begin_alike_share_what_the_first_token_holds() -> None:
    first, second = token("1", **{"1": 1.0}), token("0", **{"0": 0.5, ".": 0.5})
    third = token("0", **{"0": 0.4, ".": 0.6})
    assert read(["1", "10", "100"], first, second, third) == {"1": 0.5, "10": 0.3, "100": 0.2}


def test_first_letters_of_an_option_that_is_a_token_are_something_else() -> None:
    shares = {"Yes": 0.6, "Y": 0.2, "No": 0.1, "N": 0.1}
    assert read(["Yes", "No"], token("Yes", **shares)) == {"Yes": 0.6, "No": 0.1}


def test_space_after_an_option_is_not_a_longer_option() -> None:
    tokens = token("1", **{"1": 0.9, "2": 0.1}), token(" ", **{" ": 0.9, "0": 0.1})
    assert read(["1", "2", "10"], *tokens) == {"1": 0.81, "2": 0.1, "10": 0.09}


texts = st.sampled_from(["1", "0", "10", " 1", "x", "", "\n", "00"])
shares = st.dictionaries(texts, st.floats(0.001, 1), max_size=5)
places = st.lists(st.tuples(texts, shares), max_size=4)


@given(places)
def test_whatever_a_server_sends_no_option_is_likelier_than_its_first_place_allows(
    sent: list[tuple[str, dict[str, float]]],
) -> None:
    tokens = []
    for written, shares in sent:
        total = sum(shares.values())
        tokens.append(token(written, **{text: share / total for text, share in shares.items()}))
    found = option_logprobs(["1", "10", "100"], answer_tokens(tokens))
    if found is not None:
        assert sum(math.exp(value) for value in found.values()) <= 1 + 1e-9
