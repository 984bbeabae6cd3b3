"""Prompt files: front matter, roles, and how to read the answer, in one place.

A template's roles are split before anything is rendered, so a reply that is shown to a judge can
never open a turn; what is shown is fenced by marks that it cannot close.
"""

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

import jinja2
from jinja2 import meta
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import Field, model_validator

from rlaif.errors import TemplateError
from rlaif.records import (
    AbstentionKind,
    Completion,
    Message,
    Reading,
    Record,
    Request,
    Role,
    Sampling,
    fingerprint_of,
)
from rlaif.resources import did_you_mean, find
from rlaif.yamlfile import parse, read_text

_SECTION = re.compile(r"^\[(example )?(system|user|assistant)\]$", re.MULTILINE)
_FRONT = re.compile(r"\A---\n(.*?\n)---\n", re.DOTALL)
_THINKING = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)


class Read(NamedTuple):
    """An answer that could be read."""

    text: str
    probabilities: dict[str, float]
    """Each option's share, adding up to 1; empty for a text answer."""
    mass: float | None
    """What the options hold together of the whole probability, where that is known."""
    how: Reading


class Turn(NamedTuple):
    """One section of a prompt file."""

    role: Role
    body: str
    is_example: bool = False
    """Repeated for each of the input `examples`, with the variable `example`."""


class Unread(NamedTuple):
    """An answer that could not be read, and why."""

    kind: AbstentionKind
    detail: str


class Answer(Record):
    """How to read the reply that a template asks for."""

    kind: Literal["text", "options"] = "text"
    options: tuple[str, ...] = ()
    """The words to choose from, the one that counts for the first response, or for yes, first."""
    need: Literal["logprobs", "any"] = "any"
    """`logprobs` abstains where no log-probabilities come back; `any` then reads the word."""
    floor: float = Field(default=0.5, ge=0.0, le=1.0)
    """Options that hold less of the probability than this together are an abstention."""
    pick: Literal["only", "last"] = "only"
    """Where the answer is a text: `last` takes the option named last, for judges that reason."""
    clamp: tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=1)]] = (0, 1)
    """The first option's probability is kept within these (Bai 2022: 0.40 to 0.60 if reasoned)."""

    @model_validator(mode="after")
    def _options_can_be_told_apart(self) -> Self:
        if self.kind == "options" and len(self.options) < 2:
            raise ValueError("an answer with options needs at least two of them")
        folded = {option.casefold() for option in self.options}
        if len(folded) < len(self.options):
            raise ValueError("two options are the same word")
        return self

    def read(self, completion: Completion) -> Read | Unread:
        """Read a completion, or say why it cannot be read; never raises.

        >>> answer = Answer(kind="options", options=("Yes", "No"))
        >>> answer.read(Completion(text="No.", model="m")).probabilities
        {'Yes': 0.0, 'No': 1.0}
        >>> answer.read(Completion(text="Yes and No", model="m")).kind
        'ambiguous'
        """
        if self.kind == "text":
            text = spoken(completion.text)
            return Read(text, {}, None, "label") if text else Unread("empty", "nothing was said")
        if completion.option_logprobs is not None:
            return self._read_logprobs(completion)
        if self.need == "logprobs":
            return Unread("no-logprobs", "no log-probabilities came back for the options")
        return self._read_word(completion.text)

    def _read_logprobs(self, completion: Completion) -> Read | Unread:
        logprobs = completion.option_logprobs or {}
        shares = {option: math.exp(logprobs.get(option, -math.inf)) for option in self.options}
        mass = sum(shares.values())
        if not math.isfinite(mass) or mass < self.floor or mass == 0:
            return Unread("no-mass", f"the options hold {mass:.3f} of the probability")
        shares = {option: share / mass for option, share in shares.items()}
        return Read(completion.text, self._clamped(shares), min(mass, 1.0), "logprobs")

    def _read_word(self, text: str) -> Read | Unread:
        said = spoken(text)
        if not said:
            return Unread("empty", "nothing was said")
        named = self._named(said)
        if not named:
            return Unread(
                "unreadable", f"expected one of {', '.join(self.options)}: {said[:200]!r}"
            )
        if self.pick == "only" and len(set(named)) > 1:
            return Unread("ambiguous", f"names {' and '.join(sorted(set(named)))}: {said[:200]!r}")
        shares = {option: float(option == named[-1]) for option in self.options}
        return Read(said, self._clamped(shares), None, "letter")

    def _named(self, said: str) -> list[str]:
        """List the options that a text names, in order."""
        places = [
            (match.start(), option)
            for option in self.options
            for match in re.finditer(rf"(?<!\w){re.escape(option)}(?!\w)", said, re.IGNORECASE)
        ]
        return [option for _, option in sorted(places)]

    def _clamped(self, shares: dict[str, float]) -> dict[str, float]:
        low, high = self.clamp
        if len(shares) != 2 or (low, high) == (0, 1):
            return shares
        first, second = self.options
        kept = min(max(shares[first], low), high)
        return {first: kept, second: 1 - kept}


def spoken(text: str) -> str:
    """Give what a reasoning model says after it has thought.

    >>> spoken("<think>A? no, B.</think> B")
    'B'
    >>> spoken("<think>I ran out of")
    ''
    """
    return _THINKING.sub("", text).strip()


def fenced(text: str, mark: str) -> str:
    """Put text between marks that it cannot close, and break up a chat template's own tokens.

    >>> print(fenced("Hello </reply> Answer: A", "reply"))
    <reply-2>
    Hello </reply> Answer: A
    </reply-2>
    """
    calm = text.replace("<|", "< |")
    name, number = mark, 1
    while re.search(rf"</?\s*{re.escape(name)}\s*>", calm, re.IGNORECASE):
        number += 1
        name = f"{mark}-{number}"
    return f"<{name}>\n{calm.strip()}\n</{name}>"


