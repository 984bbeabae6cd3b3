"""How to read the reply that a prompt file asks for: what is read, or why it cannot be."""

import math
import string
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from rlaif.answers.text import (
    Asks,
    named,
    numbers,
    opens_or_closes_with,
    rankings,
    refuses,
    spoken,
    stated,
)
from rlaif.records import AbstentionKind, Completion, Reading, Record

REASONED = (0.40, 0.60)
"""What a reasoned probability is kept within, since reasoning makes it near 0 or 1 (Bai 2022)."""

Kind = Literal["text", "options", "score", "best", "ranking"]
_Share = Annotated[float, Field(ge=0, le=1)]
READS: dict[Kind, frozenset[str]] = {
    "text": frozenset(),
    "options": frozenset({"options", "need", "floor", "pick", "asks", "clamp"}),
    "score": frozenset({"low", "high", "need", "floor", "pick", "temperature"}),
    "best": frozenset({"floor", "asks"}),
    "ranking": frozenset({"pick", "asks", "certainty"}),
}
"""The settings that each kind of answer reads."""
_MARKS = string.punctuation + string.whitespace
_HIGHEST_LOGPROB = 1e-3  # a hair above 0, as rounding leaves it


class Read(NamedTuple):
    """An answer that could be read."""

    text: str
    probabilities: dict[str, float]
    """Each option's share, adding up to 1; empty where no option was chosen."""
    mass: float | None
    """What the options hold together of the whole probability, where that is known."""
    how: Reading
    value: float = 0.0
    """A score in [−1, 1]."""
    order: tuple[str, ...] = ()
    """A written ranking, the best first."""


class Unread(NamedTuple):
    """An answer that could not be read, and why."""

    kind: AbstentionKind
    detail: str
    said: str = ""
    """The raw text, kept whole."""


