"""A judge's report card as a page: what it is, what it learned from, and what was measured."""

from collections.abc import Mapping, Sequence

from pydantic import Field

from rlaif.embedded.heldout import held_out, trained_traits
from rlaif.evaluation.audit.calibration import Bin
from rlaif.experiment.judge_marks import PEOPLE, Mark
from rlaif.judges.absolute import Calibration
from rlaif.records import Record
from rlaif.training.judge_mean import MEAN


class Card(Record):
    """All that was measured of a judge."""

    marks: tuple[Mark, ...]
    calibration: Calibration
    reliability: tuple[Bin, ...] = ()
    """Of statements that are neither calibrated nor trained on."""
    weakest: dict[str, float] = Field(default_factory=dict)
    """The traits with the lowest AUC under known wordings."""
    trivial: dict[str, float] = Field(default_factory=dict)
    """How often judges that read nothing agree with people's pairs."""
    stages: dict[str, dict[str, float]] = Field(default_factory=dict)
    """The marks of the base alone, and of the adapter after a part of its training."""
    exam: dict[str, bool | int | None] = Field(default_factory=dict)
    """How much was asked, where it was otherwise than usual."""

    @property
    def questions(self) -> int:
        """All that its marks rest on."""
        return sum(each.count for each in self.marks)

    @property
    def is_short(self) -> bool:
        """Whether any figure falls short of its gate; they are judged one by one."""
        return any(each.is_short for each in self.marks)


def model_card(card: Card, *, training: list[dict[str, object]], base: str) -> str:
    """Write the model card."""
    runs = "".join(_told(run, number) for number, run in enumerate(training))
    short = "\n".join(
        f"- {m.name}: {m.value:.3f}, wanted {_bound(m)}" for m in card.marks if m.is_short
    )
    weakest = ", ".join(f"{trait} {area:.2f}" for trait, area in card.weakest.items())
    return _PAGE.format(
        base=base,
        marks=_marks(card.marks),
        short=short or "- nothing",
        weakest=weakest or "not known",
        people=_people(card),
        stages=_stages(card),
        options=_options(card.exam),
        reliability=_reliability(card.reliability),
        settings=runs or "not known",
        count=len(trained_traits()),
        traits=", ".join(sorted(held_out().traits)),
        bias=card.calibration.bias,
        temperature=card.calibration.temperature,
    )


def _told(run: dict[str, object], number: int) -> str:
    """Tell a training's settings, or what share of which stages its mean is."""
    if isinstance(shares := run.get(MEAN), dict):
        told = "the mean of " + " and ".join(f"{k} ({v:.0%})" for k, v in shares.items())
        return f"; then {told}" if number else told
    told = ", ".join(f"{key} {value}" for key, value in run.items())
    return f"; then, going on from that, {told}" if number else told


def _options(exam: Mapping[str, bool | int | None]) -> str:
    """Write how much was asked as options of `rlaif embedded evaluate`."""
    return "".join(
        f" --{name.replace('_', '-')}{'' if value is True else f' {value}'}"
        for name, value in exam.items()
    )


def _bound(mark: Mark) -> str:
    return f"{'≤' if mark.is_low_good else '≥'} {mark.gate:.3g}"


def _marks(marks: Sequence[Mark]) -> str:
    return "\n".join(
        f"| {m.name} | {m.value:.3f} | {m.low:.3f} to {m.high:.3f} | {_bound(m)} | {m.aim:.3g} "
        f"| {m.count:,} | {'short' if m.is_short else 'ok'} |"
        for m in marks
    )


def _people(card: Card) -> str:
    if not card.trivial:
        return "People's judgements were not at hand when this was measured."
    beside = ", ".join(f"{name} {share:.3f}" for name, share in card.trivial.items())
    close = any(
        m.name == PEOPLE and m.value >= m.gate and m.low < m.gate <= m.high for m in card.marks
    )
    return (
        "People's harmless pairs, kept aside, have judges beside them that read nothing: "
        f"{beside}. The gate is the better of the two"
        + ("; the interval holds it, so that no more than that may be so." if close else ".")
    )


def _stages(card: Card) -> str:
    if not card.stages:
        return "Not measured."
    names = list(dict.fromkeys(name for figures in card.stages.values() for name in figures))
    head = f"| what | {' | '.join(card.stages)} |\n|---|{'---|' * len(card.stages)}"
    rows = [
        f"| {name} | "
        + " | ".join(
            f"{figures[name]:.3f}" if name in figures else "" for figures in card.stages.values()
        )
        + " |"
        for name in names
    ]
    return "\n".join([head, *rows])


def _reliability(bins: Sequence[Bin]) -> str:
    rows = [
        f"| {b.low:.2f} to {b.high:.2f} | {b.said:.2f} | {b.right.value:.2f} "
        f"({b.right.low:.2f} to {b.right.high:.2f}) | {b.labels:,} |"
        for b in bins
        if b.said is not None and b.right is not None
    ]
    return "\n".join(["| probability | said | right | statements |", "|---|---|---|---|", *rows])


_PAGE = """---
base_model: {base}
library_name: peft
license: apache-2.0
---

# A judge for any principle, small

A LoRA adapter for {base} that says of a reply whether a statement about it is true, Yes or No;
which of two replies fits a principle better, A or B; and, which is not measured here, how well one
does, from 1 to 10. `rlaif embedded train` made it, `rlaif embedded evaluate{options}` measured it.

**What it is for.** The whole loop of rlaif on a laptop, with no key and no network: learning the
method, trying a constitution, tests. For data that matters, take a larger judge. Whether it can be
trusted on a principle of yours, `rlaif constitution try` says from the principle's examples.

**What it learned from.** Replies of the base itself under many system prompts, refusals, edits of
them all, and minimal pairs, with statements about {count} traits that code checks
(`rlaif/embedded/traits`); and, read where they lay and not copied, people's judgements: HH-RLHF
harmlessness pairs (MIT), rule-based rewards propositions (MIT), moderation categories (MIT), the
Model Spec's examples (CC0), DICES ratings as probabilities (CC-BY-4.0). Apache-2.0, as the base is.

**Settings.** {settings}

**Measured** on replies to prompts it never saw, as many true statements as false, a mean over
traits; intervals of 95 % draw traits, pairs or replies. Where few of the drawn replies have a
trait, or few lack it, edits of them make up what is missing:

| what | value | interval | gate | aim | rests on | |
|---|---|---|---|---|---|---|
{marks}

{people} Revisions measure who writes them, too: the adapter for that, where there is one.

Short of its gate:
{short}

Weakest traits under known wordings, by AUC: {weakest}.

Never trained: {traits}.

**After parts of its training**, all traits at once, on fewer statements:

{stages}

**Calibration**, fitted on other held-out prompts: log-odds minus {bias}, divided by {temperature}.
What it then says, and how often it is right:

{reliability}
"""
