"""What each principle does in the labels: applies, decides, contradicts, repeats another."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from rlaif.constitution.principle import Constitution, Principle
from rlaif.evaluation.agreed import UNSAID, codes_of
from rlaif.evaluation.chance import Codes, cohen_kappa
from rlaif.evaluation.intervals import Draws, Interval, ratio
from rlaif.judges.principles import weigh
from rlaif.records import Abstention, Choice, Preference, Record, Verdict

REDUNDANT = 0.8
"""κ of two principles from which the one says nearly nothing that the other does not."""
FEWEST = 20
"""Pairs that two principles must both have decided before one is called redundant."""


class Coverage(Record):
    """One principle in the labels."""

    principle: str
    asked: int
    """Comparisons it was asked about."""
    applies: Interval | None
    """The share of all labelled comparisons that it was asked about."""
    unanswered: int
    decides: int
    """Labels that would name another reply, or none, without its verdict."""
    agrees: int
    """Verdicts that name the reply that was chosen in the end."""
    contradicts: int
    """Verdicts that name the other reply: it was outweighed."""
    tied: int
    beside: int
    """Decided verdicts that stand beside another principle's decided verdict."""
    contradicted: int
    """Of those, the ones where another principle names the other reply."""


class Pairing(Record):
    """Two principles on the comparisons that both decided."""

    one: str
    other: str
    pairs: int
    alike: Interval | None
    """How often they name the same reply."""
    kappa: Interval | None
    """Cohen's κ; none where it is not defined."""

    @property
    def is_redundant(self) -> bool:
        """Say whether the one says nearly nothing that the other does not."""
        return self.pairs >= FEWEST and self.kappa is not None and self.kappa.value >= REDUNDANT


def coverage(
    preferences: Sequence[Preference],
    abstentions: Iterable[Abstention],
    constitution: Constitution | None,
    draws: Draws,
) -> list[Coverage]:
    """Count what each principle does; without a constitution all principles weigh alike.

    Args:
        preferences: the labels.
        abstentions: comparisons without a label; one under a principle was asked about it.
        constitution: what was judged by.
        draws: of the labels' prompts.
    """
    silent: dict[str, int] = {}
    for row in abstentions:
        if row.principle:
            silent[row.principle] = silent.get(row.principle, 0) + 1
    rules = _rules(preferences, silent, constitution)
    return [_cover(name, preferences, silent.get(name, 0), rules, draws) for name in rules]


def pairings(preferences: Sequence[Preference], draws: Draws) -> list[Pairing]:
    """Compare every two principles that were asked about the same comparisons."""
    names = dict.fromkeys(str(v.principle) for row in preferences for v in row.verdicts)
    said = {name: _codes(name, preferences) for name in names}
    found = [_pairing(one, other, said, draws) for one, other in combinations(said, 2)]
    return [pairing for pairing in found if pairing.pairs]


def _rules(
    preferences: Sequence[Preference],
    silent: Mapping[str, int],
    constitution: Constitution | None,
) -> dict[str, Principle]:
    """Give every principle that was asked, those of the constitution first and in its order."""
    known = {rule.id: rule for rule in constitution.principles} if constitution else {}
    used = [name for row in preferences for name in _asked(row)]
    named = {name: Principle(id=name, text=name) for name in (*used, *silent)}
    return {**known, **{name: rule for name, rule in named.items() if name not in known}}


def _asked(row: Preference) -> list[str]:
    said = [verdict.principle for verdict in row.verdicts]
    silent = [abstention.principle for abstention in row.abstained]
    return [name for name in (*said, *silent) if name]


def _cover(
    name: str,
    preferences: Sequence[Preference],
    silent: int,
    rules: Mapping[str, Principle],
    draws: Draws,
) -> Coverage:
    asked = [name in _asked(row) for row in preferences]
    verdicts = [(row, v) for row in preferences for v in row.verdicts if v.principle == name]
    choices = [verdict.choice for _, verdict in verdicts]
    others = [_others(name, row) for row, verdict in verdicts if verdict.choice != "tie"]
    own = [choice for choice in choices if choice != "tie"]
    beside = [(choice, said) for choice, said in zip(own, others, strict=True) if said]
    return Coverage(
        principle=name,
        asked=sum(asked) + silent,
        applies=draws.interval([[each, 1.0] for each in asked], ratio) if asked else None,
        unanswered=sum(asked) - len(verdicts) + silent,
        decides=sum(_decides(name, row, rules) for row, _ in verdicts),
        agrees=choices.count("first"),
        contradicts=choices.count("second"),
        tied=choices.count("tie"),
        beside=len(beside),
        contradicted=sum(bool(said - {choice}) for choice, said in beside),
    )


def _others(name: str, row: Preference) -> set[Choice]:
    """Give what the other principles chose; ties are no choice."""
    return {v.choice for v in row.verdicts if v.principle != name} - {"tie"}


def _decides(name: str, row: Preference, rules: Mapping[str, Principle]) -> bool:
    if row.p_chosen == 0.5:
        return False
    without = weigh([v for v in row.verdicts if v.principle != name], rules)
    return without is None or without <= 0.5


def _codes(name: str, preferences: Sequence[Preference]) -> Codes:
    return codes_of([_choice(name, row) for row in preferences], ties=False)


def _choice(name: str, row: Preference) -> Choice | None:
    for verdict in row.verdicts:
        if verdict.principle == name:
            return _neutral(verdict, row).choice
    return None


def _neutral(verdict: Verdict, row: Preference) -> Verdict:
    """Say a verdict of the two replies in an order that does not depend on what was chosen.

    κ of verdicts that speak of the chosen reply first would be lowered by the choice itself.
    """
    chosen, rejected = (
        hashlib.sha256(f"{row.id}\0{reply.text}".encode()).digest()
        for reply in (row.chosen, row.rejected)
    )
    return verdict if chosen < rejected else verdict.swapped()


def _pairing(one: str, other: str, said: Mapping[str, Codes], draws: Draws) -> Pairing:
    first, second = said[one], said[other]
    both = (first != UNSAID) & (second != UNSAID)
    return Pairing(
        one=one,
        other=other,
        pairs=int(both.sum()),
        alike=draws.interval(np.stack([both & (first == second), both], axis=1), ratio),
        kappa=cohen_kappa(first, second, 2, draws),
    )
