"""A server on loopback that answers every chat completion with an A after a fixed time.

    python server.py SECONDS     prints its port, and serves until its input ends

As cheap as a server can be, so that what is measured is its client: it reads no more of a request
than where it ends.
"""

import asyncio
import json
import sys

try:
    import uvloop as fast
except ImportError:
    fast = asyncio

_TOPS = [
    {"token": letter, "logprob": -0.1 - 2 * place, "bytes": [65 + place]}
    for place, letter in enumerate("ABCDEFGHIJKLMNOPQRST")
]
_BODY = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "A"},
            "logprobs": {"content": [{**_TOPS[0], "top_logprobs": _TOPS}]},
        }
    ],
    "usage": {"prompt_tokens": 300, "completion_tokens": 1, "total_tokens": 301},
}
_SENT = json.dumps(_BODY).encode()
_ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(_SENT)
) + _SENT


class Answering(asyncio.Protocol):
    """One connection."""

    def __init__(self, seconds: float) -> None:
        """Answer each request after so many seconds."""
        self._seconds = seconds
        self._read = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Keep the way back."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that has come whole."""
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = self._read[:end].lower()
            length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
            whole = end + 4 + int(length or 0)
            if len(self._read) < whole:
                return
            self._read = self._read[whole:]
            if self._seconds:
                loop = asyncio.get_running_loop()
                loop.call_later(self._seconds, self._transport.write, _ANSWER)
            else:
                self._transport.write(_ANSWER)


async def serve(seconds: float) -> None:
    """Serve until the standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(seconds), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    fast.run(serve(float(sys.argv[1])))
