"""What people's choices say of a judge's own figures: a pair's temperature, the rules' weights."""

import statistics
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rlaif.constitution.principle import Constitution, Principle
from rlaif.errors import InputError
from rlaif.judges.absolute import Calibration
from rlaif.judges.fitting import Ranked, cross_entropy, fit_pair_temperature, fit_weights
from rlaif.judges.propositions import logit
from rlaif.records import Preference, Verdict


class Calibrated(NamedTuple):
    """A calibration with its pair temperature fitted, and what that is worth."""

    calibration: Calibration
    pairs: int
    before: float
    """The mean cross-entropy of people's choices under the verdicts as they were, in nats."""
    after: float


def calibrated(
    labels: Iterable[Preference], people: Sequence[Preference], before: Calibration
) -> Calibrated:
    """Fit how sure a judge of single replies may be of a pair, on what people chose of the same.

    Raises:
        InputError: where no label of such a judge has people's choice beside it.
    """
    rows = [
        (difference, logit(verdict.p_first), p)
        for label, p in _beside(labels, people)
        for verdict in label.verdicts
        if (difference := _difference(verdict)) is not None
    ]
    if not rows:
        raise InputError(
            "none of the labels has both a verdict about each reply by itself and people's "
            "choice; label the people's own file first, with `--template absolute` or `score`"
        )
    d, was, p = zip(*rows, strict=True)
    temperature = fit_pair_temperature(d, p)
    return Calibrated(
        before.model_copy(update={"pair_temperature": temperature}),
        len(rows),
        cross_entropy(was, p),
        cross_entropy(d, p, temperature),
    )


def _difference(verdict: Verdict) -> float | None:
    """Give the first reply's log-odds, or score, less the second's; None where both were seen."""
    told = verdict.evidence
    if "holds_first" in told:
        return logit(told["holds_first"]) - logit(told["holds_second"])
    return told["score_first"] - told["score_second"] if "score_first" in told else None


class Weighed(NamedTuple):
    """One principle with its propositions' weights fitted, and how often each version is right."""

    before: Principle
    after: Principle
    pairs: int
    right_before: float
    """The share of people's pairs that the propositions put in people's order."""
    right_after: float


def weighed(
    labels: Iterable[Preference], people: Sequence[Preference], constitution: Constitution
) -> list[Weighed]:
    """Fit the weights of every principle's propositions on what people chose, matched by id.

    Raises:
        InputError: where nothing can be fitted, or the labels were given to other words.
    """
    beside = [(label, p) for label, p in _beside(labels, people) if p != 0.5]
    made = [_weighed(rule, beside) for rule in constitution.principles if rule.propositions]
    found = [one for one in made if one]
    if not found:
        raise InputError(
            f"{constitution.name}: no label has both a verdict by a principle's propositions and "
            "people's choice; label the people's own file by this constitution first"
        )
    return found


def _weighed(rule: Principle, beside: Sequence[tuple[Preference, float]]) -> Weighed | None:
    rankings = [
        Ranked(features=_features(rule, verdict), rank=[0, 1] if p > 0.5 else [1, 0])
        for label, p in beside
        for verdict in label.verdicts
        if verdict.principle == rule.id and _is_by_propositions(rule, verdict, label)
    ]
    if not rankings:
        return None
    counted = [proposition for proposition in rule.propositions if proposition.weight]
    weights = [round(weight, 3) for weight in fit_weights(rankings)]
    if not any(weights):
        raise InputError(
            f"{rule.id}: people's choices speak against every proposition; look at their signs, "
            "and at whether the judge can tell them (`rlaif constitution try`)"
        )
    fitted = dict(zip((p.text for p in counted), weights, strict=True))
    propositions = tuple(
        p.model_copy(update={"weight": fitted.get(p.text, 0.0)}) for p in rule.propositions
    )
    return Weighed(
        rule,
        rule.model_copy(update={"propositions": propositions}),
        len(rankings),
        _right(rankings, [proposition.weight for proposition in counted]),
        _right(rankings, weights),
    )


def _is_by_propositions(rule: Principle, verdict: Verdict, label: Preference) -> bool:
    if verdict.wording != rule.fingerprint_of_wording:
        raise InputError(
            f"{rule.id}: worded otherwise than when {label.id!r} was judged by it; fit the "
            "constitution that the labels were made by"
        )
    return "yes_1_first" in verdict.evidence


def _features(rule: Principle, verdict: Verdict) -> list[list[float]]:
    signs = [proposition.sign for proposition in rule.propositions if proposition.weight]
    return [
        [sign * verdict.evidence[f"yes_{n}_{side}"] for n, sign in enumerate(signs, start=1)]
        for side in ("first", "second")
    ]


def _right(rankings: Sequence[Ranked], weights: Sequence[float]) -> float:
    """Give the share of pairs in the right order; a tie is half right."""
    points = 0.0
    for ranked in rankings:
        first, second = (
            sum(w * f for w, f in zip(weights, features, strict=True))
            for features in ranked.features
        )
        lead = first - second if ranked.rank[0] < ranked.rank[1] else second - first
        points += 0.5 if lead == 0 else float(lead > 0)
    return points / len(rankings)


def _beside(
    labels: Iterable[Preference], people: Sequence[Preference]
) -> Iterator[tuple[Preference, float]]:
    """Give each label that people chose in too, with their probability of its chosen reply.

    Several raters of one pair are averaged.
    """
    rows: dict[str, list[Preference]] = {}
    for row in people:
        rows.setdefault(row.id, []).append(row)
    for label in labels:
        if label.id in rows:
            yield label, statistics.fmean(_p_of(label, row) for row in rows[label.id])


def _p_of(label: Preference, row: Preference) -> float:
    pair = (label.chosen.text, label.rejected.text)
    if (row.chosen.text, row.rejected.text) == pair:
        return row.p_chosen
    if (row.rejected.text, row.chosen.text) == pair:
        return 1 - row.p_chosen
    raise InputError(f"the id {label.id!r} names two different pairs")
