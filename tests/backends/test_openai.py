import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlaif.backends.openai import OpenAIBackend
from rlaif.backends.spec import OpenAIModel
from rlaif.errors import BackendError
from rlaif.records import Completion, Failure, Message, Request, Sampling
from tests.backends.fake_server import (
    Body,
    FakeServer,
    Reply,
    Script,
    refused,
    said,
    serve,
    thought,
)

KEY = "sk-very-secret-0123456789"


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Connect to a fake server that follows a script."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    backends: list[OpenAIBackend] = []

    def connected(server: FakeServer | str, **fields: Any) -> OpenAIBackend:
        url = server if isinstance(server, str) else server.base_url
        spec = OpenAIModel(model="fake", base_url=url, **fields)
        backends.append(OpenAIBackend(spec, first_wait=0.01))
        return backends[-1]

    yield connected
    for backend in backends:
        backend.close()


def request(text: str = "Hi", **fields: Any) -> Request:
    return Request(id=text, messages=(Message(role="user", content=text),), **fields)


def once(backend: OpenAIBackend, asked: Request | None = None) -> Completion | Failure:
    [(_, answer)] = backend.stream([asked or request()])
    return answer


def at_first(reply: Reply, times: int = 1) -> Script:
    """Fail so many times, then answer."""
    return lambda _, before: reply if before < times else said("ok")


def test_a_completion_has_its_text_its_model_and_its_tokens(ask: Any) -> None:
    with serve(lambda *_: said("Hello.")) as server:
        answer = once(ask(server))
    assert isinstance(answer, Completion)
    assert (answer.text, answer.model, answer.option_logprobs) == ("Hello.", "fake", None)
    assert (answer.usage.read, answer.usage.written) == (7, 2)


def test_what_was_asked_is_what_is_sent(ask: Any) -> None:
    sampling = Sampling(temperature=0.3, top_p=0.9, max_tokens=5, seed=2**40 + 3, stop=("\n",))
    with serve(lambda *_: said("x")) as server:
        once(ask(server, extra_body={"top_k": 4}), request(sampling=sampling, opening="I think"))
    [body] = server.seen
    assert body == {
        "model": "fake",
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "I think"},
        ],
        "temperature": 0.3,
        "top_p": 0.9,
        "max_tokens": 5,
        "seed": 3,
        "stop": ["\n"],
        "top_k": 4,
    }


@pytest.mark.parametrize(
    "trouble",
    [
        refused(429, "slow down", {"retry-after": "0.05"}),
        refused(500, "oops"),
        refused(503, "busy"),
        refused(408, "late"),
        Reply(200, "<html>welcome</html>"),
        Reply(200, {"choices": []}),
        Reply(200, {"choices": [{"message": {"content": ["a", "b"]}}]}),
        Reply(200, '{"choices": [{"mess'),
        Reply(0),
    ],
    ids=["429", "500", "503", "408", "html", "no-choice", "odd-content", "torn", "hang-up"],
)
def test_what_may_pass_is_asked_again(ask: Any, trouble: Reply) -> None:
    with serve(at_first(trouble, 2)) as server:
        answer = once(ask(server))
    assert isinstance(answer, Completion), answer
    assert answer.text == "ok"
    assert len(server.seen) == 3


def test_the_server_says_how_long_to_wait(ask: Any) -> None:
    with serve(at_first(refused(429, "slow down", {"retry-after": "0.4"}))) as server:
        began = time.monotonic()
        once(ask(server))
    assert time.monotonic() - began >= 0.4


@pytest.mark.parametrize("status", [400, 422])
def test_what_will_not_pass_is_asked_once(ask: Any, status: int) -> None:
    with serve(lambda *_: refused(status, "no such\nthing")) as server:
        answer = once(ask(server))
    assert isinstance(answer, Failure)
    assert answer.kind == "backend"
    assert f"HTTP {status}" in answer.detail
    assert "\n" not in answer.detail
    assert len(server.seen) == 1


def test_attempts_end_in_a_failure(ask: Any) -> None:
    with serve(lambda *_: refused(500, "oops")) as server:
        answer = once(ask(server, attempts=3))
    assert isinstance(answer, Failure)
    assert "HTTP 500" in answer.detail
    assert len(server.seen) == 3


