import math

import pytest

from rlaif.backends.chat import NoCompletionError, body_of, completion_of
from rlaif.records import Completion, Message, Request

ASKED = Request(id="1", messages=(Message(role="user", content="?"),), options=("Yes", "No"))


def body(
    *tokens: tuple[str, dict[str, float | None]], text: str = "Yes", **message: str
) -> dict[str, object]:
    content = [
        {"token": token, "top_logprobs": [{"token": t, "logprob": p} for t, p in top.items()]}
        for token, top in tokens
    ]
    return {
        "choices": [{"message": {"content": text, **message}, "logprobs": {"content": content}}]
    }


def logprobs(answered: dict[str, object]) -> dict[str, float] | None:
    said = completion_of(ASKED, answered, "m")
    assert isinstance(said, Completion)
    return said.option_logprobs


YES = {" Yes": math.log(0.8), " No": math.log(0.2)}
WANTED = {"Yes": pytest.approx(math.log(0.8)), "No": pytest.approx(math.log(0.2))}


def test_space_before_the_answer_is_passed_over() -> None:
    assert logprobs(body(("\n", {"\n": -0.1}), (" Yes", YES))) == WANTED


def test_a_letter_later_in_the_answer_is_not_the_answer() -> None:
    assert logprobs(body(("I", {"I": -0.1}), (" Yes", YES))) is None


def test_an_answer_after_thinking_is_read_where_it_begins() -> None:
    thinking = [(token, {token: -0.1}) for token in ("<think>", "No", "?", "</think>", "\n\n")]
    assert logprobs(body(*thinking, (" Yes", YES), text="<think>No?</think>\n\n Yes")) == WANTED
    assert logprobs(body((" Yes", YES), text="Yes", reasoning_content="No?")) == WANTED


def test_the_likeliest_tokens_of_thinking_are_not_read_as_the_answer() -> None:
    """A server that sends all tokens and hides the marks of thinking."""
    tokens = [("No", {"No": -0.1, "Yes": -2.4}), ("?", {"?": -0.1}), (" Yes", YES)]
    assert logprobs(body(*tokens, text="Yes", reasoning_content="No?")) is None


def test_a_server_that_repeats_the_opening_does_not_put_it_into_the_answer() -> None:
    opened = ASKED.model_copy(update={"opening": "I say", "options": ()})
    for text in ("I say yes", " yes"):
        said = completion_of(opened, body(text=text), "m")
        assert isinstance(said, Completion)
        assert said.text == " yes"


@pytest.mark.parametrize(
    "odd",
    [None, [], "html", 7, {}, {"choices": None}, {"choices": [None]}, {"choices": [{}]},
     {"choices": [{"message": None}]}, {"choices": [{"message": {"content": 3}}]},
     {"choices": [{"message": {"content": "x"}, "logprobs": {"content": [{}]}}]},
     {"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": "many"}},
     {"choices": [{"message": {"content": "x"}}], "usage": {"completion_tokens_details": 3}}],
    ids=str,
)  # fmt: skip
def test_a_body_that_is_no_completion_is_said_to_be_none(odd: object) -> None:
    with pytest.raises(NoCompletionError):
        completion_of(ASKED, odd, "m")


def test_log_probabilities_are_asked_for_with_options_alone() -> None:
    plain = ASKED.model_copy(update={"options": ()})
    assert "logprobs" in body_of(ASKED, "m")
    assert "logprobs" not in body_of(plain, "m")
