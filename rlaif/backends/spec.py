"""How a model is named in a file: its kind, where it is, and how it is asked."""

import urllib.parse
from typing import Annotated, Any, Literal

from pydantic import Field, field_serializer

from rlaif.records import Record


def without_user(url: str) -> str:
    """Leave a user's name and password out of an address.

    >>> without_user("https://ann:secret@models.example/v1")
    'https://models.example/v1'
    """
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        return "base_url"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class LocalModel(Record):
    """A Hugging Face model on this machine."""

    kind: Literal["local"] = "local"
    model: str
    """`embedded`, a folder, or a name on the Hugging Face hub."""
    adapter: str | None = None
    """`embedded-judge`, `embedded-reviser`, `embedded-referee`, or a PEFT adapter's folder."""
    batch: int = Field(default=32, ge=1)
    """Sequences at once."""
    tokens: int = Field(default=8192, ge=1)
    """Where options are scored: tokens of shared beginnings kept in memory, and of one batch."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """`auto` takes bfloat16 where the machine computes in it, else float32."""
    device: str = "auto"
    """`auto` takes a GPU where there is one."""
    calibration: str | None = None
    """As a judge: a file that `rlaif judge calibrate` wrote; without one, its adapter's own."""


class OpenAIModel(Record):
    """A model behind an OpenAI-compatible API."""

    kind: Literal["openai"] = "openai"
    model: str
    base_url: str | None = Field(default=None, repr=False)
    """The server, such as http://127.0.0.1:8000/v1; OpenAI's own where none is given."""
    key_env: str = "OPENAI_API_KEY"
    """The environment variable that holds the key; the key itself stands in no file."""
    endpoint: Literal["chat", "completions"] = "chat"
    """`completions` sends one text to be gone on with, for models without a chat template."""
    in_flight: int = Field(default=64, ge=1)
    """Requests open at the same time; fewer while the server refuses some as too many."""
    rpm: int | None = Field(default=None, ge=1)
    """Requests a minute at most."""
    tpm: int | None = Field(default=None, ge=1)
    """Tokens a minute at most, read and written."""
    timeout: float = Field(default=60.0, gt=0)
    """Seconds for one request."""
    attempts: int = Field(default=5, ge=1)
    """Tries of one request, before it is a failure."""
    patience: float = Field(default=120.0, ge=0)
    """Seconds that a server which has answered may be gone before the run stops."""
    n: int = Field(default=1, ge=1)
    """Draws of one prompt asked for in one request, which most servers read, and charge, once."""
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """Sent along with every request, such as `{reasoning_effort: low}`."""
    calibration: str | None = None
    """As a judge: a file that `rlaif judge calibrate` wrote."""

    @field_serializer("base_url")
    def _without_user(self, url: str | None) -> str | None:
        # What is written of a model, in a manifest say, names no user and no password.
        return url and without_user(url)


class RecordedModel(Record):
    """A file of answers, replayed."""

    kind: Literal["recorded"] = "recorded"
    path: str
    calibration: str | None = None
    """As a judge: a file that `rlaif judge calibrate` wrote."""


ModelSpec = Annotated[LocalModel | OpenAIModel | RecordedModel, Field(discriminator="kind")]
