"""Prompts that begin alike: one tree of their tokens, and what is kept of beginnings once encoded.

Nothing here computes with a model: a state is any list of keys and values, one pair a layer.
"""

import itertools
from collections.abc import Iterator, Sequence

import torch

Ids = list[int]
States = list[tuple[torch.Tensor, torch.Tensor]]
"""Keys and values of some tokens, a pair for each layer: (1, heads, tokens, width)."""


def shared(one: Ids, other: Ids) -> int:
    """Count the tokens that two sequences have in common at their beginning.

    >>> shared([1, 2, 3], [1, 2, 4, 5])
    2
    """
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


class Branch:
    """Tokens that the same paths run through, and the branches that go on from their end."""

    def __init__(
        self, tokens: Ids, start: int, ending: list[int], branches: list["Branch"]
    ) -> None:
        """Make a branch of at least one token.

        Args:
            tokens: the branch's own tokens.
            start: how many tokens come before it.
            ending: the numbers of the paths that end with its last token.
            branches: where the other paths go on.
        """
        self.tokens = tokens
        self.start = start
        self.ending = ending
        self.branches = branches
        self.size: int = len(tokens) + sum(branch.size for branch in branches)
        """Tokens in this branch and in all that go on from it."""

    def after(self, count: int) -> "Branch":
        """Give the branch without its first tokens."""
        return Branch(self.tokens[count:], self.start + count, self.ending, self.branches)

    def alone(self) -> "Branch":
        """Give the branch without those that go on from it."""
        return Branch(self.tokens, self.start, self.ending, [])


def grow(paths: Sequence[Ids]) -> list[Branch]:
    """Join paths where they begin alike; each distinct beginning's tokens stand in one place."""
    order = sorted(range(len(paths)), key=lambda number: paths[number])
    return list(_grown(paths, order, 0))


def _grown(paths: Sequence[Ids], order: Sequence[int], start: int) -> Iterator[Branch]:
    for _, same in itertools.groupby(order, key=lambda number: paths[number][start]):
        numbers = list(same)
        # What the first and the last have in common, all between them have, as they are sorted.
        first, last = paths[numbers[0]], paths[numbers[-1]]
        end = start + shared(first[start:], last[start:])
        ending = [number for number in numbers if len(paths[number]) == end]
        longer = list(_grown(paths, numbers[len(ending) :], end))
        yield Branch(first[start:end], start, ending, longer)


def rows(branches: Sequence[Branch], width: int) -> Iterator[list[Branch]]:
    """Put neighbours together, as long as they fit; a branch that fits nowhere comes alone."""
    row: list[Branch] = []
    for branch in branches:
        if row and sum(other.size for other in row) + branch.size > width:
            yield row
            row = []
        row.append(branch)
    if row:
        yield row


class Kept:
    """A stretch of tokens whose states are in memory; those before it are in `before`."""

    def __init__(self, tokens: Ids, states: States, before: "Kept | None" = None) -> None:
        self.tokens = tokens
        self.states = states
        self.before = before
        self.after: dict[int, Kept] = {}
        self.used = 0
        self.is_held = before is None
        """Whether the stretch can be found; what was dropped can still be gone on from."""

    def way(self) -> list["Kept"]:
        """List the stretches from the first to this one."""
        found: list[Kept] = []
        here: Kept | None = self
        while here:
            found.append(here)
            here = here.before
        return found[::-1]

    def states_up_to_here(self) -> States:
        """Join the states of all tokens up to the end of this stretch."""
        layers = zip(*(kept.states for kept in self.way() if kept.tokens), strict=True)
        return [
            (
                torch.cat([keys for keys, _ in layer], 2),
                torch.cat([values for _, values in layer], 2),
            )
            for layer in layers
        ]


class Prefixes:
    """The states of beginnings, up to a number of tokens; what was used longest ago goes first."""

    def __init__(self, limit: int) -> None:
        """Keep at most so many tokens."""
        self.limit = limit
        self.size = 0
        self.root = Kept([], [])
        self._held: set[Kept] = set()
        self._clock = 0

    def follow(self, at: Kept, tokens: Ids, *, least: int = 1) -> tuple[Kept, int]:
        """Go on from `at` as far as is kept; say where that ends and how many tokens it is.

        Where that is within a stretch, it is cut in two, unless for fewer tokens than `least`.
        """
        count = 0
        while count < len(tokens) and (then := at.after.get(tokens[count])):
            same = shared(then.tokens, tokens[count:])
            if same < min(least, len(then.tokens)):
                break
            at = then if same == len(then.tokens) else self._split(then, same)
            count += same
        self._use(at)
        return at, count

    def keep(self, at: Kept, tokens: Ids, states: States) -> Kept:
        """Put tokens after those of `at`, as far as they are not kept already."""
        at, known = self.follow(at, tokens)
        if known == len(tokens):
            return at
        if known:
            tokens, states = tokens[known:], cut(states, known, len(tokens))
        new = Kept(tokens, states, at)
        if at.is_held:
            at.after[tokens[0]] = new
            self._held.add(new)
            new.is_held = True
            self.size += len(tokens)
        self._use(new)
        return new

    def trim(self, spared: Kept) -> None:
        """Drop the ends used longest ago until the limit holds, but nothing on the way to one."""
        way = set(spared.way())
        while self.size > self.limit:
            ends = [kept for kept in self._held if not kept.after and kept not in way]
            if not ends:
                return
            oldest = min(ends, key=lambda kept: kept.used)
            assert oldest.before
            del oldest.before.after[oldest.tokens[0]]
            oldest.is_held = False
            self._held.remove(oldest)
            self.size -= len(oldest.tokens)

    def _use(self, at: Kept) -> None:
        self._clock += 1
        for kept in at.way():
            kept.used = self._clock

    def _split(self, kept: Kept, count: int) -> Kept:
        """Cut a stretch in two and give the first half; the second stays the object it was."""
        first = Kept(kept.tokens[:count], cut(kept.states, 0, count), kept.before)
        assert kept.before
        kept.before.after[kept.tokens[0]] = first
        kept.states = cut(kept.states, count, len(kept.tokens))
        kept.tokens, kept.before = kept.tokens[count:], first
        first.after[kept.tokens[0]] = kept
        first.is_held = kept.is_held
        self._held.add(first)
        return first


def cut(states: States, start: int, end: int) -> States:
    """Copy the states of some of the tokens, so that the others' memory can be freed."""
    return [
        (keys[:, :, start:end].clone(), values[:, :, start:end].clone()) for keys, values in states
    ]
