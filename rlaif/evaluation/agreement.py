"""A judge beside people, and beside judges too simple to be trusted, on the same pairs."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from sklearn.metrics import cohen_kappa_score

from rlaif.embedded.traits import holds
from rlaif.errors import InputError
from rlaif.evaluation.intervals import Interval, bootstrap
from rlaif.evaluation.measures import length_of
from rlaif.feedback.importers import as_comparison
from rlaif.records import Comparison, Preference, Record

Slot = Literal["first", "second"]


class Agreed(Record):
    """How often one judge says what people say."""

    name: str
    share: Interval | None
    """Agreement among the pairs that it decided; none where it decided none."""
    kappa: float | None
    """Cohen's κ: agreement beyond what chance would give; none where it is not defined."""
    agreed: int
    disagreed: int
    undecided: int
    """Pairs it could not decide, in no share: a tie, or a rule that says nothing of them."""


class Agreement(Record):
    """A judge and the trivial ones, on the pairs that both it and people labelled."""

    pairs: int
    prompts: int
    unlabelled: int
    """People's pairs without a label of the judge: it abstained, or was not asked."""
    people_undecided: int
    """Pairs that people left open; nobody can agree with them."""
    judge: Agreed
    trivial: tuple[Agreed, ...]

    @property
    def head(self) -> list[str]:
        """Name the columns of `rows`."""
        return ["", "agrees", "95 % interval", "κ", "pairs", "undecided"]

    @property
    def rows(self) -> list[list[str]]:
        """Write the judge and the trivial ones as lines of a table."""
        return [_in_words(agreed) for agreed in (self.judge, *self.trivial)]

    @property
    def notes(self) -> list[str]:
        """Say what the table is of, and what is not in it."""
        told = f"{self.pairs:,} pairs of {self.prompts:,} prompts; intervals are by prompt"
        left = [
            (self.unlabelled, "pairs have no label of the judge"),
            (self.people_undecided, "pairs were left open by people"),
        ]
        return [told, *(f"{count:,} {what} and are left out" for count, what in left if count)]


def _in_words(agreed: Agreed) -> list[str]:
    share, kappa = agreed.share, agreed.kappa
    return [
        agreed.name,
        f"{share.value:.3f}" if share else "–",
        f"{share.low:.3f} to {share.high:.3f}" if share else "–",
        f"{kappa:.2f}" if kappa is not None else "–",
        f"{agreed.agreed + agreed.disagreed:,}",
        f"{agreed.undecided:,}",
    ]


class _Row(NamedTuple):
    comparison: Comparison
    people: Slot
    judge: Slot | None


def agreement(
    preferences: Iterable[Preference],
    people: Sequence[Preference],
    *,
    rounds: int = 2000,
    seed: int = 0,
) -> Agreement:
    """Compare a judge's labels with people's, pair by pair, matched by id.

    Args:
        preferences: the judge's labels.
        people: what people said of the same pairs.
        rounds: of the bootstrap, clustered by prompt.
        seed: which slot each response stood in, as `read_pairs` drew it.

    Raises:
        InputError: where no pair has both, or one id names two different pairs.
    """
    labels = {preference.id: preference for preference in preferences}
    decided = [row for row in people if row.p_chosen > 0.5]
    rows = [_row(row, labels[row.id], seed) for row in decided if row.id in labels]
    if not rows:
        raise InputError(
            f"none of the {len(decided)} pairs that people decided has a label; "
            "label the same file first, so that the ids are the same"
        )
    judge = next(iter(labels.values())).by
    return Agreement(
        pairs=len(rows),
        prompts=len({row.comparison.prompt.id for row in rows}),
        unlabelled=len(decided) - len(rows),
        people_undecided=len(people) - len(decided),
        judge=_agreed(judge, rows, [row.judge for row in rows], rounds),
        trivial=tuple(
            _agreed(name, rows, [rule(row.comparison) for row in rows], rounds)
            for name, rule in TRIVIAL.items()
        ),
    )


def _row(people: Preference, label: Preference, seed: int) -> _Row:
    texts = {people.chosen.text, people.rejected.text}
    if {label.chosen.text, label.rejected.text} != texts:
        raise InputError(f"{people.id}: the label is of another pair than the people's")
    comparison = as_comparison(people, seed=seed)
    judged: Slot | None = None
    if label.p_chosen > 0.5:
        judged = _slot_of(label.chosen.text, comparison)
    return _Row(comparison, _slot_of(people.chosen.text, comparison), judged)


def _slot_of(text: str, comparison: Comparison) -> Slot:
    return "first" if comparison.first.text == text else "second"


def _agreed(name: str, rows: Sequence[_Row], said: Sequence[Slot | None], rounds: int) -> Agreed:
    both = [(row, slot) for row, slot in zip(rows, said, strict=True) if slot]
    hits = [float(row.people == slot) for row, slot in both]
    prompts = [row.comparison.prompt.id for row, _ in both]
    return Agreed(
        name=name,
        share=bootstrap(hits, prompts, rounds=rounds) if hits else None,
        kappa=_kappa([row.people for row, _ in both], [slot for _, slot in both]),
        agreed=hits.count(1.0),
        disagreed=hits.count(0.0),
        undecided=len(rows) - len(both),
    )


def _kappa(people: Sequence[Slot], judge: Sequence[Slot]) -> float | None:
    # With one slot alone on both sides, chance agreement is whole and κ is 0/0.
    if len({*people, *judge}) < 2:
        return None
    return float(cohen_kappa_score(people, judge))


def _more(first: float, second: float) -> Slot | None:
    if first == second:
        return None
    return "first" if first > second else "second"


def _longer(comparison: Comparison) -> Slot | None:
    return _more(length_of(comparison.first.text), length_of(comparison.second.text))


def _shorter(comparison: Comparison) -> Slot | None:
    return _more(-length_of(comparison.first.text), -length_of(comparison.second.text))


def _refusing(comparison: Comparison) -> Slot | None:
    return _more(holds("refuses", comparison.first.text), holds("refuses", comparison.second.text))


TRIVIAL: dict[str, Callable[[Comparison], Slot | None]] = {
    "the longer reply": _longer,
    "the shorter reply": _shorter,
    "the reply shown first": lambda _: "first",
    "the reply that refuses": _refusing,
}
"""Judges that read nothing; a judge that is not above them is not to be trusted."""
