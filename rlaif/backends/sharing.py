"""The probability of what comes next after many prompts, what they share encoded once.

A row holds many branches of the prompts' tree: each token sees the tokens that come before it in
its own prompt and no others, at the position it has there. Beginnings that were encoded before are
taken from memory.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from transformers import DynamicCache

from rlaif.backends.prefixes import Branch, Ids, Kept, Prefixes, cut, grow, rows
from rlaif.backends.scoring import Padded, Scored, Scorer, read

# A mask is as large as the square of its row, so that a longer row is not a faster one.
_WIDTHS = {"cpu": 512}
_WIDTH = 2048
_SHORT = 64  # tokens that are sooner encoded again than found again
_FEW = 16  # tokens that are sooner encoded again than left to a row of their own
_SCALED_BY_LENGTH = frozenset({"dynamic", "longrope"})


class Shared:
    """Encodes every distinct token of a window of paths once, and keeps beginnings for the next."""

    def __init__(self, model: Any, *, tokens: int, width: int | None = None) -> None:
        """Score with a model and keep so many tokens; a row is never longer than `width`."""
        self._model = model
        self._prefixes = Prefixes(tokens)
        widest = width or _WIDTHS.get(model.device.type, _WIDTH)
        self._width = max(1, min(widest, tokens))

    def logprobs(self, paths: Sequence[Ids], targets: Sequence[Ids]) -> Iterator[Scored]:
        """Give each path's targets' log-probabilities of coming next; each path once, any order."""
        yield from self._visit(grow(paths), self._prefixes.root, targets)

    def _visit(
        self, branches: Sequence[Branch], at: Kept, targets: Sequence[Ids]
    ) -> Iterator[Scored]:
        """Score branches that go on from what is kept up to `at`."""
        new = []
        for branch in branches:
            # A path's last token is encoded in any case: what comes next is read from it.
            sought = branch.tokens[: len(branch.tokens) - bool(branch.ending)]
            least = _FEW if branch.ending else min(_FEW, len(sought))
            then, known = self._prefixes.follow(at, sought, least=least)
            if known == 0:
                new.append(branch)
            elif known == len(branch.tokens):
                yield from self._visit(branch.branches, then, targets)
            else:
                yield from self._visit([branch.after(known)], then, targets)
        for row in rows(new, self._width):
            if row[0].size <= self._width:
                yield from self._encode(row, at, targets)[1]
            else:
                yield from self._step(row[0], at, targets)

    def _step(self, branch: Branch, at: Kept, targets: Sequence[Ids]) -> Iterator[Scored]:
        """Encode what fits of a branch that is too large for a row, then the rest after it."""
        count = len(branch.tokens)
        parts = -(-count // self._width)
        if parts == 1:
            then, scored = self._encode([branch.alone()], at, targets, short=0)
            yield from scored
            yield from self._visit(branch.branches, then, targets)
        else:
            size = -(-count // parts)
            first = Branch(branch.tokens[:size], branch.start, [], [])
            then, _ = self._encode([first], at, targets, short=0)
            yield from self._step(branch.after(size), then, targets)

    def _encode(
        self, row: Sequence[Branch], at: Kept, targets: Sequence[Ids], *, short: int = _SHORT
    ) -> tuple[Kept, list[Scored]]:
        """Encode a row once; give what was read, and where its first branch is kept, if it is."""
        packed, model = _pack(row), self._model
        states = at.states_up_to_here()
        before = states[0][0].shape[2] if states else 0
        cache = DynamicCache(states or None)
        # Where nothing is read, one place's logits are the fewest that a model can be asked for.
        places = [place for _, place in packed.ends] or [len(packed.ids) - 1]
        with torch.inference_mode():
            logits = model(
                input_ids=torch.tensor([packed.ids], device=model.device),
                position_ids=torch.tensor([packed.positions], device=model.device),
                attention_mask=_additive(packed.sees, before, model.dtype).to(model.device),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=torch.tensor(places, device=model.device),
            ).logits[0]
            asked = [(number, targets[number]) for number, _ in packed.ends]
            scored = list(read(logits, asked)) if asked else []
            first = self._keep(packed, at, cache, short)
        self._prefixes.trim(first)
        return first, scored

    def _keep(self, packed: "_Packed", at: Kept, cache: DynamicCache, short: int) -> Kept:
        """Keep the branches of a row that are not short with all that goes on from them."""
        states = [(layer.keys, layer.values) for layer in cache.layers]
        before = cache.get_seq_length() - len(packed.ids)
        kept = {-1: at}
        for index, (branch, parent, start) in enumerate(packed.branches):
            if branch.size >= short and parent in kept:
                begin, end = before + start, before + start + len(branch.tokens)
                own = cut(states, begin, end)
                kept[index] = self._prefixes.keep(kept[parent], branch.tokens, own)
        return kept.get(0, at)


class _Packed(NamedTuple):
    """A row: branches laid out one after the other, each before those that go on from it."""

    ids: list[int]
    positions: list[int]
    sees: torch.Tensor
    """Which token sees which, (tokens, tokens)."""
    ends: list[tuple[int, int]]
    """The number of each path that ends here, and the place of its last token."""
    branches: list[tuple[Branch, int, int]]
    """Each branch, the index of the one that it goes on from or -1, and where it starts."""


def _pack(row: Sequence[Branch]) -> _Packed:
    size = sum(branch.size for branch in row)
    packed = _Packed([], [], torch.zeros(size, size, dtype=torch.bool), [], [])

    def lay(branch: Branch, parent: int, last: int) -> None:
        start, count = len(packed.ids), len(branch.tokens)
        index, end = len(packed.branches), start + count
        packed.branches.append((branch, parent, start))
        packed.ids.extend(branch.tokens)
        packed.positions.extend(range(branch.start, branch.start + count))
        if last >= 0:
            packed.sees[start:end] = packed.sees[last]
        packed.sees[start:end, start:end] = torch.ones(count, count, dtype=torch.bool).tril()
        packed.ends.extend((number, end - 1) for number in branch.ending)
        for after in branch.branches:
            lay(after, index, end - 1)

    for branch in row:
        lay(branch, -1, -1)
    return packed


def _additive(sees: torch.Tensor, before: int, dtype: torch.dtype) -> torch.Tensor:
    """Make what is added to attention: everything kept is seen, (1, 1, tokens, before + tokens).

    Numbers and no truth values, since the plain attention of some models adds a mask as it is.
    """
    size = len(sees)
    mask = torch.zeros(1, 1, size, before + size, dtype=dtype)
    mask[0, 0, :, before:].masked_fill_(~sees, torch.finfo(dtype).min)
    return mask


def scorer_for(model: Any, *, batch: int, tokens: int) -> Scorer:
    """Share beginnings where a model can, which is tried out once, else score each path whole."""
    whole = Padded(model, batch=batch, tokens=tokens)
    if may_share(model.config) and _agree(model, whole):
        return Shared(model, tokens=tokens)
    return whole


def may_share(config: Any) -> bool:
    """Whether every layer of a model sees all tokens before, by a mask that can be given."""
    text = config.get_text_config()
    kinds = set(getattr(text, "layer_types", None) or ["full_attention"])
    rope = getattr(text, "rope_parameters", None) or {}
    return (
        text._attn_implementation in {"sdpa", "eager"}
        and kinds == {"full_attention"}
        and not getattr(text, "sliding_window", None)
        # Here a token's own encoding depends on how long the whole prompt is.
        and rope.get("rope_type") not in _SCALED_BY_LENGTH
    )


def _agree(model: Any, whole: Scorer) -> bool:
    """Score a few made-up paths both ways: a model may do otherwise than its config says."""
    size = model.config.get_text_config().vocab_size
    token = [(7919 * number + 1) % size for number in range(24)]
    paths = [token[:9], token[:12], token[:9] + token[15:20], token[:4] + token[12:], token[3:11]]
    targets = [[token[number], token[-number]] for number in range(len(paths))]
    # So narrow that some of it is kept, and some stands side by side.
    sharing = Shared(model, tokens=64, width=16)
    close = 1e-4 if model.dtype == torch.float32 else 0.5
    try:
        here, there = (dict(each.logprobs(paths, targets)) for each in (sharing, whole))
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError):
        return False
    gaps = [abs(a - b) for n in there for a, b in zip(here[n], there[n], strict=True)]
    # A gap that is no number is none that is small.
    return max(gaps) < close and not any(map(math.isnan, gaps))
