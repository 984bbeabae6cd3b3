import math

import pytest

from rlaif.backends.chat import NoCompletionError, body_of, completion_of
from rlaif.records import Message, Request

ASKED = Request(id="1", messages=(Message(role="user", content="?"),), options=("Yes", "No"))


def body(*tokens: tuple[str, dict[str, float | None]], text: str = "Yes") -> dict[str, object]:
    content = [
        {"token": token, "top_logprobs": [{"token": t, "logprob": p} for t, p in top.items()]}
        for token, top in tokens
    ]
    return {"choices": [{"message": {"content": text}, "logprobs": {"content": content}}]}


def test_space_before_the_answer_is_passed_over() -> None:
    answer = completion_of(ASKED, body(("\n", {"\n": -0.1}), (" Yes", {" Yes": -0.2})), "m")
    assert answer.option_logprobs == {"Yes": -0.2}


def test_a_letter_later_in_the_answer_is_not_the_answer() -> None:
    answer = completion_of(ASKED, body(("I", {"I": -0.1}), (" Yes", {" Yes": -0.2})), "m")
    assert answer.option_logprobs is None


@pytest.mark.parametrize("worthless", [None, -math.inf, math.nan])
def test_a_logprob_that_is_no_number_is_left_out(worthless: float | None) -> None:
    answer = completion_of(ASKED, body(("Yes", {"Yes": worthless, "No": -0.5})), "m")
    assert answer.option_logprobs == {"No": -0.5}


def test_a_server_that_repeats_the_opening_does_not_put_it_into_the_answer() -> None:
    opened = ASKED.model_copy(update={"opening": "I say", "options": ()})
    assert completion_of(opened, body(text="I say yes"), "m").text == " yes"
    assert completion_of(opened, body(text=" yes"), "m").text == " yes"


@pytest.mark.parametrize(
    "odd",
    [None, [], "html", 7, {}, {"choices": None}, {"choices": [None]}, {"choices": [{}]},
     {"choices": [{"message": None}]}, {"choices": [{"message": {"content": 3}}]},
     {"choices": [{"message": {"content": "x"}, "logprobs": {"content": [{}]}}]},
     {"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": "many"}}],
    ids=str,
)  # fmt: skip
def test_a_body_that_is_no_completion_is_said_to_be_none(odd: object) -> None:
    with pytest.raises(NoCompletionError):
        completion_of(ASKED, odd, "m")


def test_log_probabilities_are_asked_for_with_options_alone() -> None:
    plain = ASKED.model_copy(update={"options": ()})
    assert "logprobs" in body_of(ASKED, "m")
    assert "logprobs" not in body_of(plain, "m")
