"""Count tokens as a local model would read them, without loading a model or torch."""

import json
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from rlaif.errors import InputError
from rlaif.records import Request
from rlaif.yamlfile import read_text


class TokenCounter:
    """A model's tokenizer and chat template, for counting alone."""

    def __init__(self, folder: Path) -> None:
        """Read them from a Hugging Face folder.

        Raises:
            InputError: when the folder holds no tokenizer that can be read.
        """
        file = folder / "tokenizer.json"
        if not file.is_file():
            raise InputError(
                f"{folder}: no tokenizer.json there; name a Hugging Face model's folder"
            )
        text = read_text(file)
        try:
            self._tokenizer = Tokenizer.from_str(text)
        except Exception as error:  # noqa: BLE001 (the library has no error type of its own)
            what = str(error).splitlines()[0][:100]
            raise InputError(f"{file}: no tokenizer can be read from it ({what})") from None
        self.name = folder.resolve().name
        self._named = _special_tokens(folder)
        self._chat = _chat_template(folder)

    def count(self, text: str) -> int:
        """Count a text's tokens."""
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    def count_request(self, request: Request) -> int:
        """Count a whole request: the turns in the model's chat template, and the opening.

        Where the model has no template, the turns' own texts are counted.
        """
        turns = [message.model_dump() for message in request.messages]
        if self._chat is None:
            return sum(self.count(turn["content"]) for turn in turns) + self.count(request.opening)
        try:
            text = self._chat.render(messages=turns, add_generation_prompt=True, **self._named)
        except jinja2.TemplateError as error:
            raise InputError(
                f"{self.name}: its chat template refuses these turns: {error}"
            ) from None
        return self.count(text + request.opening)


def _special_tokens(folder: Path) -> dict[str, str]:
    tokens = {name: token for name, token in _config(folder).items() if name.endswith("_token")}
    contents = {n: t.get("content") if isinstance(t, dict) else t for n, t in tokens.items()}
    return {name: content for name, content in contents.items() if isinstance(content, str)}


def _chat_template(folder: Path) -> jinja2.Template | None:
    file = folder / "chat_template.jinja"
    source = read_text(file) if file.is_file() else _config(folder).get("chat_template")
    if isinstance(source, list):  # several, by name
        source = next((one["template"] for one in source if one.get("name") == "default"), None)
    return _environment().from_string(source) if isinstance(source, str) else None


def _config(folder: Path) -> dict[str, Any]:
    file = folder / "tokenizer_config.json"
    try:
        found = json.loads(read_text(file)) if file.is_file() else {}
    except json.JSONDecodeError as error:
        raise InputError.at(file, error.lineno, f"not JSON: {error.msg}") from None
    return found if isinstance(found, dict) else {}


def _environment() -> ImmutableSandboxedEnvironment:
    """Make the Jinja that Hugging Face's chat templates are written for."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = _refuse
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
    return environment


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)
