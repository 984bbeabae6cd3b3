"""A judge beside people, and beside judges too simple to be trusted, on the same pairs."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from rlaif.errors import InputError
from rlaif.evaluation.against import Against, against
from rlaif.evaluation.agreed import Agreed, Said, agreed, by_rule
from rlaif.evaluation.intervals import Draws
from rlaif.evaluation.raters import AmongPeople, among_people
from rlaif.evaluation.trivial import TRIVIAL
from rlaif.feedback.people import Rated, choice_in, texts_of
from rlaif.records import Abstention, Choice, Comparison, Preference, Record, Verdict

BAND = 0.05


class Agreement(Record):
    """A judge and the trivial ones, on the pairs that both it and people were asked about."""

    pairs: int
    prompts: int
    not_asked: int
    """People's pairs with neither a label nor an abstention of the judge."""
    abstained: dict[str, int]
    """Pairs the judge abstained on, by kind; in no share but `of_all`."""
    people_undecided: int
    """Pairs that people left open; nobody can agree with them, unless ties are answers."""
    band: float
    """How near to 0.5 the judge's probability is a tie, where ties are answers."""
    judge: Agreed
    variants: tuple[Agreed, ...]
    """The judge with pairs weighted, and with ties as answers."""
    trivial: tuple[Agreed, ...]
    principles: tuple[Agreed, ...]
    """Each principle's own verdicts."""
    tags: tuple[Agreed, ...]
    """The judge on the prompts with each tag."""
    people: tuple[AmongPeople, ...]
    """People among themselves, where pairs have several raters."""
    beside: tuple[Against, ...]
    """The judge beside another, and beside each trivial one, on the pairs that both decided."""


def agreement(  # noqa: PLR0913 (what is compared, and how)
    preferences: Iterable[Preference],
    people: Sequence[Rated],
    *,
    abstentions: Iterable[Abstention] = (),
    other: Iterable[Preference] | None = None,
    band: float = BAND,
    rounds: int = 2000,
    seed: int = 0,
) -> Agreement:
    """Compare a judge's labels with people's, pair by pair, matched by id.

    Args:
        preferences: the judge's labels.
        people: what people said of the same pairs.
        abstentions: what the judge gave no label for.
        other: another judge's labels, to be compared with these.
        band: how near to 0.5 is a tie, where ties are answers.
        rounds: of the bootstrap, clustered by prompt and the same for every figure.
        seed: of the bootstrap.

    Raises:
        InputError: where no pair has both, or one id names two different pairs.
    """
    labels = {preference.id: preference for preference in preferences}
    silent = {row.subject: row.kind for row in abstentions}
    rows = [row for row in people if row.comparison.id in {*labels, *silent}]
    if not any(row.comparison.id in labels for row in rows):
        raise InputError(_nothing(len(people), [silent[row.comparison.id] for row in rows]))
    beside = _Beside(rows, labels)
    draws = Draws(beside.prompts, rounds=rounds, seed=seed)
    judge = beside.judge(next(iter(labels.values())).by)
    trivial = [by_rule(n, rule, beside.comparisons, judge.asked) for n, rule in TRIVIAL.items()]
    others = trivial
    if other is not None:
        found = {preference.id: preference for preference in other}
        others = [_Beside(rows, found).judge(_name_of_other(found, judge.name)), *trivial]
    theirs = beside.people
    compared = [against(judge, each, theirs, draws) for each in others]
    near = beside.judge(judge.name, band)
    among = [
        among_people(rows, judge.choices, draws, ties=False),
        among_people(rows, near.choices, draws, ties=True),
    ]
    return Agreement(
        pairs=len(rows),
        prompts=len(set(beside.prompts)),
        not_asked=len(people) - len(rows),
        abstained=dict(Counter(silent[n] for n in beside.ids if n not in labels).most_common()),
        people_undecided=theirs.count("tie"),
        band=band,
        judge=agreed(judge, theirs, draws),
        variants=tuple(_variants(beside, judge, draws, band)),
        trivial=tuple(agreed(each, theirs, draws, among=judge.answered) for each in trivial),
        principles=tuple(agreed(each, theirs, draws) for each in beside.principles()),
        tags=tuple(agreed(each, theirs, draws) for each in beside.tags(judge)),
        people=tuple(each for each in among if each),
        beside=tuple(each for each in compared if each),
    )


