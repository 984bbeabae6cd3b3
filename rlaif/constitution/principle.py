"""A principle and a constitution: what to judge by, as data."""

from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from rlaif.errors import InputError
from rlaif.records import Record, fingerprint_of
from rlaif.resources import find
from rlaif.yamlfile import load


class Example(Record):
    """A pair that a principle must decide: the constitution's unit test."""

    prompt: str = Field(min_length=1)
    better: str = Field(min_length=1)
    """The reply that fits the principle better."""
    worse: str = Field(min_length=1)
    """The reply that fits the principle worse."""
    why: str = ""
    """One sentence that a reader, or a judge shown examples, learns from."""


class Proposition(Record):
    """A yes/no statement about a reply, and whether being true counts for or against it."""

    text: str = Field(min_length=1)
    sign: Literal[1, -1] = 1
    """1 when true is good, -1 when true is bad."""
    weight: float = Field(default=1.0, ge=0.0)
    """How much it counts beside the others of its principle; one that counts 0 is not asked."""


class Principle(Record):
    """One sentence to judge by; everything but the sentence is optional."""

    id: str = Field(min_length=1)
    text: str = Field(min_length=1)
    """The sentence, stated of the reply: "The response …"."""
    weight: float = Field(default=1.0, gt=0.0)
    """How much it counts beside the others."""
    veto: bool = False
    """A violation decides alone, whatever the other principles say; no draw leaves it out."""
    negated: str | None = None
    """The sentence turned round, for judges that do better when asked for the worse reply."""
    scope: tuple[str, ...] = ()
    """Only prompts with one of these tags; none means every prompt."""
    when: str | None = None
    """Only prompts of which this is true: "The user asks …"; the judge is asked once a prompt."""
    tags: tuple[str, ...] = ()
    """For choosing principles and for grouping them in reports."""
    critique: str | None = None
    """What to ask of a critic, where the sentence alone does not do."""
    revision: str | None = None
    """What to ask of a reviser, where the sentence alone does not do."""
    propositions: tuple[Proposition, ...] = ()
    """Yes/no statements that make the principle up (rule-based rewards)."""
    examples: tuple[Example, ...] = ()
    """Pairs that the judge must get right: `rlaif constitution try` runs them. A critic and a
    reviser are shown them."""
    tests: tuple[Example, ...] = ()
    """More pairs that the judge must get right, shown to nobody."""
    reasons: str | None = None
    """Why the principle is there, for people."""

    @field_validator("text", "negated", "when", "critique", "revision", mode="after")
    @classmethod
    def _one_line(cls, text: str | None) -> str | None:
        # Folded YAML blocks end in a newline and may wrap; a sentence is one line of text.
        return None if text is None else " ".join(text.split())

    @model_validator(mode="after")
    def _a_proposition_counts(self) -> Self:
        if self.propositions and not any(p.weight for p in self.propositions):
            raise ValueError("every proposition has the weight 0; one at least must count")
        return self

    @property
    def tried(self) -> tuple[Example, ...]:
        """All pairs that the judge must get right."""
        return self.examples + self.tests

    def applies_to(self, tags: tuple[str, ...]) -> bool:
        """Say whether a prompt with these tags is in scope; `when` is asked of a judge."""
        return not self.scope or bool(set(self.scope) & set(tags))

    @property
    def fingerprint_of_wording(self) -> str:
        """Stand for the words that a verdict is given to: a new weight or veto changes none."""
        return _fingerprint_of_wording(self.text, self.negated, self.when, self.propositions)


@lru_cache(maxsize=1024)  # each verdict carries it
def _fingerprint_of_wording(
    text: str, negated: str | None, when: str | None, propositions: tuple[Proposition, ...]
) -> str:
    parts = [proposition.model_dump(mode="json") for proposition in propositions]
    words = {"text": text, "negated": negated, "when": when, "propositions": parts}
    return fingerprint_of(words)


class Constitution(Record):
    """A named, ordered set of principles."""

    name: str = Field(min_length=1)
    summary: str = ""
    principles: tuple[Principle, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _principles_by_name(cls, data: Any) -> Any:
        """Make every principle whole: files map a name to a sentence or to a mapping."""
        if not isinstance(data, dict) or not isinstance(data.get("principles"), dict):
            return data
        named = data["principles"]
        return {**data, "principles": tuple(_whole(name, named[name]) for name in named)}

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        seen: set[str] = set()
        for principle in self.principles:
            if principle.id in seen:
                raise ValueError(f"two principles are named {principle.id!r}")
            seen.add(principle.id)
        return self

    @classmethod
    def load(cls, name: str | Path) -> "Constitution":
        """Read a constitution from a file, or a shipped one by its bare name.

        Raises:
            InputError: one line for each mistake, `file:line: path: what`.
        """
        return load(find("constitution", name), cls)

    @property
    def fingerprint_of_rules(self) -> str:
        """Stand for what may change a label: sentences, weights and scope, not reasons.

        A judge that is shown examples has them in its own contract.
        """
        cosmetic = {"reasons", "examples", "tests", "tags"}
        return fingerprint_of(
            [p.model_dump(mode="json", exclude=cosmetic) for p in self.principles]
        )

    def __getitem__(self, name: str) -> Principle:
        """Look a principle up by its name."""
        for principle in self.principles:
            if principle.id == name:
                return principle
        known = ", ".join(principle.id for principle in self.principles)
        raise InputError(f"{self.name}: no principle {name!r}; there are: {known}")

    def tagged(self, tag: str) -> "Constitution":
        """Keep only the principles with a tag."""
        kept = tuple(principle for principle in self.principles if tag in principle.tags)
        if not kept:
            raise InputError(f"{self.name}: no principle is tagged {tag!r}")
        return self.model_copy(update={"principles": kept})


def _whole(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {"id": name, **value}
    return {"id": name, "text": value}
