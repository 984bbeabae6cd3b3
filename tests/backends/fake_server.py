"""An OpenAI-compatible server on loopback that answers, and fails, as a script says."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


@dataclass
class Reply:
    status: int = 200
    body: str | Body = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


Script = Callable[[Body, int], Reply]
"""From what was sent, and how often the same conversation was sent before."""


def said(
    text: str | None, top: dict[str, float] | None = None, end: str = "stop", **message: Any
) -> Reply:
    """An ordinary completion, with the likeliest first tokens where they are given."""
    choice: Body = {
        "index": 0,
        "finish_reason": end,
        "message": {"role": "assistant", "content": text, **message},
    }
    if top is not None:
        tops = [{"token": token, "logprob": logprob, "bytes": []} for token, logprob in top.items()]
        first = {**(tops[0] if tops else {"token": "x", "logprob": 0.0}), "top_logprobs": tops}
        choice["logprobs"] = {"content": [first]}
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
    return Reply(body={"id": "c", "object": "chat.completion", "choices": [choice], "usage": usage})


def thought(text: str | None, spent: int, **message: Any) -> Reply:
    """What a reasoning model sends when its tokens are gone before it has answered."""
    reply = said(text, end="length", **message)
    assert isinstance(reply.body, dict)
    details = {"completion_tokens": spent, "completion_tokens_details": {"reasoning_tokens": spent}}
    reply.body["usage"].update(details)
    return reply


def refused(status: int, message: str, headers: dict[str, str] | None = None, **more: Any) -> Reply:
    return Reply(status, {"error": {"message": message, **more}}, headers or {})


@dataclass
class FakeServer:
    base_url: str
    seen: list[Body] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    open_now: int = 0
    most_open: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def serve(script: Script) -> Iterator[FakeServer]:
    """Run the server while the block runs."""
    state = FakeServer("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body are sent apart: else the second waits 40 ms for the first's receipt.
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with state.lock:
                before = sum(body["messages"] == other["messages"] for other in state.seen)
                state.seen.append(body)
                state.keys.append(self.headers.get("authorization", ""))
                state.open_now += 1
                state.most_open = max(state.most_open, state.open_now)
            try:
                self._send(script(body, before))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                with state.lock:
                    state.open_now -= 1

        def _send(self, reply: Reply) -> None:
            if reply.status == 0:  # hang up without a word
                self.close_connection = True
                return
            is_json = isinstance(reply.body, dict)
            payload = (json.dumps(reply.body) if is_json else str(reply.body)).encode()
            self.send_response(reply.status)
            self.send_header("content-type", "application/json" if is_json else "text/html")
            self.send_header("content-length", str(len(payload)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that goes away is no error here."""

    server = Quiet(("127.0.0.1", 0), Handler)
    state.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
