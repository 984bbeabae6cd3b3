import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.backends.posting import Reply
from rlaif.backends.spec import OpenAIModel
from rlaif.backends.statuses import Secrets, Trouble, failure_of, trouble_of
from rlaif.errors import BackendError

SPEC = OpenAIModel(model="m", base_url="http://ann:planted@there/v1", key_env="MY_KEY")
NONE = Secrets()


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"error": {"message": "no", "code": "bad", "param": "n"}}, "no", "bad"),
        ({"error": {"message": "no", "code": 400}}, "no", ""),
        ({"error": "no"}, "no", ""),
        ({"message": "no", "code": "bad"}, "no", "bad"),
        ({"detail": "no"}, "no", ""),
        ("no", "no", ""),
    ],
)
def test_an_error_is_read_in_each_of_its_shapes(body: object, message: str, code: str) -> None:
    trouble = trouble_of(Reply(400, {}, json.dumps(body).encode()))
    assert (trouble.status, trouble.message, trouble.code) == (400, message, code)


@given(st.binary(max_size=60) | st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["error", "message", "code", "param", "detail"]), inner, max_size=4),
    max_leaves=6,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_whatever_an_error_says_is_read(body: bytes) -> None:
    trouble = trouble_of(Reply(500, {}, body))
    assert all(isinstance(text, str) for text in trouble[1:])


@pytest.mark.parametrize(
    ("trouble", "names"),
    [
        (Trouble(401, "no"), "MY_KEY"),
        (Trouble(403, "no"), "key_env"),
        (Trouble(404, "no"), "base_url"),
        (Trouble(429, "no", "insufficient_quota"), "quota"),
    ],
)
def test_what_no_request_can_pass_ends_the_run_and_names_the_setting(
    trouble: Trouble, names: str
) -> None:
    with pytest.raises(BackendError, match=names) as caught:
        failure_of(trouble, SPEC, NONE)
    assert "planted" not in str(caught.value)


def test_anything_else_is_this_requests_failure() -> None:
    assert failure_of(Trouble(400, "too\nlong"), SPEC, NONE).detail == "HTTP 400: too long"
    assert failure_of(Trouble(400, "no", "content_filter"), SPEC, NONE).kind == "refused"


def test_a_secret_that_a_server_repeats_is_left_out() -> None:
    said = Secrets("sk-1", "", "an").clean("you sent sk-1 and and sk-1")
    assert said == "you sent … and and …"


def test_only_a_parameter_that_can_be_left_out_is_named() -> None:
    assert Trouble(400, "", "unsupported_value", "n").refused_parameter() == {"n"}
    assert Trouble(400, "", "unsupported_value", "model").refused_parameter() == set()
    assert Trouble(400, "", "invalid", "n").refused_parameter() == set()
    assert Trouble(400, "", "unsupported_parameter", "logprobs").refused_parameter() == {
        "logprobs",
        "top_logprobs",
    }
