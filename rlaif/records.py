"""The nouns: frozen records that every stage reads and writes, each with a content fingerprint."""

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Role = Literal["system", "user", "assistant"]
Choice = Literal["first", "second", "tie"]
Source = Literal["judge", "revision", "human", "thumbs"]
Reading = Literal["logprobs", "letter", "score", "ranking", "label", "mixed"]
"""How an answer was read: log-probabilities, a written option, number or ranking, a given label, or
several answers, each in its own way."""

AbstentionKind = Literal[
    "backend",  # the backend failed after its attempts
    "timeout",  # no answer in time
    "empty",  # an answer of nothing, or of thinking alone
    "no-reasoning",  # thinking that left no word to read, after a second try with more room
    "unreadable",  # an answer that states no option
    "ambiguous",  # an answer that states several options
    "outside",  # an answer that is none of the options, or a number off the scale
    "incomplete",  # a ranking that misses an option or repeats one
    "refused",  # the judge declined to judge
    "no-logprobs",  # log-probabilities were asked for and did not come back
    "no-mass",  # the options hold too little of the probability
    "one-order",  # one of the two orders has no answer
    "no-principle",  # no principle applies, or none was answered
    "same",  # two responses with the same text
    "repeated",  # a revision that repeats what it revises
    "scaffolding",  # text that leaks the prompt's own wording
    "degenerate",  # text that loops or breaks off at once
    "not-better",  # a revision that the judge does not prefer
    "no-critique",  # a revision whose critique failed
    "unsure",  # a label that is less sure than was asked for
]


def canonical_json(value: Any) -> str:
    """Write a value so that equal content gives equal text.

    >>> canonical_json({"b": 1, "a": [2]})
    '{"a":[2],"b":1}'
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def fingerprint_of(value: Any) -> str:
    """Give 16 hexadecimal digits that stand for the content of a JSON-like value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]


def _mirrored(p: float) -> float:
    # 1 - (1 - p) lies on a grid where 1 - p is exact, so that swapping twice is the identity.
    return 1.0 - (1.0 - p)


Probability = Annotated[
    float, Field(ge=0.0, le=1.0, allow_inf_nan=False), AfterValidator(_mirrored)
]


class Record(BaseModel):
    """A frozen row: equal content has an equal fingerprint, unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def fingerprint(self) -> str:
        """Stand for the content: 16 hexadecimal digits."""
        return fingerprint_of(self.model_dump(mode="json"))


class Message(Record):
    """One turn of a conversation."""

    role: Role
    content: str


class Prompt(Record):
    """A conversation that awaits the assistant's next turn."""

    id: str = Field(min_length=1)
    messages: tuple[Message, ...] = Field(min_length=1)
    tags: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _awaits_an_answer(self) -> Self:
        if self.messages[-1].role != "user":
            raise ValueError("the last message must be the user's, since the assistant answers it")
        return self

    @classmethod
    def of(cls, text: str, *, id: str | None = None, tags: tuple[str, ...] = ()) -> "Prompt":  # noqa: A002
        """Make a one-turn prompt; its id is drawn from the text unless one is given."""
        return cls(
            id=id or f"p-{fingerprint_of(text)[:10]}",
            messages=(Message(role="user", content=text),),
            tags=tags,
        )

    @property
    def text(self) -> str:
        """The conversation as plain text: the one user turn alone, else one `Role: …` a turn."""
        if len(self.messages) == 1:
            return self.messages[0].content
        return "\n".join(f"{turn.role.capitalize()}: {turn.content}" for turn in self.messages)


class Sampling(Record):
    """How an answer is drawn."""

    temperature: float = Field(default=0.8, ge=0.0)
    """0 takes the likeliest token each time."""
    top_p: float = Field(default=0.95, gt=0.0, le=1.0)
    """The smallest set of tokens with this much probability is drawn from."""
    max_tokens: int = Field(default=64, ge=1)
    """The longest answer, in tokens."""
    seed: int = 0
    """What the draw starts from; the same request and seed give the same answer."""
    stop: tuple[str, ...] = ()
    """Texts that end the answer."""


class Response(Record):
    """One candidate next turn and who wrote it; a revision names its parent."""

    id: str = Field(min_length=1)
    prompt_id: str
    text: str
    author: str
    """The model, or the person, who wrote it."""
    sampling: Sampling | None = None
    parent: str | None = None
    """The response that this one revises."""


class Comparison(Record):
    """The question "which is better?": a prompt and two responses in the order shown."""

    id: str = Field(min_length=1)
    prompt: Prompt
    first: Response
    second: Response
    group: str | None = None
    """The K-way set of responses that this pair comes from."""

    def swapped(self) -> "Comparison":
        """Ask the same question with the responses in the other order."""
        return self.model_copy(update={"first": self.second, "second": self.first})


