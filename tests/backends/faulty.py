"""An OpenAI-compatible server that fails by seed: the same question the same way each time."""

import asyncio
import hashlib
import json
import math
import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

FAULTS = {
    "429": 0.10,
    "500": 0.05,
    "reset": 0.01,
    "hang": 0.01,
    "torn": 0.02,
    "no-logprobs": 0.02,
    "empty": 0.01,
}


@dataclass
class Faulty:
    base_url: str = ""
    faults: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    latency: float = 0.02
    sent: Counter[str] = field(default_factory=Counter)
    """Replies by what they were: `ok`, or a fault's name."""
    asked: Counter[str] = field(default_factory=Counter)
    """How often each question was asked."""

    def fault(self, text: str) -> str:
        """Draw what happens to a question this time."""
        number = self.asked[text]
        self.asked[text] += 1
        drawn = random.Random(f"{self.seed}:{text}:{number}").random()
        for name, share in self.faults.items():
            drawn -= share
            if drawn < 0:
                return name
        return "ok"


def p_first(text: str) -> float:
    """Say what the model thinks of a question."""
    return 0.05 + 0.9 * int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


def body_of(text: str, kind: str) -> dict[str, Any]:
    p = p_first(text)
    tops = [{"token": t, "logprob": math.log(q)} for t, q in (("A", p), ("B", 1 - p))]
    letter = "A" if p >= 0.5 else "B"
    choice: dict[str, Any] = {
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": "" if kind == "empty" else letter},
    }
    if kind == "ok":
        choice["logprobs"] = {"content": [{**tops[letter == "B"], "top_logprobs": tops}]}
    return {"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 1}}


def written(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, state: Faulty) -> None:
        self._state, self._read = state, b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, rest = self._read.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if found and len(rest) >= length:
            self._read = rest[length:]
            text = json.loads(rest[:length])["messages"][-1]["content"]
            kind = self._state.fault(text)
            self._state.sent[kind] += 1
            loop = asyncio.get_running_loop()
            loop.call_later(self._state.latency, self._answer, text, kind)

    def _answer(self, text: str, kind: str) -> None:
        if kind == "hang":
            return
        if kind == "reset":
            self._transport.abort()
            return
        if kind == "429":
            sent = written("429 Slow", b'{"error": {"message": "slow"}}', "retry-after: 0.005")
        elif kind == "500":
            sent = written("500 Oops", b"<html>oops</html>", "content-type: text/html")
        else:
            body = json.dumps(body_of(text, kind)).encode()
            sent = written("200 OK", body[: len(body) // 2] if kind == "torn" else body)
        self._transport.write(sent)


@contextmanager
def faulty(faults: Mapping[str, float], seed: int = 0, latency: float = 0.02) -> Iterator[Faulty]:
    """Run the server, in a thread of its own, while the block runs."""
    state = Faulty(faults=faults, seed=seed, latency=latency)
    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def start() -> None:
        server = await loop.create_server(lambda: _Connection(state), "127.0.0.1", 0, backlog=512)
        state.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        ready.set()

    def run() -> None:
        loop.create_task(start())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield state
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
