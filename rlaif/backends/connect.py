"""From a model's name to a backend; nothing heavy is loaded before it is connected to."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator

from rlaif.backends.base import Backend
from rlaif.backends.cached import Cached
from rlaif.backends.chat import with_more_room
from rlaif.backends.spec import LocalModel, ModelSpec, OpenAIModel, RecordedModel
from rlaif.budget import Account, Meter
from rlaif.embedded.find import (
    HUB_NAME,
    embedded_model,
    judge_adapter,
    referee_adapter,
    reviser_adapter,
)
from rlaif.errors import BackendError, InputError, MissingModelError
from rlaif.prices import price_of
from rlaif.records import fingerprint_of
from rlaif.resources import did_you_mean
from rlaif.store import CompletionStore
from rlaif.yamlfile import parse, read_text, readable

__all__ = [
    "LocalModel",
    "Model",
    "ModelSpec",
    "OpenAIModel",
    "RecordedModel",
    "account_of",
    "adapter_folder",
    "check",
    "connect",
    "identity",
    "model_path",
    "parse_judge",
    "parse_spec",
]

Say = Callable[[str], None]
EMBEDDED = "embedded"
_ADAPTERS = {
    "embedded-judge": judge_adapter,
    "embedded-referee": referee_adapter,
    "embedded-reviser": reviser_adapter,
}
_HUB = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
_FILES = (".yaml", ".yml")
_PREFIXES = ("openai:MODEL", "local:NAME", "recorded:FILE")


def _silent(_: str) -> None:
    """Say nothing."""


def parse_spec(text: str) -> LocalModel | OpenAIModel | RecordedModel:
    """Read a model's short name, or the YAML file that says all of it.

    >>> parse_spec("openai:gpt-5-mini").model
    'gpt-5-mini'
    >>> parse_spec("embedded-judge").adapter
    'embedded-judge'

    Raises:
        InputError: for a name that leads nowhere, with the nearest, or a file's mistakes.
    """
    kind, _, rest = text.partition(":")
    if kind == "openai" and rest:
        return OpenAIModel(model=rest)
    if kind == "recorded" and rest:
        return RecordedModel(path=rest)
    if kind == "local" and rest:
        return LocalModel(model=rest)
    if text == EMBEDDED:
        return LocalModel(model=EMBEDDED)
    if text in _ADAPTERS:
        return LocalModel(model=EMBEDDED, adapter=text)
    if Path(text).suffix in _FILES:
        return _from_file(Path(text))
    if Path(text).is_dir() or ("/" in text and not Path(text).is_absolute()):
        return LocalModel(model=text)
    raise InputError(
        f"{text}: no such model{did_you_mean(text, [EMBEDDED, *_ADAPTERS, *_PREFIXES])}"
    )


class _Kind(BaseModel):
    """What a model's file says first of all."""

    kind: Literal["local", "openai", "recorded"] = "local"


_KINDS: dict[str, type[LocalModel | OpenAIModel | RecordedModel]] = {
    "local": LocalModel,
    "openai": OpenAIModel,
    "recorded": RecordedModel,
}


def _from_file(path: Path) -> LocalModel | OpenAIModel | RecordedModel:
    text = read_text(path)
    return parse(text, _KINDS[parse(text, _Kind, path).kind], path)


def parse_judge(text: str) -> LocalModel | OpenAIModel | RecordedModel:
    """Read a judge's short name: the embedded model judges with its adapter."""
    return parse_spec("embedded-judge" if text == EMBEDDED else text)


