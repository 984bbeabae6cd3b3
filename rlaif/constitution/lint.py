"""What in a constitution is worth another look: advice on wording, each with its line."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

from rlaif.constitution.principle import Constitution, Principle
from rlaif.yamlfile import line_of, read_text

_NEAR = 0.8
_LONGEST = 30  # words
_NEGATIVE = re.compile(
    r"\b(?:does not|doesn't|do not|don't|must not|should not|never|avoids?|refrains? from)\b", re.I
)
_POSITIVE = re.compile(r"\b(?:and|but|instead|rather)\b", re.IGNORECASE)
_TWO = re.compile(
    r"\b(?:and|but) (?:also )?(?:is|are|has|does|gives|offers|says|asks|speaks|helps|answers|"
    r"declines|refuses|uses|keeps|stays|leaves|names|shows|explains|avoids|begins|ends|treats|"
    r"sounds|makes|takes|points|suggests|mentions|repeats|includes|contains)\b",
    re.IGNORECASE,
)
_TWO_ADJECTIVES = re.compile(
    r"\b(?:is|are|sounds|stays) (?:\w+, )*(\w+) and (\w+)\b", re.IGNORECASE
)
_COMPARATIVE = re.compile(
    r"\b(?:better|worse|shorter|longer|clearer|safer|kinder|simpler|more|less|fewer)\b", re.I
)
_ABOUT_A_REPLY = re.compile(r"\b(?:response|reply|answer|assistant|it)\b", re.IGNORECASE)
_ABOUT_THE_RESPONSE = re.compile(r"\bthe (?:response|reply|answer|assistant)\b", re.IGNORECASE)
_ABOUT_THE_USER = re.compile(
    r"\b(?:user|conversation|request|question|prompt|message)\b", re.IGNORECASE
)
_SMALL = {
    "the", "a", "an", "response", "reply", "answer", "assistant", "and", "or", "of", "to", "in",
    "with", "that", "is", "are", "it", "its", "for", "on", "user", "should", "must",
}  # fmt: skip


class Finding(NamedTuple):
    """One thing to look at, and where it stands."""

    path: Path
    line: int | None
    place: str
    """Where in the file, such as `principles.calm`."""
    what: str

    def __str__(self) -> str:
        """Write it as compilers do."""
        at = f"{self.path}:{self.line}" if self.line else f"{self.path}"
        return f"{at}: {self.place}: {self.what}"


def lint(constitution: Constitution, path: Path) -> list[Finding]:
    """Say what is worth another look, in the file's own order; it is advice, not an error."""
    text = read_text(path)
    findings = []
    for principle in constitution.principles:
        place = f"principles.{principle.id}"
        line = line_of(text, ("principles", principle.id))
        for what in _about(principle, constitution):
            findings.append(Finding(path, line, place, what))
    return findings


def _about(principle: Principle, constitution: Constitution) -> Iterator[str]:
    yield from _about_the_sentence(principle.text)
    yield from _about_the_condition(principle.when)
    yield from _about_the_examples(principle)
    yield from _about_its_neighbours(principle, constitution)


def _about_the_sentence(text: str) -> Iterator[str]:
    if _NEGATIVE.search(text) and not _POSITIVE.search(text):
        yield "says only what must not be; say what the response does instead"
    two = _TWO.search(text) or _TWO_ADJECTIVES.search(text)
    if two:
        yield f'two ideas in one sentence ("… {two[0]} …"); split it, so that each can be counted'
    comparative = _COMPARATIVE.search(text)
    if comparative and "than" not in text:
        yield f'compares ("{comparative[0]}") with nothing; add "than …", or say it outright'
    if not _ABOUT_A_REPLY.search(text):
        yield 'is not about a reply; begin with "The response …"'
    count = len(text.split())
    if count > _LONGEST:
        yield f"{count} words; a sentence of up to {_LONGEST} is judged more surely"


def _about_the_condition(when: str | None) -> Iterator[str]:
    if when is None:
        return
    about = _ABOUT_THE_RESPONSE.search(when)
    if about:
        yield (
            f"`when` speaks of {about[0].lower()}, which is not there yet when it is asked; "
            "say what the user asks for, and put the rule in `text`"
        )
    elif not _ABOUT_THE_USER.search(when):
        yield '`when` is not about what is asked; begin with "The user asks …"'


def _about_the_examples(principle: Principle) -> Iterator[str]:
    if not principle.tried:
        yield "has no examples; five pairs let `rlaif constitution try` test it"
    for number, example in enumerate(principle.tried, start=1):
        if example.better.strip() == example.worse.strip():
            yield f"example {number}: `better` and `worse` are the same text"
        elif not example.better.strip() or not example.worse.strip():
            yield f"example {number}: is empty"


def _about_its_neighbours(principle: Principle, constitution: Constitution) -> Iterator[str]:
    for other in constitution.principles:
        if other.id == principle.id:
            return  # each pair is told once, at the later of the two
        if not _meet(principle, other):
            continue
        likeness = alike(principle.text, other.text)
        if likeness == 1.0:
            yield f"says the same as {other.id!r}"
        elif likeness >= _NEAR:
            yield f"is nearly the same as {other.id!r} ({likeness:.0%}); keep one, or tell apart"


def _meet(one: Principle, other: Principle) -> bool:
    if one.when and other.when and one.when != other.when:
        return False
    return not one.scope or not other.scope or bool(set(one.scope) & set(other.scope))


def alike(one: str, other: str) -> float:
    """Say how alike two sentences are: the share of content words, in order, that they share.

    >>> alike("The response is kind.", "The reply is kind.")
    1.0
    >>> alike("The response is kind.", "The response is brief.")
    0.0
    """
    return SequenceMatcher(None, _content(one), _content(other)).ratio()


def _content(text: str) -> list[str]:
    return [word for word in re.findall(r"[\w']+", text.lower()) if word not in _SMALL]
