"""Sources of labels beside each other: who disagrees with whom on the pairs that both labelled."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from rlaif.errors import InputError
from rlaif.evaluation.chance import cohen_kappa
from rlaif.evaluation.intervals import Draws, Interval, ratio
from rlaif.evaluation.sheet import Sheet, figure, whole
from rlaif.records import Preference, Record

_SHOWN = 80
Key = tuple[str, str, str]
"""A pair whoever names it: its prompt's words, and both texts in the order of the alphabet."""


class Beside(Record):
    """Two sources on the pairs that both labelled."""

    one: str
    other: str
    shared: int
    """Pairs that both labelled, ties among them."""
    agree: Interval | None
    """How often both prefer the same reply, where both prefer one; by prompt."""
    agreed: int
    disagreed: int
    ties: int
    """Pairs that either calls a tie."""
    kappa: Interval | None
    """Cohen's κ, of which text comes first in the alphabet."""
    apart: float
    """The mean distance of their probabilities, ties among them."""


class Clash(Record):
    """One pair that two sources label the other way round."""

    prompt: str
    said: dict[str, str]
    """What each source prefers, as text, with its probability beside the source's name."""
    apart: float


class Disagreement(Record):
    """All sources beside each other."""

    labels: dict[str, int]
    """Each source's labels."""
    beside: tuple[Beside, ...]
    clashes: tuple[Clash, ...]
    """Pairs labelled the other way round, the surest first."""


def disagreement(
    sources: Mapping[str, Sequence[Preference]],
    *,
    clashes: int = 10,
    rounds: int = 2000,
    seed: int = 0,
) -> Disagreement:
    """Hold each two sources beside each other on the pairs that both labelled.

    Pairs are the same where prompt and replies are, whatever they are called.

    Args:
        sources: each one's labels, by its name.
        clashes: the most pairs to show.
        rounds: of the bootstrap, by prompt.
        seed: of the bootstrap.

    Raises:
        InputError: for fewer than two sources, or sources that share no pair.
    """
    if len(sources) < 2:
        raise InputError(f"one source alone, {', '.join(sources)}; name another file beside it")
    said = {name: _by_pair(labels) for name, labels in sources.items()}
    twos = list(combinations(said, 2))
    beside = [_beside((a, said[a]), (b, said[b]), rounds, seed) for a, b in twos]
    if not any(row.shared for row in beside):
        counts = ", ".join(f"{name} {len(rows):,}" for name, rows in said.items())
        raise InputError(f"no pair is in two sources ({counts}); the texts must be the same")
    found = [clash for a, b in twos for clash in _clashes(sources, (a, said[a]), (b, said[b]))]
    found.sort(key=lambda clash: -clash.apart)
    return Disagreement(
        labels={name: len(labels) for name, labels in sources.items()},
        beside=tuple(beside),
        clashes=tuple(found[:clashes]),
    )


def sheets(found: Disagreement) -> Iterator[Sheet]:
    """Lay a disagreement out as tables."""
    head = ["", "agree", "κ", "agreed", "disagreed", "ties", "shared", "apart"]
    rows = [
        [
            f"{row.one} – {row.other}",
            whole(row.agree, 3),
            whole(row.kappa),
            f"{row.agreed:,}",
            f"{row.disagreed:,}",
            f"{row.ties:,}",
            f"{row.shared:,}",
            figure(row.apart) if row.shared else "–",
        ]
        for row in found.beside
    ]
    counts = ", ".join(f"{name} {count:,}" for name, count in found.labels.items())
    notes = (f"labels: {counts}", "apart: the mean distance of the two probabilities")
    yield Sheet("Sources on the pairs that both labelled", head, rows, notes)
    if found.clashes:
        each = [
            [figure(one.apart), _short(one.prompt), "; ".join(_told(one))] for one in found.clashes
        ]
        yield Sheet("Labelled the other way round", ["apart", "prompt", "who prefers what"], each)


def _by_pair(labels: Sequence[Preference]) -> dict[Key, float]:
    """Give each pair's probability that the text first in the alphabet is the better one.

    Several labels of one source, such as several people's, count as their mean.
    """
    each: dict[Key, list[float]] = {}
    for label in labels:
        key, p_first = _placed(label)
        each.setdefault(key, []).append(p_first)
    return {key: sum(found) / len(found) for key, found in each.items()}


def _placed(label: Preference) -> tuple[Key, float]:
    first, second = sorted((label.chosen.text, label.rejected.text))
    p_first = label.p_chosen if first == label.chosen.text else 1.0 - label.p_chosen
    return (label.prompt.text, first, second), p_first


def _beside(
    one: tuple[str, Mapping[Key, float]],
    other: tuple[str, Mapping[Key, float]],
    rounds: int,
    seed: int,
) -> Beside:
    shared = [key for key in one[1] if key in other[1]]
    ours = np.array([one[1][key] for key in shared])
    theirs = np.array([other[1][key] for key in shared])
    draws = Draws([key[0] for key in shared], rounds=rounds, seed=seed)
    decided = (ours != 0.5) & (theirs != 0.5)
    same = decided & ((ours > 0.5) == (theirs > 0.5))
    codes = [np.where(decided, p < 0.5, -1).astype(int) for p in (ours, theirs)]
    return Beside(
        one=one[0],
        other=other[0],
        shared=len(shared),
        agree=draws.interval(np.stack([same, decided], axis=1), ratio) if decided.any() else None,
        agreed=int(same.sum()),
        disagreed=int((decided & ~same).sum()),
        ties=int((~decided).sum()),
        kappa=cohen_kappa(codes[0], codes[1], 2, draws) if decided.any() else None,
        apart=float(np.abs(ours - theirs).mean()) if shared else 0.0,
    )


def _clashes(
    sources: Mapping[str, Sequence[Preference]],
    one: tuple[str, Mapping[Key, float]],
    other: tuple[str, Mapping[Key, float]],
) -> Iterator[Clash]:
    seen: set[Key] = set()
    for label in sources[one[0]]:
        key, _ = _placed(label)
        if key not in other[1] or key in seen:
            continue
        seen.add(key)
        ours, theirs = one[1][key], other[1][key]
        if (ours - 0.5) * (theirs - 0.5) >= 0:
            continue
        said = {
            f"{name} ({max(p, 1 - p):.2f})": key[1] if p > 0.5 else key[2]
            for name, p in ((one[0], ours), (other[0], theirs))
        }
        yield Clash(prompt=key[0], said=said, apart=abs(ours - theirs))


def _told(clash: Clash) -> list[str]:
    return [f"{name}: {_short(text)}" for name, text in clash.said.items()]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
