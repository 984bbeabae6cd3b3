"""From comparisons to preferences: a judge's verdicts under a constitution, with provenance."""

from collections.abc import Iterable, Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from rlaif.constitution.principle import Constitution, Principle
from rlaif.judges.base import Case, Judge, Outcome
from rlaif.judges.principles import Choice, Draw, choose, weigh
from rlaif.records import (
    Abstention,
    Comparison,
    Preference,
    Record,
    Verdict,
    fingerprint_of,
)


class Require(Record):
    """What a judge must reach on a sample before the rest is labelled."""

    agreement: float | None = Field(default=None, ge=0.0, le=1.0)
    """It agrees with people, or with the constitution's own examples, this often at least."""
    same_slot: float | None = Field(default=None, ge=0.0, le=1.0)
    """Its two orders name the same slot, and so different replies, this often at most."""
    abstained: float | None = Field(default=None, ge=0.0, le=1.0)
    """It gives no usable answer this often at most."""
    sample: int = Field(default=50, ge=1)
    """So many comparisons are labelled first, drawn by the seed; their labels are kept."""
    people: str | None = None
    """What people said of pairs, to hold `agreement` against; the constitution's own examples
    where none is given."""

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.agreement is None and self.same_slot is None and self.abstained is None:
            raise ValueError("names no requirement: agreement, same_slot or abstained")
        return self


class LabelConfig(Record):
    """How comparisons are made and judged."""

    template: str = "absolute"
    """The prompt file that asks the judge: `absolute` asks about each reply, `compare` of both."""
    orders: Literal["both", "one"] = "both"
    """`both` shows each pair in both orders and averages; it matters for comparing templates."""
    principles: Choice = Draw()
    """`{draw: n}` judges each comparison by n drawn principles, `all` by every one in scope."""
    prompts: int = Field(default=0, ge=0)
    """The responses to this many prompts are compared, drawn by the seed; 0 compares all."""
    pairs: int = Field(default=0, ge=0)
    """Comparisons of each prompt's responses; 0 makes every pair."""
    samples: int = Field(default=0, ge=0)
    """Responses drawn anew from the fine-tuned policy; 0 judges those of `respond`."""
    min_confidence: float = Field(default=0.5, ge=0.5, le=1.0)
    """Pairs the judge is less sure of than this are left out, and counted."""
    require: Require | None = None
    """What a sample of labels must show before the rest is labelled."""


class _Open:
    """A comparison whose principles have not all answered yet."""

    def __init__(self, comparison: Comparison, principles: tuple[Principle, ...]) -> None:
        self.comparison = comparison
        self.principles = {principle.id: principle for principle in principles}
        self.verdicts: list[Verdict] = []
        self.abstained: list[Abstention] = []

    def hear(self, outcome: Outcome) -> bool:
        """Take one principle's answer; say whether it was the last."""
        if isinstance(outcome, Verdict):
            self.verdicts.append(outcome)
        else:
            self.abstained.append(outcome)
        return len(self.verdicts) + len(self.abstained) == len(self.principles)


def label(
    comparisons: Iterable[Comparison],
    constitution: Constitution,
    judge: Judge,
    config: LabelConfig = LabelConfig(),
    *,
    seed: int = 0,
) -> Iterator[Preference | Abstention]:
    """Judge comparisons by a constitution; each ends as one preference or one abstention.

    Lazy: comparisons are pulled as the judge has room, and outcomes come in completion order.
    """
    contract = contract_of(constitution, judge, config)
    settled: list[Abstention] = []
    waiting: dict[int, tuple[Case, _Open]] = {}

    def cases() -> Iterator[Case]:
        for comparison in comparisons:
            principles = choose(
                constitution, comparison.prompt, config.principles, f"{seed}:{comparison.id}"
            )
            needless = _needs_no_judge(comparison, principles, judge.name)
            if needless:
                settled.append(needless)
                continue
            opened = _Open(comparison, principles)
            for principle in principles:
                case = Case(comparison, principle)
                waiting[id(case)] = (case, opened)
                yield case

    for case, outcome in judge.decide(cases()):
        _, opened = waiting.pop(id(case))
        if opened.hear(outcome):
            yield _settle(opened, judge.name, constitution.fingerprint, contract, config)
        while settled:
            yield settled.pop()
    yield from settled


def contract_of(constitution: Constitution, judge: Judge, config: LabelConfig) -> str:
    """Stand for everything but the comparison that could change a label."""
    how = config.model_dump(mode="json", include={"principles", "min_confidence"})
    return fingerprint_of([constitution.fingerprint_of_rules, judge.contract, how])


def _needs_no_judge(
    comparison: Comparison, principles: tuple[Principle, ...], judge: str
) -> Abstention | None:
    if comparison.first.text.strip() == comparison.second.text.strip():
        return Abstention(
            kind="same", subject=comparison.id, by=judge, detail="both replies are the same text"
        )
    if not principles:
        tags = ", ".join(comparison.prompt.tags) or "no tag"
        detail = f"no principle applies to a prompt tagged {tags}"
        return Abstention(kind="no-principle", subject=comparison.id, by=judge, detail=detail)
    return None


def _settle(
    opened: _Open, judge: str, constitution: str, contract: str, config: LabelConfig
) -> Preference | Abstention:
    comparison = opened.comparison
    p_first = weigh(opened.verdicts, opened.principles)
    if p_first is None:
        return _nobody_answered(opened, judge)
    if max(p_first, 1 - p_first) < config.min_confidence:
        detail = f"p = {p_first:.3f}, and {config.min_confidence} was asked for"
        return Abstention(kind="unsure", subject=comparison.id, by=judge, detail=detail)
    first_wins = p_first >= 0.5
    order = {verdict: index for index, verdict in enumerate(opened.principles)}
    verdicts = sorted(opened.verdicts, key=lambda verdict: order[str(verdict.principle)])
    return Preference(
        id=comparison.id,
        prompt=comparison.prompt,
        chosen=comparison.first if first_wins else comparison.second,
        rejected=comparison.second if first_wins else comparison.first,
        p_chosen=max(p_first, 1 - p_first),
        source="judge",
        by=judge,
        verdicts=tuple(v if first_wins else v.swapped() for v in verdicts),
        abstained=tuple(opened.abstained),
        constitution=constitution,
        contract=contract,
        group=comparison.group,
    )


def _nobody_answered(opened: _Open, judge: str) -> Abstention:
    said = opened.abstained[0]
    if len(opened.abstained) == 1:
        return said.model_copy(update={"subject": opened.comparison.id})
    detail = "; ".join(f"{a.principle}: {a.kind}" for a in opened.abstained)
    return Abstention(kind="no-principle", subject=opened.comparison.id, by=judge, detail=detail)
