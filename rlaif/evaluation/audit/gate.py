"""What a judge must reach before the rest is labelled, and what a sample shows of it."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from rlaif.evaluation.audit.slots import slots
from rlaif.evaluation.intervals import Draws, Interval, wilson
from rlaif.evaluation.principles import Trial
from rlaif.evaluation.sheet import between, figure, plain
from rlaif.records import Abstention, Preference, Record

if TYPE_CHECKING:
    from rlaif.evaluation.agreement import Agreement

Requirement = Literal["agreement", "same_slot", "abstained"]

_ADVICE: dict[Requirement, str] = {
    "agreement": "reword the principles it gets wrong (`rlaif constitution try` shows which), ask "
    "all of them (`principles: all`), or name a stronger judge",
    "same_slot": "let it judge each reply alone (`template: absolute`), or name a stronger judge",
    "abstained": "look at the reasons in abstentions.jsonl",
}
_BY_KIND = {
    "backend": "the backend fails: check the server, the key and the model's name",
    "timeout": "the backend is too slow: raise `timeout`, or lower `in_flight`",
    "no-logprobs": "the server gives no log-probabilities: use a prompt file that reads a letter",
    "no-mass": "the judge answers with something else than the options: see `rlaif template show`",
    "unreadable": "its answers name no option: see `rlaif template show`",
    "ambiguous": "its answers name several options: see `rlaif template show`",
    "refused": "it declines to judge: tell it in the prompt file why it is asked, or name another",
}
_UNKNOWN = "nothing to measure it on"


class Checked(Record):
    """One requirement, and what was measured."""

    requirement: Requirement
    wanted: float
    measured: Interval | None
    """None where it could not be measured, which does not pass."""
    on: str
    """What it was measured on."""
    advice: str = ""
    """What to change where it falls short."""

    @property
    def is_met(self) -> bool:
        """Say whether the figure itself, not its interval, reaches what is wanted."""
        if self.measured is None:
            return False
        if self.requirement == "agreement":
            return self.measured.value >= self.wanted
        return self.measured.value <= self.wanted

    @property
    def shortfall(self) -> str:
        """Write what fell short, as it is stamped on preferences.

        >>> low = Interval(value=0.55, low=0.4, high=0.7)
        >>> Checked(requirement="agreement", wanted=0.7, measured=low, on="").shortfall
        'agreement 0.55 < 0.7'
        """
        if self.measured is None:
            return f"{self.requirement} not measured"
        sign = "<" if self.requirement == "agreement" else ">"
        return f"{self.requirement} {figure(self.measured.value)} {sign} {self.wanted:g}"

    @property
    def bound(self) -> str:
        """Write what is wanted."""
        return f"{'≥' if self.requirement == 'agreement' else '≤'} {self.wanted:g}"


class Gate(Record):
    """A judge at the gate."""

    judge: str
    rows: tuple[Checked, ...]

    @property
    def short(self) -> tuple[Checked, ...]:
        """Give what falls short."""
        return tuple(row for row in self.rows if not row.is_met)

    @property
    def despite(self) -> tuple[str, ...]:
        """Give what preferences are stamped with where they are labelled all the same."""
        return tuple(row.shortfall for row in self.short)

    @property
    def table(self) -> str:
        """Write the requirements as lines of text."""
        rows = [
            [row.requirement, row.bound, _told(row), between(row.measured), row.on]
            for row in self.rows
        ]
        return plain(["", "wanted", "measured", "95 % interval", "measured on"], rows)

    @property
    def advice(self) -> tuple[str, ...]:
        """Say what to change."""
        return tuple(f"{row.requirement}: {row.advice}" for row in self.short)


def _told(row: Checked) -> str:
    told = figure(row.measured.value if row.measured else None)
    return told if row.is_met else f"{told} ✗"


class Sample(NamedTuple):
    """A sample of comparisons, labelled."""

    asked: int
    """Comparisons put to the judge: two different replies, and a principle in scope."""
    preferences: Sequence[Preference]
    abstentions: Sequence[Abstention]
    """The judge's own, of those that were asked."""


def check_slots(wanted: float, sample: Sample) -> Checked:
    """Check how often the two orders of the sample named the same slot."""
    found = slots(sample.preferences, Draws([row.prompt.id for row in sample.preferences]))
    advice = _ADVICE["same_slot"]
    if found is None:
        on, advice = _UNKNOWN, "ask both orders (`orders: both`), which alone can tell"
    elif found.same_slot is None:
        on = f"no verdict of {found.undecided:,} that was decided in both orders"
    elif found.asked:
        on = f"{found.asked:,} verdicts of the sample in both orders"
    else:
        on = "the sample, each reply judged alone"
    measured = found.same_slot if found else None
    return Checked(requirement="same_slot", wanted=wanted, measured=measured, on=on, advice=advice)


def check_abstained(wanted: float, sample: Sample) -> Checked:
    """Check how much of the sample got no usable answer."""
    count = len(sample.abstentions)
    measured = wilson(count / sample.asked, sample.asked) if sample.asked else None
    kinds = Counter(row.kind for row in sample.abstentions).most_common(1)
    most = _BY_KIND.get(kinds[0][0], f"most are {kinds[0][0]}") if kinds else ""
    return Checked(
        requirement="abstained",
        wanted=wanted,
        measured=measured,
        on=f"{sample.asked:,} comparisons of the sample" if sample.asked else _UNKNOWN,
        advice="; ".join(part for part in (most, _ADVICE["abstained"]) if part),
    )


def check_people(wanted: float, found: "Agreement | None", name: str) -> Checked:
    """Check agreement with people's labels; None where the judge decided none of them."""
    share = found.judge.share if found else None
    counted = found.judge.agreed + found.judge.disagreed if found else 0
    on = f"{counted:,} of {found.pairs if found else 0:,} pairs of {name}"
    return Checked(
        requirement="agreement",
        wanted=wanted,
        measured=share,
        on=on if share else f"{_UNKNOWN}: no pair of {name} got a label",
        advice=_ADVICE["agreement"],
    )


def check_examples(wanted: float, trials: Sequence[Trial]) -> Checked:
    """Check agreement with the constitution's own examples."""
    decided = [trial for trial in trials if trial.p_better not in (None, 0.5)]
    right = sum(trial.is_right for trial in decided)
    return Checked(
        requirement="agreement",
        wanted=wanted,
        measured=wilson(right / len(decided), len(decided)) if decided else None,
        on=f"{len(decided):,} of {len(trials):,} examples of the constitution",
        advice=_ADVICE["agreement"],
    )
