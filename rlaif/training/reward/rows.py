"""A stream of labels to tokens: each answer tokenised once and written, nothing kept but numbers.

One pass, whatever the number of labels: the tokens go to an Arrow file that is mapped into memory,
and of a label stay its answers' rows, its probability and the like.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from datasets import Dataset, Features, List, Value
from datasets.arrow_writer import ArrowWriter

from rlaif.records import Preference
from rlaif.training.reward.layout import Layout, Read, tokens_of
from rlaif.training.split import digest

_MANY = 512
"""Answers that are tokenised at once."""
_NAMED = 10
"""Faulty labels that are told one by one."""
_FAULTS = ("same", "empty", "ambiguous")
_FEATURES = Features({"ids": List(Value("int32"))})


class Pair(NamedTuple):
    """A label, in numbers."""

    prompt: int
    """The number of its conversation."""
    first: int
    """The row of the answer that `p` is about."""
    second: int
    p: float
    margin: float
    weight: float
    principle: str | None = None
    """The id of the principle that `p` goes by, where a model is trained by each."""


class Origin(NamedTuple):
    """Where labels come from."""

    sources: dict[str, int]
    """Labels by who labelled: `judge embedded`, `human people`."""
    constitutions: tuple[str, ...] = ()
    """The fingerprints of the constitutions judged by."""
    contracts: tuple[str, ...] = ()
    """The fingerprints of everything that could change a label."""
    despite: tuple[str, ...] = ()
    """What judges fell short of."""


class Rows(NamedTuple):
    """All labels of a training run."""

    answers: Dataset
    """Column `ids`: the tokens of each distinct answer with its conversation."""
    pairs: list[Pair]
    """Those of which both answers can be read."""
    prompts: list[str]
    """By number, the digest of a conversation's text."""
    left_out: dict[str, int]
    """Labels left out, by reason."""
    truncated: int
    """Answers read without the beginning of their prompt."""
    origin: Origin
    faults: tuple[str, ...]
    """A line for each of the first labels that cannot be trained on, with its row."""
    fingerprint: str
    """Stands for every label, in order."""


def read_rows(
    preferences: Iterable[Preference], tokenizer: Any, layout: Layout, file: Path
) -> Rows:
    """Tokenise a stream of labels into an Arrow file.

    Where the layout has principles, each principle's own verdict is a pair of its own. Labels that
    cannot be trained on are left out, counted and named: of equal or empty answers, and the second
    of two that differ under one id.
    """
    reader = _Reader(tokenizer, layout, file)
    for preference in preferences:
        reader.take(preference)
    return reader.finish()


class _Reader:
    def __init__(self, tokenizer: Any, layout: Layout, file: Path) -> None:
        self._tokenizer = tokenizer
        self._layout = layout
        self._file = file
        self._writer = ArrowWriter(features=_FEATURES, path=str(file))
        self._waiting: list[Read] = []
        self._rows: dict[bytes, int] = {}
        self._fits = bytearray()
        self._prompts: dict[str, int] = {}
        self._pairs: list[Pair] = []
        self._seen: dict[bytes, bytes] = {}
        self._left_out: Counter[str] = Counter()
        self._sources: Counter[str] = Counter()
        self._stamps: tuple[dict[str, None], ...] = ({}, {}, {})
        self._faults: list[str] = []
        self._truncated = 0
        self._digest = hashlib.blake2b(digest_size=8)

    def take(self, label: Preference) -> None:
        """Take in one label."""
        fault = _fault_of(label) or self._before(label)
        if fault:
            self._leave(label, *fault)
            return
        key = digest(label.prompt)
        prompt = self._prompts.setdefault(key, len(self._prompts))
        said = self._said(label)
        if not said:
            self._left_out["no verdict by principle"] += 1
            return
        for principle, p in said:
            words = self._layout.principles[principle] if principle else None
            first, second = (
                self._row(key, Read(label.prompt, side.text, words))
                for side in (label.chosen, label.rejected)
            )
            self._pairs.append(
                Pair(prompt, first, second, p, label.margin, label.weight, principle)
            )
        self._sources[f"{label.source} {label.by}"] += 1
        for kept, stamps in zip(
            self._stamps, ([label.constitution], [label.contract], label.despite), strict=True
        ):
            kept.update(dict.fromkeys(each for each in stamps if each))

    def _said(self, label: Preference) -> list[tuple[str | None, float]]:
        """Give what a label says of its first answer: by each principle, or in all."""
        if not self._layout.principles:
            return [(None, label.p_chosen)]
        return [
            (verdict.principle, verdict.p_first)
            for verdict in label.verdicts
            if verdict.principle in self._layout.principles
        ]

    def finish(self) -> Rows:
        """Write what is left, and drop the labels of answers that cannot be read."""
        self._flush()
        self._writer.finalize()
        self._writer.close()
        pairs = [pair for pair in self._pairs if self._fits[pair.first] and self._fits[pair.second]]
        return Rows(
            Dataset.from_file(str(self._file)),
            pairs,
            list(self._prompts),
            {**self._left_out, "too long": len(self._pairs) - len(pairs)},
            self._truncated,
            Origin(dict(self._sources), *(tuple(each) for each in self._stamps)),
            self._told(),
            self._digest.hexdigest(),
        )

    def _leave(self, label: Preference, kind: str, what: str) -> None:
        self._left_out[kind] += 1
        if what and len(self._faults) < _NAMED:
            self._faults.append(f"left out: row {label.id}: {what}")

    def _told(self) -> tuple[str, ...]:
        unnamed = sum(self._left_out[kind] for kind in _FAULTS) - len(self._faults)
        return (*self._faults, *([f"{unnamed:,} more rows left out"] if unnamed else []))

    def _before(self, label: Preference) -> tuple[str, str] | None:
        """Say what is wrong with a rater's second label of a pair; None for the first."""
        said = _digest(
            label.prompt.text, label.chosen.text, label.rejected.text, f"{label.p_chosen}"
        )
        who = _digest(label.id, label.by)
        self._digest.update(who + said + f"{label.weight} {label.margin}".encode())
        before = self._seen.get(who)
        if before is None:
            self._seen[who] = said
            return None
        if before == said:
            return "repeated", ""
        return (
            "ambiguous",
            f"the id stands twice with different labels by {label.by}; the first stays",
        )

    def _row(self, key: str, read: Read) -> int:
        name = _digest(key, read.principle or "", read.text)
        if name not in self._rows:
            self._rows[name] = len(self._rows)
            self._waiting.append(read)
            if len(self._waiting) == _MANY:
                self._flush()
        return self._rows[name]

    def _flush(self) -> None:
        tokens = tokens_of(self._tokenizer, self._waiting, self._layout)
        self._truncated += sum(each.is_cut for each in tokens)
        self._fits.extend(each.ids is not None for each in tokens)
        if tokens:
            self._writer.write_batch({"ids": [each.ids or [] for each in tokens]})
        self._waiting.clear()


def _fault_of(label: Preference) -> tuple[str, str] | None:
    for side, response in (("chosen", label.chosen), ("rejected", label.rejected)):
        if not response.text.strip():
            return "empty", f"{side} is empty"
    if label.chosen.text == label.rejected.text:
        return "same", "chosen and rejected are the same text"
    return None


def _digest(*texts: str) -> bytes:
    made = hashlib.blake2b(digest_size=16)
    for text in texts:
        made.update(text.encode(errors="surrogatepass") + b"\0")
    return made.digest()
