"""Prompt files: front matter, roles, and how to read the answer, in one place.

A template's roles are split before anything is rendered, so a reply that is shown to a judge can
never open a turn; what is shown is fenced by marks that it cannot close.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import jinja2
from jinja2 import meta
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import Field

from rlaif.answers.answer import REASONED, Answer, Read, Unread
from rlaif.answers.text import spoken
from rlaif.errors import TemplateError
from rlaif.fences import Fenced, calmed, fenced, texts_in
from rlaif.records import Message, Record, Request, Role, Sampling, fingerprint_of
from rlaif.resources import did_you_mean, find
from rlaif.yamlfile import parse, read_text

__all__ = ["Answer", "Read", "Template", "Turn", "Unread", "calmed", "fenced", "spoken"]

_SECTION = re.compile(r"^\[(example )?(system|user|assistant|thinking)\]$", re.MULTILINE)
_FRONT = re.compile(r"\A---\n(.*?\n)---\n", re.DOTALL)


class Turn(NamedTuple):
    """One section of a prompt file."""

    role: Role | Literal["thinking"]
    body: str
    is_example: bool = False
    """Repeated for each of the input `examples`, with the variable `example`."""


class _Thinking(Sampling):
    """How thinking is drawn: the likeliest words, and room for them (Lee et al. 2023)."""

    temperature: float = Field(default=0.0, ge=0.0)
    max_tokens: int = Field(default=256, ge=1)


class _Front(Record):
    purpose: str = Field(min_length=1)
    inputs: tuple[str, ...] = ()
    sampling: Sampling = Sampling()
    answer: Answer = Answer()
    thinking: _Thinking | None = None
    shots: int = Field(default=4, ge=1)


def _calm(value: Any) -> Any:
    # What is fenced is calm already, and long.
    return calmed(value) if isinstance(value, str) and not isinstance(value, Fenced) else value


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=False,
        autoescape=False,
        # What is put in without a fence opens no turn, either.
        finalize=_calm,
    )
    environment.filters["fenced"] = _fenced_in_turn
    return environment


@jinja2.pass_context
def _fenced_in_turn(context: jinja2.runtime.Context, text: str, mark: str) -> Fenced:
    names = context.get_all()
    return fenced(text, mark, texts_in([names[name] for name in names if name not in _GLOBALS]))


_ENVIRONMENT = _environment()
_GLOBALS = frozenset(_ENVIRONMENT.globals)  # Jinja's own functions


@lru_cache(maxsize=256)
def _compiled(body: str) -> jinja2.Template:
    # Compiling a section takes longer than the rest of asking a question does.
    compiled = _ENVIRONMENT.from_string(body)
    # A plain dict in the place of a chain of them, which each rendering goes through twice.
    compiled.globals = dict(compiled.globals)
    return compiled


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
    thinking: Sampling | None = None
    """How the thinking is drawn; None where a model answers at once."""
    shots: int = 4
    """How many worked comparisons a comparing template with `examples` shows."""

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
        lines = _lines(body, body_line + 1)
        _check_inputs(front.inputs, turns, path, lines)
        thinks = _check_thinking(turns, path, lines, is_declared=front.thinking is not None)
        answer = front.answer
        if thinks and answer.kind == "options" and answer.clamp is None:
            answer = answer.model_copy(update={"clamp": REASONED})
        return cls(
            name=Path(path).stem,
            purpose=front.purpose,
            inputs=front.inputs,
            sampling=front.sampling,
            answer=answer,
            turns=turns,
            thinking=Sampling(**dict(front.thinking or _Thinking())) if thinks else None,
            shots=front.shots,
        )

    @property
    def fingerprint_of_wording(self) -> str:
        """Stand for what a model receives and how it is read."""
        return fingerprint_of(self.model_dump(mode="json", exclude={"name", "purpose"}))

    def render(self, id: str, values: Mapping[str, Any], *, thought: str = "") -> Request:  # noqa: A002
        """Fill the template in; where it thinks first, the last question after that thought.

        Raises:
            TemplateError: for a value that is missing, or an expression that fails.
        """
        if self.thinking and not thought:
            raise TemplateError(f"{self.name}: thinks first; its answer needs what was thought")
        turns, opening = _opening(self._filled(self.turns, values, thought))
        count = len(values["replies"]) if "replies" in self.inputs else 0
        answer = self.answer.among(count) if count else self.answer
        return Request(
            id=id, messages=turns, sampling=self.sampling, opening=opening, options=answer.scored
        )

    def render_thinking(self, id: str, values: Mapping[str, Any]) -> Request:  # noqa: A002
        """Fill in what a model is asked to think about, before it is asked for its answer.

        Raises:
            TemplateError: for a value that is missing, or an expression that fails.
        """
        before = itertools.takewhile(lambda turn: turn.role != "thinking", self.turns)
        return Request(
            id=id,
            messages=tuple(self._filled(before, values)),
            sampling=self.thinking or self.sampling,
            opening=self._how_thinking_begins(values),
        )

    def _how_thinking_begins(self, values: Mapping[str, Any]) -> str:
        bodies = [turn.body for turn in self.turns if turn.role == "thinking"]
        return self._fill(bodies[0], values) if bodies else ""

    def _filled(
        self, turns: Iterable[Turn], values: Mapping[str, Any], thought: str = ""
    ) -> Iterator[Message]:
        missing = sorted(set(self.inputs) - set(values))
        if missing:
            raise TemplateError(f"{self.name}: needs a value for {', '.join(missing)}")
        for is_example, block in itertools.groupby(turns, key=lambda turn: turn.is_example):
            several = list(block)
            rounds = [{"example": e} for e in values["examples"]] if is_example else [{}]
            for more in rounds:
                for role, body, _ in several:
                    text = self._fill(body, {**values, **more})
                    if role == "thinking":
                        # What the model thought stands as its own turn, and opens none.
                        said = f"{text} {calmed(thought)}".strip()
                        yield Message(role="assistant", content=said)
                    else:
                        yield Message(role=role, content=text)

    def _fill(self, body: str, values: Mapping[str, Any]) -> str:
        try:
            return _compiled(body).render(values).strip()
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


def _opening(turns: Iterable[Message]) -> tuple[tuple[Message, ...], str]:
    """Part a last assistant turn, which is how the answer begins, from the turns before it."""
    *before, last = turns
    if last.role == "assistant":
        return tuple(before), last.content
    return (*before, last), ""


def _check_thinking(
    turns: Sequence[Turn], path: Path | str, lines: list[int], *, is_declared: bool
) -> bool:
    """Say whether a model thinks first, and refuse a section that cannot be asked."""
    places = [place for place, turn in enumerate(turns) if turn.role == "thinking"]
    if not places:
        if is_declared:
            raise TemplateError.at(path, 1, "has `thinking` and no [thinking] section")
        return False
    place = places[-1]
    roles = [turn.role for turn in turns]
    if turns[place].is_example:
        what = "[example thinking]: write an example's reasoning as [example assistant]"
    elif len(places) > 1:
        what = "a second [thinking] section; a model thinks once"
    elif place == 0 or roles[place - 1] != "user":
        what = "[thinking] must follow a [user] section"
    elif "user" not in roles[place + 1 :]:
        what = "[thinking] must be followed by a [user] section that asks for the answer"
    else:
        return True
    raise TemplateError.at(path, lines[place], what)


def _lines(body: str, first: int) -> list[int]:
    """Give the line of the file that each section's text begins at; its head's if it has none."""
    sections = list(_SECTION.finditer(body))
    starts = []
    for section, end in zip(sections, [s.start() for s in sections[1:]] + [len(body)], strict=True):
        text = body[section.end() : end]
        blank = len(text) - len(text.lstrip()) if text.strip() else 0
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
