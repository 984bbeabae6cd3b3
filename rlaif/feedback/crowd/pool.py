"""Several people's answers about one item become a probability; crowd-kit does the inference."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

import pandas
from crowdkit.aggregation import MACE, DawidSkene, MajorityVote

from rlaif.errors import InputError
from rlaif.feedback.crowd.answer import Answer
from rlaif.feedback.people import Rated, Rating
from rlaif.records import Preference, Verdict
from rlaif.resources import did_you_mean

Method = Literal["majority", "dawid-skene", "mace"]
METHODS: tuple[Method, ...] = get_args(Method)
P_FIRST = {"first": 1.0, "tie": 0.5, "second": 0.0}
Shares = dict[str, dict[str, float]]
"""Of each item, the probability of each label."""
_STEPS = 100
_RESTARTS = 3


def parse_method(name: str) -> Method:
    """Read a method's name.

    Raises:
        InputError: for one that is not there.
    """
    for method in METHODS:
        if name == method:
            return method
    raise InputError(f"{name}: no way to pool answers{did_you_mean(name, list(METHODS))}")


def pooled(
    answers: Iterable[Answer],
    method: Method,
    *,
    gold: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Shares:
    """Give each item's labels a probability.

    Args:
        answers: who said what of which item.
        method: `majority` takes shares of the raters; `dawid-skene` (1979) learns each rater's
            confusions, `mace` (Hovy 2013) how often each spams, and how to weigh them.
        gold: right answers, for `dawid-skene` to learn raters by; the other two take none.
        seed: of MACE's restarts.
    """
    rows = [(answer.item, answer.rater, answer.label) for answer in answers]
    data = pandas.DataFrame(rows, columns=["task", "worker", "label"])
    if method == "majority":
        table = MajorityVote().fit_predict_proba(data)
    elif method == "mace":
        table = MACE(n_restarts=_RESTARTS, random_state=seed).fit_predict_proba(data)
    else:
        known = {item: label for item, label in (gold or {}).items() if item in set(data["task"])}
        truth = pandas.Series(known, dtype=object) if known else None
        table = DawidSkene(_STEPS).fit(data, truth).probas_
    shares = table.fillna(0.0).to_dict("index")
    return {str(item): {str(k): float(p) for k, p in row.items()} for item, row in shares.items()}


def likeliest(shares: Shares) -> dict[str, str | None]:
    """Give each item's likeliest label; None where two are as likely.

    >>> likeliest({"a": {"x": 0.7, "y": 0.3}, "b": {"x": 0.5, "y": 0.5}})
    {'a': 'x', 'b': None}
    """
    best = {item: Counter(row).most_common(2) for item, row in shares.items()}
    return {
        item: None if len(top) > 1 and top[0][1] - top[1][1] < 1e-9 else top[0][0]
        for item, top in best.items()
    }


def pooled_pairs(
    rated: Sequence[Rated],
    method: Method,
    *,
    gold: Mapping[str, str] | None = None,
    seed: int = 0,
) -> list[Preference]:
    """Make one label of each pair, whoever of a crowd judged it; each rater's answer stays on it.

    A tie counts half for either reply. One rater's pair is as sure as the method is of them.
    """
    answers = [
        Answer(pair.comparison.id, rating.rater, rating.choice)
        for pair in rated
        for rating in pair.ratings
    ]
    shares = pooled(answers, method, gold=gold, seed=seed)
    return [_label(pair, shares[pair.comparison.id], method) for pair in rated]


def _label(pair: Rated, shares: Mapping[str, float], method: Method) -> Preference:
    p_first = min(1.0, sum(P_FIRST[choice] * share for choice, share in shares.items()))
    shown = pair.comparison if p_first >= 0.5 else pair.comparison.swapped()
    is_turned = p_first < 0.5
    return Preference(
        id=shown.id,
        prompt=shown.prompt,
        chosen=shown.first,
        rejected=shown.second,
        p_chosen=1.0 - p_first if is_turned else p_first,
        source="human",
        by=pair.ratings[0].rater if len(pair.ratings) == 1 else f"{method} of {len(pair.ratings)}",
        verdicts=tuple(_verdict(rating, is_turned=is_turned) for rating in pair.ratings),
        group=shown.group,
    )


def _verdict(rating: Rating, *, is_turned: bool) -> Verdict:
    verdict = Verdict(p_first=P_FIRST[rating.choice], judge=rating.rater, read="label")
    return verdict.swapped() if is_turned else verdict
