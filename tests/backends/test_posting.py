import base64

import pytest

from rlaif.backends.loop import wait_for
from rlaif.backends.posting import Http, NoReplyError
from rlaif.errors import BackendError
from tests.backends.fake_server import Reply, serve

BODY = {"messages": [{"role": "user", "content": "Hi"}]}


def test_a_reply_comes_back_as_it_was_sent() -> None:
    with serve(lambda *_: Reply(418, "<html>", {"retry-after": "2"})) as server:
        http = Http(server.base_url, "key")
        got = wait_for(http.post("chat/completions", BODY))
        http.close()
    assert (got.status, got.body, got.headers["Retry-After"]) == (418, b"<html>", "2")
    assert (server.seen, server.keys) == ([BODY], ["Bearer key"])


def test_a_connection_that_fails_says_why_and_not_where() -> None:
    with serve(lambda *_: Reply(0)) as server:
        http = Http(server.base_url, "key")
        with pytest.raises(NoReplyError, match="Disconnected"):
            wait_for(http.post("x", BODY))
    with pytest.raises(NoReplyError) as caught:
        wait_for(http.post("x", BODY))
    assert "127.0.0.1" not in str(caught.value)
    http.close()


@pytest.mark.parametrize("url", ["localhost", "ftp://there/v1", "http://", "//a"])
def test_an_address_that_is_none_is_one_line(url: str) -> None:
    with pytest.raises(BackendError, match="base_url is no address"):
        Http(url, "key")


def test_the_variable_is_named_where_the_address_stands_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "there:planted")
    with pytest.raises(BackendError, match="OPENAI_BASE_URL") as caught:
        Http(None, "key")
    assert "planted" not in str(caught.value)


def test_a_user_in_the_address_is_sent_as_a_header_and_is_a_secret() -> None:
    with serve(lambda *_: Reply(200, {})) as server:
        url = server.base_url.replace("//", "//ann:p%40ss@")
        http = Http(url, "")
        wait_for(http.post("chat/completions", BODY))
        http.close()
    word = base64.b64encode(b"ann:p@ss").decode()
    assert server.keys == [f"Basic {word}"]
    assert {"ann", "p@ss"} <= set(http.secrets)
    assert any(word in one for one in http.secrets)


def test_a_proxy_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(lambda *_: Reply(200, {})) as server:
        monkeypatch.setenv("http_proxy", server.base_url.removesuffix("/v1"))
        monkeypatch.setenv("no_proxy", "")
        http = Http("http://models.example/v1", "key")
        monkeypatch.delenv("http_proxy")
        assert wait_for(http.post("chat/completions", BODY)).status == 200
        http.close()
    assert server.seen == [BODY]
