"""The reward model beside people, and the judge who labelled beside them, on the same pairs."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from rlaif.evaluation.against import Against, against
from rlaif.evaluation.agreed import Agreed, Said, agreed, by_rule
from rlaif.evaluation.intervals import Draws
from rlaif.evaluation.reward.scored import Pair, key_of
from rlaif.evaluation.trivial import TRIVIAL
from rlaif.feedback.people import Rated, Rating, choice_in
from rlaif.records import Choice, Comparison, Preference, Record


class WithPeople(Record):
    """What the model, the judge and trivial rules say of the pairs that people decided."""

    pairs: int
    prompts: int
    undecided: int
    """Pairs that people left open; nobody can agree with them."""
    model: Agreed
    judge: Agreed | None
    """The labels themselves, on the same pairs; none where people made the labels."""
    trivial: tuple[Agreed, ...]
    beside: tuple[Against, ...]
    """The model beside the judge and each rule, on the pairs that both decided."""


def with_people(
    pairs: Sequence[Pair], people: Sequence[Rated], name: str, *, rounds: int = 2000
) -> WithPeople | None:
    """Compare, pair by pair, by the conversation and the two texts; None where none is shared."""
    scored = {_key(pair.preference): pair for pair in pairs}
    judged = {_key(p.preference): p.preference for p in pairs if p.preference.source == "judge"}
    rows = [row for row in people if _key_of_question(row.comparison) in scored]
    if not rows:
        return None
    comparisons = [row.comparison for row in rows]
    theirs = [row.choice for row in rows]
    draws = Draws([comparison.prompt.text for comparison in comparisons], rounds=rounds)
    model = _said(name, comparisons, {key: pair.as_label(name) for key, pair in scored.items()})
    judge = _said(_name_of(judged.values()), comparisons, judged) if judged else None
    rules = [
        by_rule(rule, chooses, comparisons, model.asked)
        for rule, chooses in TRIVIAL.items()
        # A label's order is not the order in which anybody saw the two.
        if rule != "the reply shown first"
    ]
    others = [*([judge] if judge else []), *rules]
    compared = [against(model, other, theirs, draws) for other in others]
    return WithPeople(
        pairs=len(rows),
        prompts=len({comparison.prompt.text for comparison in comparisons}),
        undecided=theirs.count("tie"),
        model=agreed(model, theirs, draws),
        judge=agreed(judge, theirs, draws) if judge else None,
        trivial=tuple(agreed(rule, theirs, draws) for rule in rules),
        beside=tuple(each for each in compared if each),
    )


def people_in(pairs: Iterable[Pair]) -> list[Rated]:
    """Find people's labels among the rows, of pairs that a judge labelled too."""
    judged: set[str] = set()
    human: dict[str, list[Pair]] = {}
    for pair in pairs:
        key = _key(pair.preference)
        if pair.preference.source == "human":
            human.setdefault(key, []).append(pair)
        elif pair.preference.source == "judge":
            judged.add(key)
    return [_rated(rows) for key, rows in human.items() if key in judged]


def _rated(rows: Sequence[Pair]) -> Rated:
    question = rows[0].comparison
    ratings = (Rating(r.preference.by, choice_in(r.preference, question)) for r in rows)
    return Rated(question, tuple(ratings))


def _key(label: Preference) -> str:
    return key_of(label.prompt, label.chosen, label.rejected)


def _key_of_question(question: Comparison) -> str:
    return key_of(question.prompt, question.first, question.second)


def _said(name: str, comparisons: Sequence[Comparison], labels: Mapping[str, Preference]) -> Said:
    found = [labels.get(_key_of_question(comparison)) for comparison in comparisons]
    choices: list[Choice | None] = [
        choice_in(label, comparison) if label else None
        for label, comparison in zip(found, comparisons, strict=True)
    ]
    return Said(name, choices, np.array([label is not None for label in found], dtype=bool))


def _name_of(labels: Iterable[Preference]) -> str:
    names = dict.fromkeys(label.by for label in labels)
    return next(iter(names)) if len(names) == 1 else f"{len(names)} judges"
