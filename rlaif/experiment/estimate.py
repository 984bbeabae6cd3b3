"""What a stage would ask, counted before the first request: tokens, money, time."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rlaif.backends.base import Answered
from rlaif.backends.connect import ModelSpec, account_of, identity, model_path
from rlaif.backends.spec import LocalModel, OpenAIModel
from rlaif.backends.tokens import TokenCounter
from rlaif.budget import Account, Meter
from rlaif.embedded.find import converted_model
from rlaif.records import Completion, Request, Usage, fingerprint_of
from rlaif.store import CompletionStore

_COUNTED = 400  # requests whose tokens are counted one by one; the rest by their length
_BYTES = 4.0  # of a token, where there is no tokenizer at all
_LONGEST = 4_096  # tokens of an answer that is made up
_SECOND = 1.0  # assumed for an answer from a server


@dataclass
class Estimate:
    """What one model would be asked in one stage."""

    stage: str
    spec: ModelSpec
    account: Account
    tokens: "Tokens"
    requests: int = 0
    stored: int = 0
    """Answered already; identical ones are asked once."""
    size: int = 0
    """Bytes to be read of what is not answered yet."""
    written: int = 0
    """Tokens at most."""
    seen: set[str] = field(default_factory=set)

    def note(self, request: Request, key: str, *, is_kept: bool) -> None:
        """Count a request."""
        self.requests += 1
        if is_kept or key in self.seen:
            self.stored += 1
            return
        self.seen.add(key)
        self.size += self.tokens.note(request)
        self.written += self.account.most(request).written

    def grow(self, factor: float) -> None:
        """Count so many times as much, of what is like what was counted."""
        asked = math.ceil(self.asked * factor)
        self.requests += asked - self.asked
        self.size, self.written = math.ceil(self.size * factor), math.ceil(self.written * factor)

    @property
    def asked(self) -> int:
        """Give the requests that would be sent."""
        return self.requests - self.stored

    @property
    def read(self) -> int:
        """Give the tokens to be read."""
        return math.ceil(self.size / self.tokens.bytes_each)

    @property
    def money(self) -> str:
        """Say what it would cost at most."""
        if not isinstance(self.spec, OpenAIModel):
            return "nothing"
        if self.account.price is None:
            return "price unknown"
        return f"≤ ${self.account.price.of(Usage(read=self.read, written=self.written)):,.4f}"

    @property
    def time(self) -> str:
        """Say how long it would take, as far as the model's settings tell."""
        if not isinstance(self.spec, OpenAIModel):
            return "as long as this machine takes"
        spec = self.spec
        minutes = [self.asked / spec.rpm] if spec.rpm else []
        if spec.tpm:
            minutes.append((self.read + self.written) / spec.tpm)
        open_ = self.asked * _SECOND / spec.in_flight / 60
        if minutes and max(minutes) > open_:
            return f"{_span(60 * max(minutes))} at its rpm and tpm"
        return f"{_span(60 * open_)}, if an answer takes 1 s, {spec.in_flight} in flight"


class Tokens:
    """Counts tokens with one model's tokenizer, or with what is at hand in its place."""

    def __init__(self, spec: ModelSpec) -> None:
        """Find the tokenizer."""
        self._counter = _own(spec)
        self.is_own = self._counter is not None
        if self._counter is None and (folder := converted_model()):
            self._counter = TokenCounter(folder)
        self._bytes = self._count = self._requests = 0

    @property
    def bytes_each(self) -> float:
        """Give the bytes of a token."""
        return self._bytes / self._count if self._count else _BYTES

    @property
    def name(self) -> str:
        """Say whose tokens were counted."""
        if self._counter is None:
            return "tokens taken to be 4 bytes long, since no tokenizer is here"
        place = "its own" if self.is_own else "another model's, its own is not here"
        return f"tokens counted with {self._counter.name}'s tokenizer ({place})"

    def note(self, request: Request) -> int:
        """Take a request in; give its bytes."""
        texts = [*(turn.content for turn in request.messages), request.opening]
        size = sum(len(text.encode()) for text in texts)
        if self._counter is not None and self._requests < _COUNTED:
            self._requests += 1
            self._bytes += size
            self._count += self._counter.count_request(request)
        return size


def _own(spec: ModelSpec) -> TokenCounter | None:
    if not isinstance(spec, LocalModel):
        return None
    folder = converted_model() if spec.model == "embedded" else model_path(spec)
    return TokenCounter(folder) if folder and (folder / "tokenizer.json").is_file() else None