def test_a_server_that_hangs_is_a_timeout(ask: Any) -> None:
    free = threading.Event()

    def hang(*_: Any) -> Reply:
        free.wait(5)
        return said("late")

    with serve(hang) as server:
        answer = once(ask(server, timeout=0.2, attempts=2))
        free.set()
    assert answer == Failure(kind="timeout", detail="no answer within 0.2 s")


@pytest.mark.parametrize(
    ("status", "names"),
    [(401, "OPENAI_API_KEY"), (403, "key_env"), (404, "base_url")],
)
def test_a_refused_run_stops_at_once_and_names_the_setting(
    ask: Any, status: int, names: str
) -> None:
    with serve(lambda *_: refused(status, f"bad key {KEY}")) as server:
        backend = ask(server, in_flight=4)
        with pytest.raises(BackendError, match=names) as caught:
            list(backend.stream(request(str(number)) for number in range(100)))
    assert len(server.seen) <= 4
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_money_stops_the_run(ask: Any) -> None:
    empty = refused(429, "You exceeded your quota", code="insufficient_quota")
    with serve(lambda *_: empty) as server, pytest.raises(BackendError, match="quota"):
        once(ask(server))


def test_the_key_is_sent_and_stands_nowhere_else(ask: Any) -> None:
    with serve(lambda *_: refused(400, f"do not send {KEY}")) as server:
        backend = ask(server)
        answer = once(backend)
    assert server.keys == [f"Bearer {KEY}"]
    assert KEY not in repr(answer)
    assert KEY not in backend.name


def test_a_dead_server_stops_the_run(ask: Any) -> None:
    with serve(lambda *_: said("ok")) as server:
        url = server.base_url
    with pytest.raises(BackendError, match="base_url"):
        list(ask(url, attempts=2).stream(request(str(number)) for number in range(1000)))


def test_filtered_requests_do_not_stop_the_run(ask: Any) -> None:
    filtered = refused(400, "filtered", code="content_filter")
    with serve(lambda *_: filtered) as server:
        answers = list(ask(server).stream(request(str(number)) for number in range(60)))
    assert len(answers) == 60
    assert all(isinstance(answer, Failure) for _, answer in answers)


def test_a_parameter_that_the_model_does_not_take_is_left_out(ask: Any) -> None:
    def choosy(body: Body, _: int) -> Reply:
        for name in ("max_tokens", "temperature", "logprobs"):
            if name in body:
                return refused(400, "no", code="unsupported_parameter", param=name)
        return said("A")

    with serve(choosy) as server:
        backend = ask(server, attempts=1)
        first = once(backend, request(options=("A", "B")))
        second = once(backend, request("again"))
    assert isinstance(first, Completion)
    assert first.option_logprobs is None
    assert isinstance(second, Completion)
    assert len(server.seen) == 5  # three refusals, and the second request knows of them
    assert server.seen[-1]["max_completion_tokens"] == 64
    assert backend.left_out == {"max_tokens", "temperature", "logprobs", "top_logprobs"}


def test_option_logprobs_add_the_spellings_of_an_option(ask: Any) -> None:
    top = {"Yes": math.log(0.5), " Yes": math.log(0.2), "No": math.log(0.1), "Yesterday": -3.0}
    with serve(lambda *_: said("Yes", top)) as server:
        answer = once(ask(server), request(options=("Yes", "No")))
    assert isinstance(answer, Completion)
    assert answer.option_logprobs == pytest.approx({"Yes": math.log(0.7), "No": math.log(0.1)})
    assert server.seen[0]["top_logprobs"] == 20


@pytest.mark.parametrize(
    "reply",
    [said("Yes"), said("Yes", {}), said("Yes", {"Perhaps": -0.1}), said("Yes", {"Yes": -0.7})],
    ids=["none", "no token", "no option", "the written token alone"],
)
def test_logprobs_that_did_not_come_back_are_none(ask: Any, reply: Reply) -> None:
    with serve(lambda *_: reply) as server:
        answer = once(ask(server), request(options=("Yes", "No")))
    assert isinstance(answer, Completion)
    assert answer.option_logprobs is None
    assert answer.text == "Yes"


@pytest.mark.parametrize(
    "reply",
    [
        said(None, reasoning_content="B, surely"),
        said("", reasoning="B, surely"),
        said("<think>B, surely"),
        thought(None, 300),
        said(None, end="length"),
    ],
    ids=["beside", "beside, by another name", "unfinished", "hidden", "cut off"],
)
def test_thinking_without_an_answer_is_asked_once_more_with_more_room(
    ask: Any, reply: Reply
) -> None:
    sampling = Sampling(max_tokens=2000)
    with serve(lambda *_: reply) as server:
        answer = once(ask(server), request(sampling=sampling))
    assert isinstance(answer, Failure)
    assert answer.kind == "empty"
    assert [body["max_tokens"] for body in server.seen] == [2000, 8000]