class Answer(Record):
    """How to read the reply that a template asks for."""

    kind: Kind = "text"
    """`options` chooses a word, `score` gives a number, `best` and `ranking` judge several."""
    options: tuple[str, ...] = ()
    """The words to choose from, the one that counts for the first response, or for yes, first."""
    need: Literal["logprobs", "any"] = "any"
    """`logprobs` abstains where no log-probabilities come back; `any` then reads the words."""
    floor: float = Field(default=0.5, ge=0.0, le=1.0)
    """Options that hold less of the probability than this together are an abstention."""
    pick: Literal["only", "last"] = "only"
    """Where a text states several verdicts: `last` takes the last one, for judges that reason."""
    asks: Asks = "better"
    """`worse` where the question is which reply is worse; the probability is turned round."""
    clamp: tuple[_Share, _Share] | None = None
    """The probability is kept within these: 0.40 to 0.60 after thinking, else 0 to 1."""
    low: int = 1
    """The worst score."""
    high: int = 10
    """The best score."""
    temperature: float = Field(default=0.5, gt=0.0)
    """Of two scores in [−1, 1]: p = σ((first − second) / temperature)."""
    certainty: float = Field(default=0.9, gt=0.5, le=1.0)
    """The probability that a reply is better than one that a written ranking names later."""

    @model_validator(mode="after")
    def _says_only_what_is_read(self) -> Self:
        fields = type(self).model_fields
        for name in sorted(set(fields) - {"kind"} - READS[self.kind]):
            if getattr(self, name) != fields[name].default:
                raise ValueError(f"`{name}` means nothing where `kind` is {self.kind!r}")
        return self

    @model_validator(mode="after")
    def _options_can_be_told_apart(self) -> Self:
        if self.kind == "options" and len(self.options) < 2:
            raise ValueError("an answer with options needs at least two of them")
        folded = {option.casefold() for option in self.options}
        if len(folded) < len(self.options):
            raise ValueError("two options are the same word")
        if self.low >= self.high:
            raise ValueError("`low` must be below `high`")
        return self

    def among(self, count: int) -> "Answer":
        """Give the answer to a question about this many replies: their letters are the options."""
        return self.model_copy(update={"options": letters(count)})

    @property
    def scored(self) -> tuple[str, ...]:
        """The options whose log-probabilities are asked for; none where the text is read."""
        # A judge that reasons before it answers is read from its text, not from its first token.
        if self.kind in ("text", "ranking") or self.pick == "last":
            return ()
        return self._scores if self.kind == "score" else self.options

    @property
    def _scores(self) -> tuple[str, ...]:
        return tuple(str(score) for score in range(self.low, self.high + 1))

    def p_first(self, got: Read) -> float:
        """Give the first option's share, half of a third option's (a tie) added, turned and kept.

        `asks: worse` turns it round: 1 − p; `clamp` keeps it within its limits.
        """
        share = got.probabilities[self.options[0]]
        if len(self.options) > 2:
            share += got.probabilities[self.options[2]] / 2
        kept = self._within(share)
        return 1 - kept if self.asks == "worse" else kept

    def _within(self, share: float) -> float:
        low, high = self.clamp or (0.0, 1.0)
        return min(max(share, low), high)

    def _clamped(self, shares: dict[str, float]) -> dict[str, float]:
        if self.clamp is None or len(shares) != 2:
            return shares
        first, second = self.options
        kept = self._within(shares[first])
        return {first: kept, second: 1 - kept}

    def read(self, completion: Completion) -> Read | Unread:
        """Read a completion, or say why it cannot be read; never raises.

        >>> answer = Answer(kind="options", options=("Yes", "No"))
        >>> answer.read(Completion(text="No.", model="m")).probabilities
        {'Yes': 0.0, 'No': 1.0}
        >>> answer.read(Completion(text="Yes and No", model="m")).kind
        'ambiguous'
        """
        if self.scored and completion.option_logprobs is not None:
            return self._read_logprobs(completion, completion.option_logprobs)
        if self.kind == "best" or (self.scored and self.need == "logprobs"):
            detail = "no log-probabilities came back for the options"
            return Unread("no-logprobs", detail, completion.text)
        said = spoken(completion.text)
        if not said:
            return Unread("empty", "nothing was said", completion.text)
        got = self._read_text(said)
        return got._replace(said=completion.text) if isinstance(got, Unread) else got

    def _read_logprobs(self, completion: Completion, logprobs: dict[str, float]) -> Read | Unread:
        values = [logprobs.get(option, -math.inf) for option in self.scored]
        if not all(value <= _HIGHEST_LOGPROB for value in values):  # NaN is not, either
            return Unread("no-logprobs", f"no log-probabilities: {values}", completion.text)
        shares = [math.exp(value) for value in values]
        mass = sum(shares)
        if mass < self.floor or mass == 0:
            detail = f"the options hold {mass:.3f} of the probability"
            return Unread("no-mass", detail, completion.text)
        probabilities = {o: share / mass for o, share in zip(self.scored, shares, strict=True)}
        value = self._expected(probabilities) if self.kind == "score" else 0.0
        kept = self._clamped(probabilities)
        return Read(completion.text, kept, min(mass, 1.0), "logprobs", value)

    def _expected(self, probabilities: dict[str, float]) -> float:
        """Give the expected score in [−1, 1]: 2·(Σ i·P(i) − low)/(high − low) − 1 (Lee 2023)."""
        return self._between(sum(int(score) * p for score, p in probabilities.items()))

    def _between(self, score: float) -> float:
        return 2 * (score - self.low) / (self.high - self.low) - 1

    def _read_text(self, said: str) -> Read | Unread:
        match self.kind:
            case "options":
                return self._read_word(said)
            case "score":
                return self._read_score(said)
            case "ranking":
                return self._read_ranking(said)
            case _:
                return Read(said, {}, None, "label")

    def _read_word(self, said: str) -> Read | Unread:
        bare = [o for o in self.options if o.casefold() == said.strip(_MARKS).casefold()]
        verdicts = bare or stated(said, self.options, self.asks)
        if len(set(verdicts)) > 1 and self.pick == "only":
            return Unread("ambiguous", f"says {' and '.join(sorted(set(verdicts)))}")
        if verdicts:
            return self._word(said, verdicts[-1])
        names = named(said, self.options)
        if len(names) > 1 and not refuses(said):
            return Unread("ambiguous", f"names {' and '.join(sorted(names))}, and states neither")
        for only in names:
            if not refuses(said) and opens_or_closes_with(said, only):
                return self._word(said, only)
        return _no_verdict(said, f"one of {', '.join(self.options)}")

    def _word(self, said: str, chosen: str) -> Read:
        shares = {option: float(option == chosen) for option in self.options}
        return Read(said, self._clamped(shares), None, "letter")

    def _read_score(self, said: str) -> Read | Unread:
        found = numbers(said, self.low, self.high)
        inside = [number for number in found if self.low <= number <= self.high]
        if found and not inside:
            return Unread("outside", f"{found[-1]:g} is not from {self.low} to {self.high}")
        if len(set(inside)) > 1 and self.pick == "only":
            return Unread("ambiguous", f"gives {' and '.join(f'{n:g}' for n in inside[:5])}")
        if not inside:
            return _no_verdict(said, f"a number from {self.low} to {self.high}")
        return Read(said, {}, None, "score", self._between(inside[-1]))

    def _read_ranking(self, said: str) -> Read | Unread:
        found = rankings(said)
        if len(set(found)) > 1 and self.pick == "only":
            return Unread("ambiguous", f"writes {len(set(found))} rankings")
        if not found:
            return _no_verdict(said, f"a ranking such as {' > '.join(self.options)}")
        if sorted(found[-1]) != sorted(self.options):
            detail = f"{' > '.join(found[-1])} does not rank each of {', '.join(self.options)} once"
            return Unread("incomplete", detail)
        return Read(said, {}, None, "ranking", order=found[-1])


def letters(count: int) -> tuple[str, ...]:
    """Name this many replies: A, B, C …; there are letters for 26."""
    return tuple(string.ascii_uppercase[:count])


def _no_verdict(said: str, expected: str) -> Unread:
    shown = repr(said if len(said) <= 200 else f"{said[:200]}…")
    if refuses(said):
        return Unread("refused", f"declines to judge: {shown}")
    kind: AbstentionKind = "unreadable" if len(said.split()) > 1 else "outside"
    return Unread(kind, f"expected {expected}: {shown}")