class Unasked:
    """A backend that asks nobody: it counts, and makes up what would be answered.

    What is in the store is answered as it stands there, so that what follows from it is counted as
    it will be asked.
    """

    def __init__(self, estimate: Estimate, store: CompletionStore | None) -> None:
        """Count into an estimate."""
        self.name = identity(estimate.spec)
        self._estimate = estimate
        self._identity = f"{estimate.spec.kind}:{self.name}"
        self._store = store

    def stream(self, requests: Iterable[Request]) -> Iterator[Answered]:
        """Answer each request once."""
        for request in requests:
            question = CompletionStore.question(self._identity, request)
            kept = self._store.get(question) if self._store else None
            self._estimate.note(request, question.key, is_kept=kept is not None)
            yield request, kept or made_up(request, self.name)


def made_up(request: Request, model: str) -> Completion:
    """Answer as long as is allowed, in words that say nothing and are never the same twice."""
    if request.options:
        likely = [0.5**place for place in range(1, len(request.options) + 1)]
        known = {o: math.log(p) for o, p in zip(request.options, likely, strict=True)}
        return Completion(text=request.options[0], model=model, option_logprobs=known)
    # Two models do not say the same: equal replies would not be judged.
    start = (request.sampling.seed + int(fingerprint_of(model)[:4], 16)) % 10_000
    count = max(4, min(request.sampling.max_tokens, _LONGEST) // 2)
    text = " ".join(str(start + number) for number in range(count))
    return Completion(text=text, model=model)


class Estimates:
    """All that would be asked: of each model in each stage."""

    def __init__(self, store: Path, meter: Meter) -> None:
        """Look at a store, where it is there; nothing is written."""
        self._store = CompletionStore(store) if store.is_file() else None
        self._meter = meter
        self._tokens: dict[str, Tokens] = {}
        self._found: dict[tuple[str, str], Estimate] = {}
        self.items: dict[str, int] = {}
        """How many prompts, responses or pairs a stage is about."""

    def backend(self, stage: str, spec: ModelSpec) -> Unasked:
        """Give what stands in for a model.

        Raises:
            InputError: when dollars are budgeted and its price is not known.
        """
        name = spec.model_dump_json()
        if name not in self._tokens:
            self._tokens[name] = Tokens(spec)
        if (stage, name) not in self._found:
            account = account_of(spec, self._meter)
            self._found[stage, name] = Estimate(stage, spec, account, self._tokens[name])
        return Unasked(self._found[stage, name], self._store)

    def add(self, stage: str, specs: Sequence[ModelSpec], requests: int) -> None:
        """Count requests more, spread over the models, like those that were counted."""
        for spec in specs:
            estimate = self._found.get((stage, spec.model_dump_json()))
            if estimate and estimate.asked:
                estimate.grow(1 + requests / len(specs) / estimate.asked)

    def scale(self, stage: str, requests: int) -> None:
        """Make what was counted for a stage so many requests."""
        found = [one for (name, _), one in self._found.items() if name == stage]
        if counted := sum(one.asked for one in found):
            for one in found:
                one.grow(requests / counted)

    def drop(self, stage: str) -> None:
        """Leave out what was counted only to be read by others."""
        for key in [key for key in self._found if key[0] == stage]:
            del self._found[key]

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Give the head and the rows of what was counted."""
        named = ["items"] if self.items else []
        head = ["stage", *named, "model", "requests", "stored", "to ask", "tokens read", "written"]
        rows = []
        for one in self._found.values():
            items = [f"{self.items[one.stage]:,}" if one.stage in self.items else ""] * len(named)
            counts = [f"{one.requests:,}", f"{one.stored:,}", f"{one.asked:,}", f"{one.read:,}"]
            row = [one.stage, *items, identity(one.spec), *counts, f"≤ {one.written:,}"]
            rows.append([*row, one.money, one.time])
        return [*head, "money", "time"], rows

    def notes(self) -> Iterator[str]:
        """Say how the tokens were counted, and which prices are not known."""
        for estimate in {id(one.tokens): one for one in self._found.values()}.values():
            yield f"{identity(estimate.spec)}: {estimate.tokens.name}"
        unknown = {one.spec.model for one in self._found.values() if one.money == "price unknown"
                   and isinstance(one.spec, OpenAIModel)}  # fmt: skip
        for model in sorted(unknown):
            yield f"{model}: price unknown; add it to prices.yaml"

    def close(self) -> None:
        """Close the store."""
        if self._store:
            self._store.close()


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