def _nothing(people: int, kinds: Sequence[str]) -> str:
    if not kinds:
        return (
            f"none of the {people} pairs that people decided has a label; "
            "label the same file first, so that the ids are the same"
        )
    each = ", ".join(f"{count:,} {kind}" for kind, count in Counter(kinds).most_common())
    return f"the judge gave none of the {len(kinds):,} pairs a label: it abstained ({each})"


class _Beside:
    """People's pairs and one judge's labels of them, in one order."""

    def __init__(self, rows: Sequence[Rated], labels: Mapping[str, Preference]) -> None:
        self.comparisons = [row.comparison for row in rows]
        self.ids = [comparison.id for comparison in self.comparisons]
        self.prompts = [comparison.prompt.id for comparison in self.comparisons]
        self.people: list[Choice] = [row.choice for row in rows]
        self.labels = [_label_of(c, labels.get(c.id)) for c in self.comparisons]

    def judge(self, name: str, band: float = 0.0) -> Said:
        """Give the labels as choices; a probability within `band` of 0.5 is a tie."""
        pairs = zip(self.labels, self.comparisons, strict=True)
        choices = [_choice(label, comparison, band) for label, comparison in pairs]
        return Said(name, choices, np.ones(len(choices), dtype=bool))

    def principles(self) -> list[Said]:
        """Give each principle's own verdicts as choices, in the order of their first use."""
        used = [name for label in self.labels if label for name in _asked_of(label)]
        return [self._principle(name) for name in dict.fromkeys(used)]

    def _principle(self, name: str) -> Said:
        asked = [label is not None and name in _asked_of(label) for label in self.labels]
        choices = [
            _choice_of(name, label, comparison) if label else None
            for label, comparison in zip(self.labels, self.comparisons, strict=True)
        ]
        return Said(name, choices, np.array(asked, dtype=bool))

    def tags(self, judge: Said) -> list[Said]:
        """Give the judge's choices on the prompts of each tag."""
        tags = sorted({tag for comparison in self.comparisons for tag in comparison.prompt.tags})
        return [
            Said(tag, judge.choices, np.array([tag in c.prompt.tags for c in self.comparisons]))
            for tag in tags
        ]


def _variants(beside: _Beside, judge: Said, draws: Draws, band: float) -> Iterable[Agreed]:
    sure = np.array([2 * label.p_chosen - 1 if label else 0.0 for label in beside.labels])
    name = "… weighted by its sureness, |p − 0.5|"
    yield agreed(judge._replace(name=name), beside.people, draws, weights=sure)
    weights = np.array([label.weight if label else 0.0 for label in beside.labels])
    if len(set(weights[judge.answered])) > 1:
        name = "… weighted by the labels' weight"
        yield agreed(judge._replace(name=name), beside.people, draws, weights=weights)
    near = beside.judge(f"… with ties, p within {band:g} of 0.5", band)
    yield agreed(near, beside.people, draws, ties=True)


def _name_of_other(labels: Mapping[str, Preference], name: str) -> str:
    if not labels:
        raise InputError("--against: the file has no labels")
    by = next(iter(labels.values())).by
    return f"{by} (the other)" if by == name else by


def _label_of(comparison: Comparison, label: Preference | None) -> Preference | None:
    if label and {label.chosen.text, label.rejected.text} != texts_of(comparison):
        raise InputError(f"{comparison.id}: the label is of another pair than the people's")
    return label


def _choice(label: Preference | None, comparison: Comparison, band: float) -> Choice | None:
    if label is None:
        return None
    # Rounded, since 0.55 − 0.5 is a little more than 0.05.
    is_tie = round(label.p_chosen - 0.5, 9) <= band
    return "tie" if is_tie else choice_in(label, comparison)


def _asked_of(label: Preference) -> list[str]:
    """Name the principles that a label was asked about."""
    said = [verdict.principle for verdict in label.verdicts]
    silent = [abstention.principle for abstention in label.abstained]
    return [name for name in (*said, *silent) if name]


def _choice_of(name: str, label: Preference, comparison: Comparison) -> Choice | None:
    for verdict in label.verdicts:
        if verdict.principle == name:
            return _turned(verdict, label, comparison).choice
    return None


def _turned(verdict: Verdict, label: Preference, comparison: Comparison) -> Verdict:
    # A label's verdicts speak of its chosen reply as the first.
    return verdict if label.chosen.text == comparison.first.text else verdict.swapped()