def _from_yaml(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return parse_spec(value)
        except InputError as error:
            raise ValueError(str(error)) from None
    if isinstance(value, dict) and "kind" not in value:
        return {"kind": "local", **value}
    return value


Model = Annotated[ModelSpec, BeforeValidator(_from_yaml)]
"""A model in a file: its short name, or its fields."""


def connect(
    spec: LocalModel | OpenAIModel | RecordedModel,
    *,
    store: CompletionStore | None = None,
    say: Say = _silent,
) -> Backend:
    """Connect to a model; with a store, what was asked before is not asked again.

    Raises:
        MissingModelError: when a local model or adapter is not there.
        BackendError: when the API's key is not set.
        InputError: when a recording cannot be read.
    """
    backend = _connect(spec, say)
    # An empty store counts as false.
    return backend if store is None else Cached(backend, store, kind=spec.kind)


def account_of(spec: LocalModel | OpenAIModel | RecordedModel, meter: Meter) -> Account:
    """Open a model's account: what is on this machine costs nothing, the rest what is in the table.

    Raises:
        InputError: when dollars are budgeted and the price is not known.
    """
    if not isinstance(spec, OpenAIModel):
        return meter.account(identity(spec))
    return meter.account(spec.model, price_of(spec.model), _more_room)


def _more_room(allowed: int) -> int:
    return int((with_more_room({"max_tokens": allowed}) or {}).get("max_tokens", 0))


def _connect(spec: LocalModel | OpenAIModel | RecordedModel, say: Say) -> Backend:
    check(spec)
    if isinstance(spec, RecordedModel):
        from rlaif.backends.recorded import RecordedBackend

        return RecordedBackend(Path(spec.path), name=identity(spec))
    if isinstance(spec, OpenAIModel):
        from rlaif.backends.openai import OpenAIBackend

        return OpenAIBackend(spec, name=identity(spec))
    from rlaif.backends.local import LocalBackend

    path = model_path(spec, say=say)
    say(f"loading {spec.model}{f' with {spec.adapter}' if spec.adapter else ''}")
    return LocalBackend(
        path,
        name=identity(spec),
        adapter=adapter_folder(spec),
        batch=spec.batch,
        tokens=spec.tokens,
        dtype=spec.dtype,
        device=spec.device,
    )


def model_path(spec: LocalModel, *, say: Say = _silent) -> Path:
    """Give a local model's folder; a name on the hub comes back as it is.

    Raises:
        MissingModelError: when a folder is named and is not there, or is no model's.
    """
    if spec.model == EMBEDDED:
        return embedded_model(say)
    path = Path(spec.model)
    if path.is_dir() and not (path / "config.json").is_file():
        raise MissingModelError(f"{path}: no config.json here; a Hugging Face folder is expected")
    if not path.is_dir() and not _HUB.fullmatch(spec.model):
        raise MissingModelError(
            f"{path}: no such folder; name a Hugging Face model's folder, or OWNER/NAME on the hub"
        )
    return path


def adapter_folder(spec: LocalModel | OpenAIModel | RecordedModel) -> Path | None:
    """Give the folder of a model's adapter, if it has one.

    Raises:
        MissingModelError: when the adapter is not there.
    """
    if not isinstance(spec, LocalModel) or spec.adapter is None:
        return None
    find = _ADAPTERS.get(spec.adapter)
    folder = find() if find else Path(spec.adapter)
    if folder is None or not (folder / "adapter_config.json").is_file():
        raise MissingModelError(
            f"{spec.adapter}: no such adapter; expected a PEFT adapter's folder"
        )
    return folder


def check(spec: LocalModel | OpenAIModel | RecordedModel) -> None:
    """Make sure, without loading anything, that a model can be connected to.

    Raises:
        MissingModelError, BackendError, InputError: in one line what is missing.
    """
    if isinstance(spec, OpenAIModel):
        if not os.environ.get(spec.key_env) and spec.base_url is None:
            raise BackendError(
                f"{spec.model}: the environment variable {spec.key_env} is not set; "
                "put the key there, or name another one as key_env"
            )
    elif isinstance(spec, RecordedModel):
        if not Path(spec.path).is_file():
            raise InputError(f"{spec.path}: no such recording")
    else:
        adapter_folder(spec)
        if spec.model != EMBEDDED:
            model_path(spec)


def identity(spec: LocalModel | OpenAIModel | RecordedModel) -> str:
    """Name a model and, where they are on this machine, its exact weights."""
    if isinstance(spec, RecordedModel):
        path = Path(spec.path)
        return f"recorded:{path.stem}@{_hash_of([path])}" if path.is_file() else f"recorded:{path}"
    if isinstance(spec, OpenAIModel):
        extra = f"+{fingerprint_of(spec.extra_body)[:6]}" if spec.extra_body else ""
        # A text that is gone on with is answered otherwise than a chat.
        endpoint = "" if spec.endpoint == "chat" else f" {spec.endpoint}"
        return f"{spec.model}{endpoint}{extra}"
    # The embedded model is one and the same everywhere, unless the variable names another.
    folder = os.environ.get("RLAIF_EMBEDDED", "") if spec.model == EMBEDDED else spec.model
    name = HUB_NAME.split("/")[-1] if spec.model == EMBEDDED else spec.model
    if folder and Path(folder).is_dir():
        name = f"{Path(folder).resolve().name}@{_weights(Path(folder))}"
    adapter = adapter_folder(spec)
    return f"{name}+{adapter.name}@{_weights(adapter)}" if adapter else name


def _weights(folder: Path) -> str:
    return _hash_of([*folder.glob("*.safetensors"), *folder.glob("*model*.bin")])


def _hash_of(files: Iterable[Path]) -> str:
    stats = [(path, path.stat()) for path in sorted(files)]
    return _hashed(tuple((str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats))


@cache
def _hashed(files: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for path, _, _ in files:
        with readable(Path(path)), Path(path).open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()[:8]