def test_what_was_spent_on_thinking_is_said_and_counted(ask: Any) -> None:
    with serve(lambda _, before: said("B") if before else thought(None, 300)) as server:
        answer = once(ask(server))
    assert isinstance(answer, Completion)
    assert answer.text == "B"
    assert (answer.usage.read, answer.usage.written) == (7 + 7, 300 + 2)
    with serve(lambda *_: thought("", 300)) as server:
        failed = once(ask(server))
    assert isinstance(failed, Failure)
    assert "spent 300 tokens on thinking" in failed.detail
    assert failed.usage.written == 600


@pytest.mark.parametrize(
    ("limit", "then"), [(1, [1, 1024]), (20_000, [20_000, 32_768]), (40_000, [40_000])]
)
def test_more_room_is_enough_to_think_in_and_has_an_end(
    ask: Any, limit: int, then: list[int]
) -> None:
    with serve(lambda *_: thought(None, 9)) as server:
        once(ask(server), request(sampling=Sampling(max_tokens=limit)))
    assert [body["max_tokens"] for body in server.seen] == then


def test_a_limit_of_the_user_is_the_one_that_grows(ask: Any) -> None:
    with serve(lambda *_: thought(None, 9)) as server:
        once(ask(server, extra_body={"max_completion_tokens": 3000}))
    assert [body["max_completion_tokens"] for body in server.seen] == [3000, 12_000]


def test_thinking_before_an_answer_is_left_to_the_reader(ask: Any) -> None:
    with serve(lambda *_: said("<think>A? no.</think> B")) as server:
        answer = once(ask(server))
    assert isinstance(answer, Completion)
    assert answer.text == "<think>A? no.</think> B"
    assert len(server.seen) == 1


def test_an_answer_of_nothing_by_a_model_that_does_not_think_is_a_completion(ask: Any) -> None:
    with serve(lambda *_: said("")) as server:
        answer = once(ask(server))
    assert isinstance(answer, Completion)
    assert answer.text == ""


def test_models_that_only_think_stop_the_run_and_say_what_helps(ask: Any) -> None:
    with (
        serve(lambda *_: thought(None, 9)) as server,
        pytest.raises(BackendError, match=r"spent 9 tokens on thinking; .* max_tokens"),
    ):
        list(ask(server).stream(request(str(number)) for number in range(1000)))


@pytest.mark.parametrize(
    "reply",
    [
        said(None, refusal="I cannot compare these."),
        said("I can", end="content_filter"),
        refused(400, "filtered", code="content_filter"),
    ],
    ids=["refusal", "cut off by a filter", "not let through"],
)
def test_a_refusal_is_a_failure_of_its_own_kind_and_not_asked_again(ask: Any, reply: Reply) -> None:
    with serve(lambda *_: reply) as server:
        answers = list(ask(server).stream(request(str(number)) for number in range(30)))
    assert {answer.kind for _, answer in answers} == {"refused"}
    assert all(answer.detail for _, answer in answers)
    assert len(server.seen) == 30


def test_never_more_in_flight_than_allowed_and_no_more_pulled(ask: Any) -> None:
    pulled = 0

    def endless() -> Iterator[Request]:
        nonlocal pulled
        for number in itertools.count():
            pulled += 1
            yield request(str(number))

    def slow(*_: Any) -> Reply:
        time.sleep(0.02)
        return said("ok")

    with serve(slow) as server:
        backend = ask(server, in_flight=3)
        got = list(itertools.islice(backend.stream(endless()), 20))
        assert len(got) == 20
        assert server.most_open == 3
        assert pulled <= 23


def test_an_answer_does_not_wait_for_a_slower_one(ask: Any) -> None:
    free = threading.Event()

    def script(body: Body, _: int) -> Reply:
        if body["messages"][0]["content"] == "0":
            free.wait(5)
        return said("ok")

    with serve(script) as server:
        order = []
        for asked, _ in ask(server, in_flight=2).stream(request(str(n)) for n in range(6)):
            order.append(asked.id)
            if len(order) == 5:
                free.set()
    assert order[-1] == "0"
    assert sorted(order) == [str(n) for n in range(6)]


