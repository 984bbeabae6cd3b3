"""A judge's audit: everything that its labels tell of how far to trust it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from rlaif.constitution.principle import Constitution
from rlaif.errors import InputError
from rlaif.evaluation.audit.calibration import Reliability, reliability
from rlaif.evaluation.audit.kin import Kin, kin
from rlaif.evaluation.audit.lengths import FEWEST, Lengths, Rate, lengths, log_ratio, rate
from rlaif.evaluation.audit.principles import Coverage, Pairing, coverage, pairings
from rlaif.evaluation.audit.repeats import Stability, between_runs, within_run
from rlaif.evaluation.audit.slots import Slots, slots
from rlaif.evaluation.intervals import Draws, Interval, wilson
from rlaif.evaluation.labelled import Labelled
from rlaif.feedback.people import Rated, texts_of
from rlaif.records import Abstention, Choice, Preference, Record


class Kept(Record):
    """Abstentions of one kind."""

    kind: str
    count: int
    share: Interval
    """Of all comparisons (or of all questions to principles)."""
    example: str


class Audit(Record):
    """What labels tell of the judge that made them; a part is None where they cannot tell."""

    judge: str
    labelled: int
    comparisons: int
    """Labels and abstentions."""
    prompts: int
    people: int
    """Labels of pairs that people judged too."""
    slots: Slots | None
    lengths: Lengths
    kin: Kin | None
    repeats: Stability | None
    """Repeats within the run."""
    again: Stability | None
    """Another run of the same pairs."""
    reliability: Reliability | None
    abstained: tuple[Kept, ...]
    """Comparisons without a label, by kind."""
    silent: tuple[Kept, ...]
    """Principles without an answer in comparisons that the others decided, by kind."""
    principles: tuple[Coverage, ...]
    pairings: tuple[Pairing, ...]
    despite: tuple[str, ...]
    """Requirements that the judge fell short of, and the labels were made all the same."""


def audit(
    labelled: Labelled,
    *,
    people: Sequence[Rated] = (),
    constitution: Constitution | None = None,
    again: Labelled | None = None,
    families: Mapping[str, str] | None = None,
    rounds: int = 2000,
) -> Audit:
    """Audit a judge by its labels.

    Args:
        labelled: the labels and abstentions.
        people: what people said of the same pairs: for calibration, and beside which kin and
            length are read.
        constitution: what was judged by; without it all principles weigh alike.
        again: another run of the same pairs, for stability.
        families: the family of a model, by its name, where the name does not tell.
        rounds: of the bootstrap, clustered by prompt.
    """
    preferences, abstentions = labelled
    prompts = [row.prompt.id for row in preferences]
    draws = Draws(prompts, rounds=rounds)
    said = people_of(preferences, people)
    repeated = {row.id: row for row in again.preferences} if again else {}
    return Audit(
        judge=_judge(labelled),
        labelled=len(preferences),
        comparisons=len(preferences) + len(abstentions),
        prompts=len(set(prompts)),
        people=len(said),
        slots=slots(preferences, draws),
        lengths=lengths(preferences, draws, _rates(preferences, said, rounds)),
        kin=kin(preferences, said, families or {}, rounds=rounds),
        repeats=within_run(preferences, draws),
        again=between_runs(preferences, repeated, rounds=rounds),
        reliability=reliability(preferences, said, rounds=rounds),
        abstained=_kept(abstentions, len(preferences) + len(abstentions)),
        silent=_kept([a for row in preferences for a in row.abstained], _questions(preferences)),
        principles=tuple(coverage(preferences, abstentions, constitution, draws)),
        pairings=tuple(pairings(preferences, draws)),
        despite=tuple(dict.fromkeys(what for row in preferences for what in row.despite)),
    )


def people_of(preferences: Iterable[Preference], people: Iterable[Rated]) -> dict[str, Choice]:
    """Say what people said of each label's pair, the label's chosen reply as the first.

    Raises:
        InputError: where one id names two different pairs.
    """
    rated = {row.comparison.id: row for row in people}
    said: dict[str, Choice] = {}
    for label in preferences:
        row = rated.get(label.id)
        if row is None:
            continue
        if {label.chosen.text, label.rejected.text} != texts_of(row.comparison):
            raise InputError(f"{label.id}: the label is of another pair than the people's")
        is_first = row.comparison.first.text == label.chosen.text
        turned: dict[Choice, Choice] = {"first": "second", "second": "first", "tie": "tie"}
        said[label.id] = row.choice if is_first else turned[row.choice]
    return said


def _rates(
    preferences: Sequence[Preference], said: Mapping[str, Choice], rounds: int
) -> list[Rate]:
    """Give the rates that length may have made: agreement with people, author against author."""
    decided = [row for row in preferences if row.p_chosen > 0.5]
    judged = [row for row in decided if said.get(row.id, "tie") != "tie"]
    # Of the reply that people chose, against the other.
    hits = [said[row.id] == "first" for row in judged]
    rates = [_rate("agreement with people", judged, hits, rounds)] if judged else []
    by_authors: dict[tuple[str, str], list[Preference]] = defaultdict(list)
    for row in decided:
        one, other = sorted((row.chosen.author, row.rejected.author))
        if one != other:
            by_authors[one, other].append(row)
    for (one, other), rows in by_authors.items():
        if len(rows) >= FEWEST:
            wins = [row.chosen.author == one for row in rows]
            rates.append(_rate(f"{one} over {other}", rows, wins, rounds))
    return rates


def _rate(name: str, rows: Sequence[Preference], wins: Sequence[bool], rounds: int) -> Rate:
    """Give the rate at which a reply is chosen; `wins` says where it was."""
    ratios = [
        log_ratio(row.chosen, row.rejected) * (1 if won else -1)
        for row, won in zip(rows, wins, strict=True)
    ]
    return rate(name, wins, ratios, [row.prompt.id for row in rows], rounds=rounds)


def _judge(labelled: Labelled) -> str:
    names = [row.by for row in labelled.preferences] + [row.by for row in labelled.abstentions]
    return ", ".join(dict.fromkeys(names))


def _questions(preferences: Sequence[Preference]) -> int:
    return sum(len(row.verdicts) + len(row.abstained) for row in preferences)


def _kept(abstentions: Sequence[Abstention], total: int) -> tuple[Kept, ...]:
    counts = Counter(row.kind for row in abstentions)
    examples = {row.kind: row.detail for row in reversed(abstentions)}
    return tuple(
        Kept(kind=kind, count=count, share=wilson(count / total, total), example=examples[kind])
        for kind, count in counts.most_common()
    )
