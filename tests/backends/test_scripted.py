from rlaif.backends.scripted import ScriptedBackend
from rlaif.records import Completion, Failure, Message, Request

ASKED = Request(id="1", messages=(Message(role="user", content="Hi"),))


def test_a_text_is_a_completion_by_the_scripted_model() -> None:
    backend = ScriptedBackend(lambda _: "Verdict: A", name="judge")
    assert list(backend.stream([ASKED])) == [(ASKED, Completion(text="Verdict: A", model="judge"))]
    assert backend.seen == [ASKED]


def test_a_failure_or_a_whole_completion_passes_as_it_is() -> None:
    failure, completion = Failure(kind="empty"), Completion(text="x", model="other")
    assert list(ScriptedBackend(lambda _: failure).stream([ASKED])) == [(ASKED, failure)]
    assert list(ScriptedBackend(lambda _: completion).stream([ASKED])) == [(ASKED, completion)]


def test_requests_are_pulled_one_at_a_time() -> None:
    pulled = iter([ASKED, ASKED, ASKED])
    next(ScriptedBackend(lambda _: "x").stream(pulled))
    assert len(list(pulled)) == 2