def test_closing_the_stream_cancels_what_is_in_flight(ask: Any) -> None:
    free = threading.Event()

    def script(body: Body, _: int) -> Reply:
        if body["messages"][0]["content"] != "0":
            free.wait(5)
        return said("ok")

    with serve(script) as server:
        backend = ask(server, in_flight=4)
        answers = backend.stream(request(str(number)) for number in range(8))
        next(answers)
        began = time.monotonic()
        answers.close()
        assert time.monotonic() - began < 1
        free.set()
        assert len(server.seen) <= 5
        assert isinstance(once(backend, request("0")), Completion)


FAULTS = [
    said("fine"),
    refused(429, "slow", {"retry-after": "0"}),
    refused(500, "oops"),
    refused(400, "no"),
    Reply(200, "<html>"),
    Reply(0),
]


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=12), in_flight=st.integers(1, 5)
)
def test_each_request_comes_back_exactly_once_whatever_the_faults(
    ask: Any, faults: list[Reply], in_flight: int
) -> None:
    def script(body: Body, before: int) -> Reply:
        return faults[(int(body["messages"][0]["content"]) + 5 * before) % len(faults)]

    asked = [request(str(number)) for number in range(9)]  # one fewer than is hopeless
    with serve(script) as server:
        backend = ask(server, in_flight=in_flight, attempts=2)
        answers = list(backend.stream(asked))
    assert sorted(got.id for got, _ in answers) == sorted(one.id for one in asked)
    assert all(any(got is one for one in asked) for got, _ in answers)


def test_a_wait_that_one_is_asked_for_is_kept_by_all(ask: Any) -> None:
    times: list[float] = []

    def script(body: Body, before: int) -> Reply:
        times.append(time.monotonic())
        is_first = body["messages"][0]["content"] == "0" and not before
        return refused(429, "slow down", {"retry-after": "0.5"}) if is_first else said("ok")

    with serve(script) as server:
        backend = ask(server, in_flight=1)
        answers = list(backend.stream(request(str(number)) for number in range(4)))
    assert len(answers) == 4
    assert min(at - times[0] for at in times[1:]) >= 0.49
    assert backend.traffic.retries == 1


def test_refusals_while_others_are_let_through_use_up_no_attempt(ask: Any) -> None:
    def busy(body: Body, before: int) -> Reply:
        is_out_of_luck = body["messages"][0]["content"] == "0" and before < 4
        # Slow enough to refuse that others have been answered meanwhile.
        time.sleep(0.03 if is_out_of_luck else 0.005)
        return refused(429, "slow down") if is_out_of_luck else said("ok")

    with serve(busy) as server:
        backend = ask(server, in_flight=4, attempts=2)
        asked = (request(str(number)) for number in range(200))
        answers = {got.id: answer for got, answer in backend.stream(asked)}
    assert isinstance(answers["0"], Completion)


def test_a_server_that_is_gone_for_a_while_costs_no_request(ask: Any) -> None:
    """The server is down for far longer than the attempts of any request would last."""
    lock, served, until = threading.Lock(), itertools.count(), [0.0]

    def script(*_: Any) -> Reply:
        with lock:
            if next(served) == 60:
                until[0] = time.monotonic() + 1
        return Reply(0) if time.monotonic() < until[0] else said("ok")

    with serve(script) as server:
        backend = ask(server, in_flight=8)
        answers = list(backend.stream(request(str(number)) for number in range(120)))
    assert len(answers) == 120
    assert all(isinstance(answer, Completion) for _, answer in answers)
    # One at a time tries it, with ever longer waits between.
    assert len(server.seen) < 120 + 60


def test_a_server_that_stays_away_ends_the_run_and_what_was_done_comes_first(ask: Any) -> None:
    served = itertools.count()

    def script(*_: Any) -> Reply:
        return said("ok") if next(served) < 20 else Reply(0)

    got: list[Completion | Failure] = []
    with serve(script) as server:
        backend = ask(server, in_flight=4, patience=0.5)
        asked = (request(str(number)) for number in range(100))
        with pytest.raises(BackendError, match=r"no answer from .* base_url"):
            got.extend(answer for _, answer in backend.stream(asked))
    assert sum(isinstance(answer, Completion) for answer in got) == 20


