"""What a run's labels look like: how sure, what was left out, which principles decided."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rlaif.constitution.principle import Constitution, Principle
from rlaif.evaluation.intervals import Interval, wilson
from rlaif.evaluation.measures import length_of
from rlaif.records import Abstention, Preference, Revision, Verdict

BINS = 10


class Labels(NamedTuple):
    """The labels of a run, summed up."""

    labelled: int
    abstained: tuple[tuple[str, int, str], ...]
    """Kind, count, and one example's detail."""
    histogram: tuple[int, ...]
    """Labels by the probability of the chosen reply, in equal bins from 0.5 to 1."""
    asked_twice: int
    """Verdicts that were asked in both orders."""
    flipped: Interval | None
    """The share of those whose two orders named different replies."""
    lean: float | None
    """How much likelier a reply is said to be better when it is shown first, less when second."""
    longer: Interval | None
    """The share of labels, of replies of different length, where the longer one was chosen."""
    words_chosen: float
    words_rejected: float


class PrincipleUse(NamedTuple):
    """How one principle fared in the labels."""

    principle: Principle
    applied: int
    """Comparisons that it was asked about."""
    unanswered: int
    supported: int
    """Its own verdict named the reply that was chosen in the end."""
    opposed: int
    """Its own verdict named the other reply."""
    tied: int
    sureness: float | None
    """The mean probability of the reply that it preferred."""
    revised: int
    """Critiques made in its light."""


def sum_up(preferences: Sequence[Preference], abstentions: Iterable[Abstention]) -> Labels:
    """Sum labels and abstentions up."""
    verdicts = [verdict for preference in preferences for verdict in preference.verdicts]
    both = [verdict.evidence for verdict in verdicts if "flipped" in verdict.evidence]
    orders = [e for e in both if "p_forward" in e and "p_backward" in e]
    lengths = [(length_of(p.chosen.text), length_of(p.rejected.text)) for p in preferences]
    differing = [chosen > rejected for chosen, rejected in lengths if chosen != rejected]
    count = max(len(lengths), 1)
    return Labels(
        labelled=len(preferences),
        abstained=_by_kind(abstentions),
        histogram=_histogram(preferences),
        asked_twice=len(both),
        flipped=_share([bool(evidence["flipped"]) for evidence in both]),
        # p_forward and p_backward both speak of the first reply of the pair; it was shown first
        # in the one order and second in the other.
        lean=sum(e["p_forward"] - e["p_backward"] for e in orders) / len(orders)
        if orders
        else None,
        longer=_share(differing),
        words_chosen=sum(chosen for chosen, _ in lengths) / count,
        words_rejected=sum(rejected for _, rejected in lengths) / count,
    )


def use_of_principles(
    constitution: Constitution,
    preferences: Sequence[Preference],
    abstentions: Iterable[Abstention],
    revisions: Iterable[Revision] = (),
) -> list[PrincipleUse]:
    """Count, principle by principle, how often each applied, decided and was contradicted."""
    verdicts: dict[str, list[Verdict]] = {}
    silent: Counter[str | None] = Counter(abstention.principle for abstention in abstentions)
    for preference in preferences:
        silent.update(abstention.principle for abstention in preference.abstained)
        for verdict in preference.verdicts:
            verdicts.setdefault(str(verdict.principle), []).append(verdict)
    revised = Counter(critique.principle for row in revisions for critique in row.critiques)
    return [
        _use(principle, verdicts.get(principle.id, []), silent[principle.id], revised[principle.id])
        for principle in constitution.principles
    ]


def _use(
    principle: Principle, verdicts: Sequence[Verdict], unanswered: int, revised: int
) -> PrincipleUse:
    choices = Counter(verdict.choice for verdict in verdicts)
    sure = [max(verdict.p_first, 1 - verdict.p_first) for verdict in verdicts]
    return PrincipleUse(
        principle=principle,
        applied=len(verdicts) + unanswered,
        unanswered=unanswered,
        supported=choices["first"],
        opposed=choices["second"],
        tied=choices["tie"],
        sureness=sum(sure) / len(sure) if sure else None,
        revised=revised,
    )


def _by_kind(abstentions: Iterable[Abstention]) -> tuple[tuple[str, int, str], ...]:
    rows = list(abstentions)
    counts = Counter(row.kind for row in rows)
    examples = {row.kind: row.detail for row in reversed(rows)}
    return tuple((kind, count, examples[kind]) for kind, count in counts.most_common())


def _histogram(preferences: Iterable[Preference]) -> tuple[int, ...]:
    counts = [0] * BINS
    for preference in preferences:
        counts[min(int((preference.p_chosen - 0.5) * 2 * BINS), BINS - 1)] += 1
    return tuple(counts)


def _share(facts: Sequence[bool]) -> Interval | None:
    return wilson(sum(facts) / len(facts), len(facts)) if facts else None
