"""How often a reward model prefers what the label prefers: in all, and row by row of a table."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rlaif.evaluation.intervals import Draws, Figures, Interval, ratio, wilson
from rlaif.evaluation.reward.scored import Pair, margins, prompts
from rlaif.evaluation.trivial import TRIVIAL
from rlaif.records import Preference, Record

By = Literal["source", "principle", "tag", "confidence"]
_EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_SHOWN_FIRST = "the reply shown first"  # says nothing here: rewards are given one reply at a time


class Accuracy(Record):
    """How often the model prefers what the label prefers; equal rewards count half."""

    name: str
    pairs: int
    """Decided labels: ties have no right side."""
    prompts: int
    share: Interval
    """Wilson's interval, one observation a prompt."""


class Group(Record):
    """The accuracy on the pairs that have something in common."""

    by: By
    accuracy: Accuracy
    own: Accuracy | None = None
    """Of a principle: how often the model prefers what the principle's own verdict names, which
    is not the label where several principles were weighed together."""
    is_read: bool = False
    """Whether `own` is by the model's score under that principle, which it reads first."""


class Beside(Record):
    """A rule that reads nothing, on the same pairs."""

    accuracy: Accuracy
    ahead: Interval | None
    """How much more of the pairs the model gets right (paired, whole prompts drawn)."""


class Gap(Record):
    """What the model knows of the pairs that it was trained on, beside those it never saw."""

    train: Accuracy
    accuracy: Interval | None
    """Accuracy on the training pairs less that on the held-out ones."""
    loss: Interval | None
    """Held-out loss less the training pairs'."""


def accuracy(name: str, pairs: Sequence[Pair]) -> Accuracy | None:
    """Give the accuracy on the decided pairs; None where there are none."""
    decided = [pair for pair in pairs if pair.is_decided]
    return _accuracy(name, [pair.right for pair in decided], prompts(decided))


def _accuracy(name: str, right: Sequence[float], of: Sequence[str]) -> Accuracy | None:
    if not right:
        return None
    # A prompt's pairs are not independent, so a prompt is one observation.
    count = len(set(of))
    return Accuracy(
        name=name,
        pairs=len(right),
        prompts=count,
        share=wilson(sum(right) / len(right), count),
    )


def losses(pairs: Sequence[Pair]) -> Figures:
    """Give each pair's cross-entropy of σ(Δr) with the label's probability, in nats.

    L = −[p · log σ(Δr) + (1 − p) · log σ(−Δr)]
    """
    gaps = margins(pairs)
    p = np.array([pair.preference.p_chosen for pair in pairs])
    # log σ(x) = −log(1 + e^−x), without overflow.
    return np.asarray(p * np.logaddexp(0, -gaps) + (1 - p) * np.logaddexp(0, gaps))


def loss(pairs: Sequence[Pair], draws: Draws) -> Interval | None:
    """Give the mean loss of all pairs, ties too."""
    return draws.interval(np.stack([losses(pairs), np.ones(len(pairs))], axis=1), ratio)


def groups(pairs: Sequence[Pair]) -> list[Group]:
    """Give the accuracy by source, principle, tag and label confidence, in that order."""
    return [
        *_grouped("source", pairs, _source),
        *_principles(pairs),
        *_grouped("tag", pairs, lambda label: label.prompt.tags),
        *sorted(_grouped("confidence", pairs, _confidence), key=lambda group: group.accuracy.name),
    ]


def _grouped(
    by: By, pairs: Sequence[Pair], names_of: Callable[[Preference], Sequence[str]]
) -> Iterator[Group]:
    inside: dict[str, list[Pair]] = {}
    for pair in pairs:
        for name in dict.fromkeys(names_of(pair.preference)):
            inside.setdefault(name, []).append(pair)
    for name in sorted(inside, key=lambda name: -len(inside[name])):
        if found := accuracy(name, inside[name]):
            yield Group(by=by, accuracy=found)


def _principles(pairs: Sequence[Pair]) -> Iterator[Group]:
    for group in _grouped("principle", pairs, lambda label: _principles_of(label)):
        name = group.accuracy.name
        own = [
            (verdict.choice, pair)
            for pair in pairs
            for verdict in pair.preference.verdicts
            if verdict.principle == name and verdict.choice != "tie"
        ]
        under = [pair.right_under(name) for _, pair in own]
        right = [
            its if side == "first" else 1 - its for its, (side, _) in zip(under, own, strict=True)
        ]
        yield group.model_copy(
            update={
                "own": _accuracy(name, right, prompts([pair for _, pair in own])),
                "is_read": any(name in pair.under for _, pair in own),
            }
        )


def _principles_of(label: Preference) -> list[str]:
    return [verdict.principle for verdict in label.verdicts if verdict.principle]


def _source(label: Preference) -> Sequence[str]:
    # People are too many to be rows of a table; judges are few, and not alike.
    return (f"{label.source}: {label.by}" if label.source == "judge" else label.source,)


def _confidence(label: Preference) -> Sequence[str]:
    place = int(np.searchsorted(_EDGES[1:-1], label.p_chosen, side="right"))
    return (f"p {_EDGES[place]:g} to {_EDGES[place + 1]:g}",)


def beside_rules(pairs: Sequence[Pair], *, rounds: int) -> list[Beside]:
    """Hold the model against rules that read nothing, such as the shorter reply."""
    decided = [pair for pair in pairs if pair.is_decided]
    if not decided:
        return []
    of = prompts(decided)
    draws, one = Draws(of, rounds=rounds), np.ones(len(decided))
    its = np.array([pair.right for pair in decided])
    found = []
    for name in TRIVIAL:
        if name == _SHOWN_FIRST:
            continue
        rule = [pair.by_rule(name) for pair in decided]
        if told := _accuracy(name, rule, of):
            ahead = draws.interval(np.stack([its - rule, one], axis=1), ratio)
            found.append(Beside(accuracy=told, ahead=ahead))
    return found


def gap(train: Sequence[Pair], held_out: Sequence[Pair], *, rounds: int) -> Gap | None:
    """Say how much better the model knows what it was trained on; None without such pairs."""
    told = accuracy("train", train)
    if told is None:
        return None
    rows = [*train, *held_out]
    is_train = np.array([True] * len(train) + [False] * len(held_out))
    draws = Draws(prompts(rows), rounds=rounds)
    decided = np.array([pair.is_decided for pair in rows])
    right = np.array([pair.right for pair in rows])
    lost = losses(rows)
    return Gap(
        train=told,
        accuracy=draws.interval(_apart(right * decided, decided, is_train), _first_less_second),
        loss=draws.interval(_apart(-lost, np.ones(len(rows)), is_train), _first_less_second),
    )


def _apart(values: Figures, counted: Figures, is_train: NDArray[np.bool_]) -> Figures:
    parts = [values * is_train, counted * is_train, values * ~is_train, counted * ~is_train]
    return np.stack(parts, axis=1)


def _first_less_second(parts: Figures) -> Figures:
    return np.asarray(ratio(parts[:, :2]) - ratio(parts[:, 2:]))
