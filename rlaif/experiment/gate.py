"""The gate before labelling: a sample first, and the rest only where the judge is good enough."""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rlaif.constitution.principle import Constitution
from rlaif.errors import GateError
from rlaif.evaluation.audit.gate import (
    Checked,
    Gate,
    Sample,
    check_abstained,
    check_examples,
    check_people,
    check_slots,
)
from rlaif.evaluation.principles import try_examples
from rlaif.experiment.outcomes import Outcomes, read_outcomes, read_preferences
from rlaif.experiment.progress import Watcher
from rlaif.feedback.label import Require
from rlaif.feedback.people import Rated, read_ratings
from rlaif.judges.base import Judge
from rlaif.records import Abstention, Comparison, Preference
from rlaif.storage import write_atomically, write_records

if TYPE_CHECKING:
    from rlaif.evaluation.agreement import Agreement

Item = TypeVar("Item")
Labeller = Callable[[Iterable[Comparison]], Iterator[Preference | Abstention]]


@dataclass(frozen=True)
class Gatekeeper:
    """What is required, and who can be asked."""

    require: Require
    constitution: Constitution
    judge: Judge
    label: Labeller
    """Labels comparisons as the stage does."""
    people: Path | None = None
    """What people said of pairs; the constitution's examples stand in where there is none."""
    seed: int = 0
    is_anyway: bool = False
    """Whether a judge that falls short labels all the same."""

    def admit(
        self, comparisons: Sequence[Comparison], folder: Path, watcher: Watcher
    ) -> tuple[str, ...]:
        """Label a sample into the stage's own journals and check it.

        Returns:
            What the judge fell short of, to be stamped on every preference; nothing where it
            passed.

        Raises:
            GateError: where it falls short, with the table and what to change.
        """
        drawn = _draw(comparisons, self.require.sample, f"gate {self.seed}")
        with Outcomes(folder, Preference, "preferences") as outcomes:
            left = [comparison for comparison in drawn if comparison.id not in outcomes.seen]
            outcomes.keep(self.label(left), watcher, "label: sample", len(drawn))
        gate = Gate(judge=self.judge.name, rows=tuple(self._check(self._sample(drawn, folder))))
        write_atomically(folder / "gate.json", gate.model_dump_json(indent=1))
        watcher.end(", ".join(f"{r.requirement} {'met' if r.is_met else '✗'}" for r in gate.rows))
        if gate.short and not self.is_anyway:
            raise GateError(_stopped(gate, len(drawn), folder))
        _stamp(folder, gate.despite)
        return gate.despite

    def _sample(self, drawn: Sequence[Comparison], folder: Path) -> Sample:
        asked = {c.id for c in drawn if self._is_asked(c)}
        silent = read_outcomes(folder, "abstentions", Abstention, lambda row: row.subject)
        return Sample(
            asked=len(asked),
            preferences=[row for row in read_preferences(folder) if row.id in asked],
            # A label that is less sure than was asked for is an answer all the same.
            abstentions=[r for r in silent if r.subject in asked and r.kind != "unsure"],
        )

    def _is_asked(self, comparison: Comparison) -> bool:
        if comparison.first.text.strip() == comparison.second.text.strip():
            return False
        return any(p.applies_to(comparison.prompt.tags) for p in self.constitution.principles)

    def _check(self, sample: Sample) -> Iterator[Checked]:
        wanted = self.require
        if wanted.agreement is not None:
            yield self._agreement(wanted.agreement)
        if wanted.same_slot is not None:
            yield check_slots(wanted.same_slot, sample)
        if wanted.abstained is not None:
            yield check_abstained(wanted.abstained, sample)

    def _agreement(self, wanted: float) -> Checked:
        if self.people is None:
            return check_examples(wanted, try_examples(self.constitution, self.judge))
        rated = [row for row in read_ratings(self.people) if row.choice != "tie"]
        drawn = _draw(rated, self.require.sample, f"people {self.seed}")
        return check_people(wanted, self._with_people(drawn), self.people.name)

    def _with_people(self, rated: Sequence[Rated]) -> "Agreement | None":
        # scikit-learn takes seconds to load, which no mistake in a config should wait for.
        from rlaif.evaluation.agreement import agreement  # noqa: PLC0415

        outcomes = list(self.label(row.comparison for row in rated))
        labels = [row for row in outcomes if isinstance(row, Preference)]
        silent = [row for row in outcomes if isinstance(row, Abstention)]
        return agreement(labels, rated, abstentions=silent) if labels else None


def stamped(
    outcomes: Iterable[Preference | Abstention], despite: tuple[str, ...]
) -> Iterator[Preference | Abstention]:
    """Stamp preferences with what their judge fell short of."""
    for outcome in outcomes:
        is_label = isinstance(outcome, Preference)
        yield outcome.model_copy(update={"despite": despite}) if is_label else outcome


def _draw(items: Sequence[Item], count: int, seed: str) -> list[Item]:
    if len(items) <= count:
        return list(items)
    places = random.Random(seed).sample(range(len(items)), count)
    return [items[place] for place in sorted(places)]


def _stamp(folder: Path, despite: tuple[str, ...]) -> None:
    """Let the labels that are there already say the same as those to come."""
    rows = read_preferences(folder)
    if any(row.despite != despite for row in rows):
        stamps = (row.model_copy(update={"despite": despite}) for row in rows)
        write_records(folder / "preferences.jsonl", stamps)


def _stopped(gate: Gate, sample: int, folder: Path) -> str:
    return "\n".join(
        [
            f"{gate.judge}: falls short of what is required of it; {sample:,} comparisons are "
            f"labelled and kept in {folder}, the rest was not asked",
            gate.table,
            *gate.advice,
            "or go on with --anyway, which stamps every preference with what fell short",
        ]
    )