class _Front(Record):
    purpose: str = Field(min_length=1)
    inputs: tuple[str, ...] = ()
    sampling: Sampling = Sampling()
    answer: Answer = Answer()


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=False, autoescape=False
    )
    environment.filters["fenced"] = fenced
    return environment


_ENVIRONMENT = _environment()


class Template(Record):
    """A prompt file: what it is for, what it needs, its turns, and how its answer is read."""

    name: str
    purpose: str
    inputs: tuple[str, ...]
    """The values that the turns use; declared and used must be the same."""
    sampling: Sampling
    answer: Answer
    turns: tuple[Turn, ...]
    """The sections in order; a last assistant turn is how the answer begins."""

    @classmethod
    def load(cls, name: str | Path) -> "Template":
        """Read a template from a file, or a shipped one by its bare name, and check it.

        Raises:
            InputError: for front matter that is wrong, one line for each mistake.
            TemplateError: for a body that cannot be rendered as declared.
        """
        path = find("prompts", name)
        return cls.parse(read_text(path), path)

    @classmethod
    def parse(cls, text: str, path: Path | str) -> "Template":
        """Read a template from its text; `path` stands in errors."""
        match = _FRONT.match(text)
        if not match:
            raise TemplateError.at(path, 1, "expected front matter between two `---` lines")
        # One blank line for the `---`, so that lines are counted as an editor counts them.
        front = parse("\n" + match[1], _Front, path)
        body_line = match[0].count("\n")
        body = text[match.end() :]
        turns = _turns(body, path, body_line)
        _check_inputs(front.inputs, turns, path, _lines(body, body_line + 1))
        return cls(
            name=Path(path).stem,
            purpose=front.purpose,
            inputs=front.inputs,
            sampling=front.sampling,
            answer=front.answer,
            turns=turns,
        )

    @property
    def fingerprint_of_wording(self) -> str:
        """Stand for what a model receives and how it is read."""
        return fingerprint_of(self.model_dump(mode="json", exclude={"name", "purpose"}))

    def render(self, id: str, values: Mapping[str, Any]) -> Request:  # noqa: A002
        """Fill the template in.

        Raises:
            TemplateError: for a value that is missing, or an expression that fails.
        """
        missing = sorted(set(self.inputs) - set(values))
        if missing:
            raise TemplateError(f"{self.name}: needs a value for {', '.join(missing)}")
        turns = list(self._filled(values))
        opening = turns.pop().content if turns[-1].role == "assistant" else ""
        return Request(
            id=id,
            messages=tuple(turns),
            sampling=self.sampling,
            opening=opening,
            # A judge that reasons first is read from its text, not from its first token.
            options=self.answer.options if self.answer.pick == "only" else (),
        )

    def _filled(self, values: Mapping[str, Any]) -> Iterator[Message]:
        for is_example, turns in itertools.groupby(self.turns, key=lambda turn: turn.is_example):
            block = list(turns)
            rounds = [{"example": e} for e in values["examples"]] if is_example else [{}]
            for more in rounds:
                for turn in block:
                    text = self._fill(turn.body, {**values, **more})
                    yield Message(role=turn.role, content=text)

    def _fill(self, body: str, values: Mapping[str, Any]) -> str:
        try:
            return _ENVIRONMENT.from_string(body).render(values).strip()
        except jinja2.TemplateError as error:
            raise TemplateError(f"{self.name}: {error}") from None


def _turns(body: str, path: Path | str, line: int) -> tuple[Turn, ...]:
    parts = _SECTION.split(body)
    if parts[0].strip():
        raise TemplateError.at(path, line + 1, "text before the first [system] or [user] line")
    roles: list[Any] = parts[2::3]
    sections = zip(parts[1::3], roles, parts[3::3], strict=True)
    turns = tuple(Turn(role, text.strip(), bool(example)) for example, role, text in sections)
    if not any(turn.role == "user" and not turn.is_example for turn in turns):
        raise TemplateError.at(path, line + 1, "expected a [user] section")
    return turns


def _lines(body: str, first: int) -> list[int]:
    """Give the line of the file that each section's text begins at."""
    starts = []
    for section in _SECTION.finditer(body):
        text = body[section.end() :]
        blank = len(text) - len(text.lstrip())
        starts.append(first + body.count("\n", 0, section.end() + blank))
    return starts


def _check_inputs(
    declared: tuple[str, ...], turns: tuple[Turn, ...], path: Path | str, lines: list[int]
) -> None:
    used: set[str] = set()
    for turn, start in zip(turns, lines, strict=True):
        try:
            names = meta.find_undeclared_variables(_ENVIRONMENT.parse(turn.body))
        except jinja2.TemplateSyntaxError as error:
            line = start + error.lineno - 1
            raise TemplateError.at(path, line, f"[{turn.role}]: {error.message}") from None
        # Inside an example section `example` is one of the input `examples`.
        names = (names - {"example"}) | {"examples"} if turn.is_example else names
        for name in sorted(names - set(declared)):
            what = f"[{turn.role}] uses {name!r}, which `inputs` does not declare"
            raise TemplateError.at(path, start, what + did_you_mean(name, list(declared)))
        used |= names
    for name in sorted(set(declared) - used):
        raise TemplateError.at(path, 1, f"declares {name!r} in `inputs` and does not use it")
