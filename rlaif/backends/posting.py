"""JSON to a server and bytes back; knows nothing of models.

Where to and with which headers is the `openai` client's say. What it does with a request beside
(options merged and copied, two request types, an answer built field by field) costs more than all
the rest of a request, so the bytes go through aiohttp itself, the client's own other transport.
"""

import asyncio
import contextlib
import json
import urllib.parse
import urllib.request
import weakref
from collections.abc import Mapping
from typing import Any, NamedTuple

import aiohttp
import openai

from rlaif.backends.loop import background, wait_for
from rlaif.backends.spec import without_user
from rlaif.errors import BackendError

_KEEP_ALIVE = 30.0  # seconds that an idle connection is kept
_SHUT = 2.0  # seconds to say goodbye in
_written = json.JSONEncoder(separators=(",", ":")).encode


class Reply(NamedTuple):
    """What a server sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoReplyError(Exception):
    """The connection failed; the text is why, without an address."""


class Http:
    """Posts JSON to one server; connections stay open, as many as are used at once."""

    def __init__(self, base_url: str | None, key: str) -> None:
        """Get ready; nothing is opened yet.

        Raises:
            BackendError: for an address that is none.
        """
        try:
            # It sends nothing: a transport of its own, or the machine's certificates, would take
            # a tenth of a second to load.
            nowhere: Any = object()
            idle = openai.DefaultAsyncHttpxClient(transport=nowhere, trust_env=False)
            client = openai.AsyncOpenAI(api_key=key or "none", base_url=base_url, http_client=idle)
            address = str(client.base_url)
            parts = urllib.parse.urlsplit(address)
            proxy = _proxy_for(parts)
        except (ValueError, TypeError, openai.OpenAIError):
            raise BackendError(_not_a_url(base_url)) from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BackendError(_not_a_url(base_url))
        self._url, user = _apart(parts)
        headers = client.default_headers
        # What the client leaves out is no text there.
        self._headers = {name: text for name, text in headers.items() if isinstance(text, str)}
        # A key is meant for the server, whoever else is named in the address.
        self._headers["Authorization"] = f"Bearer {key or 'none'}" if key or not user else user
        self._proxy = proxy
        named = [parts.username or "", parts.password or ""]
        self.secrets = [*named, *map(urllib.parse.unquote, named), user or ""]
        """Words of the address that no message may repeat."""
        self._open: dict[str, aiohttp.ClientSession] = {}
        # Also at the end of the program, which would complain of connections left open.
        self._finish = weakref.finalize(self, _shut, self._open)

    async def post(self, path: str, body: Mapping[str, Any]) -> Reply:
        """Send a body to a path below the base URL.

        Raises:
            NoReplyError: when no whole reply came back.
        """
        data = _written(body).encode()
        try:
            got = await self._session().post(self._url + path, data=data, proxy=self._proxy)
            # Reading gives the connection back, or closes it where that fails.
            return Reply(got.status, got.headers, await got.read())
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if isinstance(error, TimeoutError):  # the caller's own limit
                raise
            raise NoReplyError(_kind_of(error)) from None

    def _session(self) -> aiohttp.ClientSession:
        if "session" not in self._open:
            # How many are open is the window's business, and how long one may take the caller's.
            self._open["session"] = aiohttp.ClientSession(
                headers=self._headers,
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            )
        return self._open["session"]

    def close(self) -> None:
        """Close the connections."""
        self._finish()


def _not_a_url(base_url: str | None) -> str:
    named = "base_url" if base_url else "the environment variable OPENAI_BASE_URL"
    return f"{named} is no address of a server; write it like http://127.0.0.1:8000/v1"


def _apart(parts: urllib.parse.SplitResult) -> tuple[str, str | None]:
    """Take the user's name and password out of an address, as the header that says the same."""
    url = without_user(parts.geturl())
    if parts.username is None and parts.password is None:
        return url, None
    name, word = (urllib.parse.unquote(text or "") for text in (parts.username, parts.password))
    return url, aiohttp.encode_basic_auth(name, word)


def _proxy_for(parts: urllib.parse.SplitResult) -> str | None:
    """Find the proxy that the environment names, once: looking it up is dear."""
    host = parts.hostname or ""
    if urllib.request.proxy_bypass(host):
        return None
    named = urllib.request.getproxies()
    return named.get(parts.scheme) or named.get("all")


def _kind_of(error: Exception) -> str:
    """Say what failed, without the address, which a library's own text may spell out."""
    return type(getattr(error, "os_error", None) or error).__name__


def _shut(opened: dict[str, aiohttp.ClientSession]) -> None:
    session = opened.pop("session", None)
    if session is None or session.closed:
        return
    loop = background()
    with contextlib.suppress(RuntimeError):
        if asyncio.get_running_loop() is loop:  # collected there: nobody may wait
            loop.create_task(session.close())
            return
    with contextlib.suppress(TimeoutError):
        wait_for(session.close(), _SHUT)
