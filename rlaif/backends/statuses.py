"""What a server's error says, and which errors end the run: one line that names the setting."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from rlaif.backends.posting import Reply
from rlaif.backends.spec import OpenAIModel, without_user
from rlaif.errors import RefusedError
from rlaif.records import Failure

_FILTERED = frozenset({"content_filter", "content_policy_violation"})
_SHORT = 3
_NO_MONEY = "insufficient_quota"
_OPTIONAL = frozenset(
    {"temperature", "top_p", "max_tokens", "n", "seed", "stop", "logprobs", "top_logprobs"}
)


class Trouble(NamedTuple):
    """An error as servers write it; what they leave out is empty."""

    status: int
    message: str
    code: str = ""
    param: str = ""

    def refused_parameter(self) -> set[str]:
        """Name the parameter that the model does not take, where that is the trouble."""
        if self.status != 400 or not self.code.startswith("unsupported"):
            return set()
        if self.param not in _OPTIONAL:
            return set()
        return {"logprobs", "top_logprobs"} if "logprobs" in self.param else {self.param}


def trouble_of(reply: Reply) -> Trouble:
    """Read an error's body: JSON in one of its usual shapes, or whatever it is."""
    try:
        body = json.loads(reply.body)
    except ValueError:
        return Trouble(reply.status, reply.body[:2000].decode(errors="replace"))
    error = body.get("error", body) if isinstance(body, Mapping) else body
    if not isinstance(error, Mapping):
        return Trouble(reply.status, str(error))
    message = error.get("message") or error.get("detail") or body
    return Trouble(reply.status, str(message), _text(error.get("code")), _text(error.get("param")))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


class Secrets:
    """The words that no message may repeat, since some servers send them back."""

    def __init__(self, *words: str) -> None:
        """Hide these words."""
        # A word as short as this gives nothing away, and stands in many others.
        self._words = [word for word in words if len(word) > _SHORT]

    def clean(self, text: str) -> str:
        """Put a server's words on one short line, without the secret ones."""
        line = " ".join(text.split())
        for word in self._words:
            line = line.replace(word, "…")
        return line[:300]


def failure_of(trouble: Trouble, spec: OpenAIModel, secrets: Secrets) -> Failure:
    """Make a status a failure of this one request.

    Raises:
        RefusedError: when no request can succeed.
    """
    status, model = trouble.status, spec.model
    said = secrets.clean(f"HTTP {status}: {trouble.message}")
    if status == 401:
        raise RefusedError(
            f"{model}: the server refused the key (HTTP 401); check the environment variable "
            f"{spec.key_env}, or name another one as key_env"
        )
    if status == 403:
        raise RefusedError(
            f"{model}: not allowed ({said}); check the model, and the key in "
            f"{spec.key_env} (key_env)"
        )
    if status == 404:
        where = without_user(spec.base_url) if spec.base_url else "the default base_url"
        raise RefusedError(f"{model}: not found at {where} ({said}); check model and base_url")
    if trouble.code == _NO_MONEY:
        raise RefusedError(f"{model}: no quota is left for the key in {spec.key_env}")
    return Failure(kind="refused" if trouble.code in _FILTERED else "backend", detail=said)
