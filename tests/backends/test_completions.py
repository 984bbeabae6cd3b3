import math

import pytest

from rlaif.backends.chat import NoCompletionError, choices_in, completion_of
from rlaif.backends.completions import as_chat, body_of, text_of
from rlaif.records import Completion, Message, Request, Sampling

ASKED = Request(
    id="r",
    messages=(Message(role="user", content="Sky? A blue. B green."),),
    opening=" Answer:",
    options=("A", "B"),
    sampling=Sampling(temperature=0, max_tokens=1),
)
TOP = {" A": math.log(0.7), " B": math.log(0.2)}


def read(logprobs: object) -> Completion:
    body = {"choices": [{"text": " A", "finish_reason": "length", "logprobs": logprobs}]}
    said = completion_of(ASKED, as_chat(ASKED, body), "m")
    assert isinstance(said, Completion)
    return said


def test_the_prompt_is_one_text_that_ends_with_the_opening() -> None:
    body = body_of(ASKED, "base")
    assert body["prompt"] == "Sky? A blue. B green. Answer:"
    assert body["logprobs"] == 20
    assert not {"messages", "top_logprobs"} & set(body)


def test_several_turns_are_named_and_end_where_the_assistant_begins() -> None:
    turns = [Message(role="system", content="Be kind."), Message(role="user", content="Hi")]
    assert text_of(turns, "") == "System: Be kind.\n\nUser: Hi\n\nAssistant:"
    assert text_of(turns, "Well,").endswith("Assistant: Well,")


def test_the_older_log_probabilities_are_read() -> None:
    said = read({"tokens": [" A"], "token_logprobs": [TOP[" A"]], "top_logprobs": [TOP]})
    assert said.text == " A"
    assert said.option_logprobs == pytest.approx({"A": math.log(0.7), "B": math.log(0.2)})


def test_a_server_that_sends_the_newer_ones_is_understood() -> None:
    tops = [{"token": token, "logprob": logprob} for token, logprob in TOP.items()]
    said = read({"content": [{**tops[0], "top_logprobs": tops}]})
    assert said.option_logprobs == pytest.approx({"A": math.log(0.7), "B": math.log(0.2)})


@pytest.mark.parametrize("none", [None, {}, {"tokens": [" A"]}])
def test_log_probabilities_that_did_not_come_are_none(none: object) -> None:
    assert read(none).option_logprobs is None


def test_several_choices_are_parted_and_what_they_took_is_counted_once() -> None:
    body = {"choices": [{"text": "a"}, {"text": "b"}], "usage": {"prompt_tokens": 3}}
    asked = ASKED.model_copy(update={"options": (), "opening": ""})
    said = [completion_of(asked, part, "m") for part in choices_in(as_chat(asked, body))]
    assert [(one.text, one.usage.read) for one in said if isinstance(one, Completion)] == [
        ("a", 3),
        ("b", 0),
    ]


@pytest.mark.parametrize("body", [None, [], {}, {"choices": None}, "text", 3])
def test_a_body_without_choices_is_no_completion(body: object) -> None:
    with pytest.raises(NoCompletionError):
        choices_in(body)
