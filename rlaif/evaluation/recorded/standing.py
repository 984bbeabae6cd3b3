"""How right recorded judges are and how steady, by our reading and by the recorded one."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from rlaif.errors import InputError
from rlaif.evaluation.intervals import Draws, Interval, ratio
from rlaif.evaluation.recorded.again import Again, Why, read_again
from rlaif.evaluation.recorded.llmbar import Recording, files_in, read_recording
from rlaif.records import Abstention, AbstentionKind, Choice, Record

ALL = "all"
_Parts = tuple[float, float]
_Orders = Mapping[bool, Again]


class Standing(Record):
    """One judge under one strategy, on one subset or on all together."""

    judge: str
    strategy: str
    subset: str
    pairs: int
    right: Interval | None
    """The share of answers that name the better output, both orders together; a tie counts half,
    an abstention not at all."""
    same: Interval | None
    """The share of pairs with the same output named in both orders, where both decided; none where
    outputs were scored by themselves."""
    unread: int
    """Answers that could not be read, of two a pair."""
    ties: int
    recorded_right: Interval | None
    """The same as recorded: what was not read counts as wrong."""
    recorded_same: Interval | None


class Difference(Record):
    """One reply that is read otherwise than recorded."""

    judge: str
    strategy: str
    pair: str
    round: int
    is_swapped: bool
    recorded: Choice | None
    """The winner, in the pair's own order; None where none was read."""
    ours: Choice | None
    kind: AbstentionKind | None
    """Why ours is none, where it is none."""
    why: Why


class Reread(Record):
    """A folder of recordings, read again."""

    files: int
    readings: int
    """Winners compared: two a pair and round."""
    unread_by_both: int
    standings: tuple[Standing, ...]
    differences: tuple[Difference, ...]


def reread(folder: Path, *, rounds: int = 2000) -> Reread:
    """Read every recording under a folder again; `rounds` are the bootstrap's.

    Raises:
        InputError: where there is none.
    """
    paths = files_in(folder)
    if not paths:
        raise InputError(f"{folder}: no recordings (SUBSET/evaluators/JUDGE/STRATEGY/result.json)")
    read = [(recording, read_again(recording)) for recording in map(read_recording, paths)]
    every = [again for _, found in read for again in found]
    return Reread(
        files=len(paths),
        readings=len(every),
        unread_by_both=sum(again.choice is again.recorded is None for again in every),
        standings=tuple(_standings(read, rounds)),
        differences=tuple(d for recording, found in read for d in _differences(recording, found)),
    )


def by_why(differences: Iterable[Difference]) -> Counter[Why]:
    """Count the differences by their reason."""
    return Counter(difference.why for difference in differences)


def _standings(read: Sequence[tuple[Recording, list[Again]]], rounds: int) -> Iterator[Standing]:
    grouped: dict[tuple[str, str, str], list[Again]] = {}
    for recording, found in read:
        for subset in (ALL, recording.subset):
            grouped.setdefault((recording.judge, recording.strategy, subset), []).extend(found)
    for key in sorted(grouped):
        yield standing(*key, grouped[key], rounds=rounds)


def standing(
    judge: str, strategy: str, subset: str, found: Iterable[Again], *, rounds: int = 2000
) -> Standing:
    """Sum up what a judge said last of each pair; intervals draw whole pairs."""
    pairs: dict[str, dict[bool, Again]] = {}
    for again in found:
        if again.is_last:
            pairs.setdefault(again.row.comparison.id, {})[again.is_swapped] = again
    draws = Draws(list(pairs), rounds=rounds)
    orders = list(pairs.values())
    ours = [again.choice for both in orders for again in both.values()]
    is_scored = any(again.row.rounds[-1].scores for both in orders for again in both.values())
    return Standing(
        judge=judge,
        strategy=strategy,
        subset=subset,
        pairs=len(pairs),
        right=draws.interval([_right(both) for both in orders], ratio),
        same=None if is_scored else draws.interval([_same(both) for both in orders], ratio),
        unread=ours.count(None),
        ties=ours.count("tie"),
        recorded_right=draws.interval([_recorded_right(both) for both in orders], ratio),
        recorded_same=draws.interval([_recorded_same(both) for both in orders], ratio),
    )


def _right(orders: _Orders) -> _Parts:
    said = [(again.choice, again.row.better) for again in orders.values() if again.choice]
    return sum(0.5 if ours == "tie" else ours == better for ours, better in said), len(said)


def _same(orders: _Orders) -> _Parts:
    first, second = (orders[is_swapped].choice for is_swapped in (False, True))
    decided = None not in (first, second) and "tie" not in (first, second)
    return float(decided and first == second), float(decided)


def _recorded_right(orders: _Orders) -> _Parts:
    return sum(again.recorded == again.row.better for again in orders.values()), len(orders)


def _recorded_same(orders: _Orders) -> _Parts:
    return float(orders[False].recorded == orders[True].recorded), 1.0


def _differences(recording: Recording, found: Iterable[Again]) -> Iterator[Difference]:
    for again in found:
        if again.why:
            silent = again.outcome if isinstance(again.outcome, Abstention) else None
            yield Difference(
                judge=recording.judge,
                strategy=recording.strategy,
                pair=again.row.comparison.id,
                round=again.round + 1,
                is_swapped=again.is_swapped,
                recorded=again.recorded,
                ours=again.choice,
                kind=silent.kind if silent else None,
                why=again.why,
            )