def test_a_key_that_is_revoked_half_way_loses_nothing_that_was_answered(ask: Any) -> None:
    served, lock = itertools.count(), threading.Lock()

    def script(*_: Any) -> Reply:
        with lock:
            number = next(served)
        time.sleep(0.01)
        return said("ok") if number < 40 else refused(401, f"no such key {KEY}")

    got: list[Completion | Failure] = []
    with serve(script) as server:
        backend = ask(server, in_flight=8)
        asked = (request(str(number)) for number in range(400))
        with pytest.raises(BackendError, match="OPENAI_API_KEY") as caught:
            got.extend(answer for _, answer in backend.stream(asked))
    assert len(got) == 40
    assert all(isinstance(answer, Completion) for answer in got)
    assert len(server.seen) <= 40 + 16
    assert KEY not in str(caught.value)


def test_an_answer_that_lacks_its_log_probabilities_is_asked_again(ask: Any) -> None:
    top = {"A": math.log(0.9), "B": math.log(0.1)}
    with serve(lambda _, before: said("A", top) if before else said("A")) as server:
        answer = once(ask(server), request(options=("A", "B")))
    assert isinstance(answer, Completion)
    assert answer.option_logprobs == pytest.approx(top)
    assert answer.usage.read == 2 * 7


def test_a_server_that_gives_no_log_probabilities_is_soon_taken_at_its_word(ask: Any) -> None:
    with serve(lambda *_: said("A")) as server:
        backend = ask(server, in_flight=1)
        asked = (request(str(number), options=("A", "B")) for number in range(30))
        answers = list(backend.stream(asked))
    assert all(isinstance(answer, Completion) and answer.text == "A" for _, answer in answers)
    assert len(server.seen) <= 30 + 10


def test_an_answer_of_nothing_is_asked_again_and_taken_in_the_end(ask: Any) -> None:
    with serve(lambda _, before: said("" if before < 1 else "A")) as server:
        assert once(ask(server)).text == "A"
    with serve(lambda *_: said("")) as server:
        assert once(ask(server)).text == ""
        assert len(server.seen) == 3


def several(*texts: str) -> Reply:
    reply = said(texts[0])
    assert isinstance(reply.body, dict)
    [choice] = reply.body["choices"]
    reply.body["choices"] = [{**choice, "message": {"content": text}} for text in texts]
    return reply


def draws(count: int, prompt: str = "Hi") -> list[Request]:
    return [
        request(prompt, sampling=Sampling(seed=number)).model_copy(update={"id": str(number)})
        for number in range(count)
    ]


def test_draws_of_one_prompt_go_out_as_one_request_with_n(ask: Any) -> None:
    def script(body: Body, _: int) -> Reply:
        return several(*(f"draw {number}" for number in range(body.get("n", 1))))

    with serve(script) as server:
        backend = ask(server, n=3)
        answers = list(backend.stream([*draws(4), request("other")]))
    assert sorted((got.id, answer.text) for got, answer in answers) == [
        ("0", "draw 0"),
        ("1", "draw 1"),
        ("2", "draw 2"),
        ("3", "draw 0"),
        ("other", "draw 0"),
    ]
    assert sorted(body.get("n", 1) for body in server.seen) == [1, 1, 3]
    assert sum(answer.usage.read for _, answer in answers) == 3 * 7


def test_a_server_that_ignores_n_is_asked_one_by_one(ask: Any) -> None:
    with serve(lambda *_: said("only one")) as server:
        backend = ask(server, n=4)
        first = list(backend.stream(draws(4)))
        second = list(backend.stream(draws(4, "Ho")))
    assert [len(first), len(second)] == [4, 4]
    assert sum("n" in body for body in server.seen) == 1
    assert len(server.seen) == 8


def test_a_server_that_refuses_n_is_asked_one_by_one(ask: Any) -> None:
    with serve(
        lambda body, _: refused(400, "n must be 1") if "n" in body else said("one")
    ) as server:
        answers = list(ask(server, n=4).stream(draws(4)))
    assert [answer.text for _, answer in answers] == ["one"] * 4


def test_what_is_scored_is_never_drawn_several_at_once(ask: Any) -> None:
    asked = [request(str(number), options=("A", "B")) for number in (0, 0, 0)]
    with serve(lambda *_: said("A")) as server:
        assert len(list(ask(server, n=4).stream(asked))) == 3
    assert not any("n" in body for body in server.seen)