class Verdict(Record):
    """One judge's answer to one case; win, lose and tie are derived from `p_first`."""

    p_first: Probability
    """The probability that the response shown first is the better one."""
    judge: str
    principle: str | None = None
    """The id of the principle judged by; none where several were weighed together."""
    read: Reading = "logprobs"
    reason: str | None = None
    evidence: dict[str, float] = Field(default_factory=dict)
    """The raw figures behind `p_first`, such as each order's own probability."""
    wording: str | None = None
    """The fingerprint of the principle's words that were judged by, where they are known."""

    @property
    def choice(self) -> Choice:
        """Name the better response.

        >>> Verdict(p_first=0.7, judge="j").choice, Verdict(p_first=0.5, judge="j").choice
        ('first', 'tie')
        """
        if self.p_first == 0.5:
            return "tie"
        return "first" if self.p_first > 0.5 else "second"

    def swapped(self) -> "Verdict":
        """Say the same of the two responses in the other order.

        Figures named `…/p_first` are turned round with it; those named `…_first` and `…_second`
        are the responses' own and change places; the others tell of the orders that were shown,
        and stay.
        """
        turned = dict(_swapped(name, value) for name, value in self.evidence.items())
        # In the order that it was, so that what stands first is of the first response.
        evidence = {name: turned[name] for name in self.evidence if name in turned} | turned
        return self.model_copy(update={"p_first": 1.0 - self.p_first, "evidence": evidence})


def _swapped(name: str, value: float) -> tuple[str, float]:
    if name.endswith("/p_first"):
        return name, 1.0 - value
    stem, _, side = name.rpartition("_")
    return {"first": f"{stem}_second", "second": f"{stem}_first"}.get(side, name), value


class Abstention(Record):
    """No usable answer: counted and shown, never trained on, never a number."""

    kind: AbstentionKind
    subject: str
    """The id of what was to be answered."""
    by: str
    """The judge, critic or policy that gave no usable answer."""
    detail: str = ""
    said: str = ""
    """The raw text that could not be used, kept whole."""
    principle: str | None = None


class Critique(Record):
    """What is wrong with a response in the light of one principle."""

    principle: str
    text: str
    author: str


class Revision(Record):
    """Before, critique, after: the rounds of one response, kept whole."""

    id: str = Field(min_length=1)
    prompt: Prompt
    before: Response
    critiques: tuple[Critique, ...]
    after: Response
    p_better: Probability | None = None
    """The judge's probability that `after` is better than `before`."""


class Preference(Record):
    """A labelled pair: what training reads, whoever labelled it."""

    id: str = Field(min_length=1)
    prompt: Prompt
    chosen: Response
    rejected: Response
    p_chosen: Probability
    """The probability that `chosen` is the better one; 0.5 is a tie."""
    source: Source
    by: str
    """The judge or the person who labelled it."""
    verdicts: tuple[Verdict, ...] = ()
    """Each principle's own verdict, with `chosen` as the first response."""
    abstained: tuple[Abstention, ...] = ()
    """The principles that gave no answer, beside those that did."""
    constitution: str | None = None
    """The fingerprint of the constitution judged by."""
    contract: str | None = None
    """The fingerprint of everything that could change the label: judge, template, reading."""
    group: str | None = None
    """The K-way set of its prompt."""
    weight: float = Field(default=1.0, gt=0.0)
    margin: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    """By how many points of reward `chosen` should lead at least."""
    despite: tuple[str, ...] = ()
    """What the judge fell short of when it was checked, and labelled all the same."""

    @model_validator(mode="after")
    def _chosen_is_not_the_worse(self) -> Self:
        if self.p_chosen < 0.5:
            raise ValueError("p_chosen is below 0.5: swap `chosen` and `rejected`")
        return self


class Usage(Record):
    """Tokens read and written for one completion."""

    read: int = 0
    written: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        """Count both."""
        return Usage(read=self.read + other.read, written=self.written + other.written)


class Request(Record):
    """What a backend is asked."""

    id: str
    messages: tuple[Message, ...] = Field(min_length=1)
    sampling: Sampling = Sampling()
    opening: str = ""
    """Text that the answer is made to start with; not part of the completion."""
    options: tuple[str, ...] = ()
    """Answers to score: each option's log-probability, as a whole, is asked for."""

    @property
    def wanted(self) -> dict[str, Any]:
        """Everything that could change the answer: the request without its id."""
        return self.model_dump(mode="json", exclude={"id"})


class Completion(Record):
    """What a backend wrote."""

    text: str
    model: str
    option_logprobs: dict[str, float] | None = None
    """Natural log-probability of each option; None where none were asked for or came back."""
    usage: Usage = Usage()


class Failure(Record):
    """Why a backend wrote nothing."""

    kind: Literal["backend", "timeout", "empty", "refused", "no-logprobs"]
    detail: str = ""
    usage: Usage = Usage()
    """Tokens that were spent all the same."""


class Manifest(Record):
    """What made a stage's folder; a folder without one is unfinished."""

    stage: str
    key: str
    """Stands for everything that went in: config, inputs, code version."""
    config: dict[str, Any]
    inputs: dict[str, str]
    """Each input's name and fingerprint."""
    version: str
    models: dict[str, str] = Field(default_factory=dict)
    """Each role's model identity, e.g. `judge: embedded+judge-adapter@3f…`."""
    counts: dict[str, int] = Field(default_factory=dict)
    """Outcomes by kind; they add up to the stage's input."""
    metrics: dict[str, float] = Field(default_factory=dict)
    despite: tuple[str, ...] = ()
    """What the judge of the labels that it was made from fell short of."""
    trust: dict[str, str] = Field(default_factory=dict)
    """Of each principle, whether its judge can be trusted on it, by the principle's examples."""
    tokens: Usage = Usage()
    usd: float | None = None
    """Money spent; None where the price is unknown, 0 for a local model."""
    seconds: float = 0.0
    finished: str = ""
    """When it was finished, ISO 8601 in UTC."""
