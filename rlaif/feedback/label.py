"""From comparisons to preferences: a judge's verdicts under a constitution, with provenance."""

from collections.abc import Iterable, Iterator
from typing import Self

from pydantic import Field, model_validator

from rlaif.constitution.principle import Constitution
from rlaif.feedback.prompts import Share
from rlaif.judges.base import Judge
from rlaif.judges.compose import Judging
from rlaif.judges.principles import Asked, Choice, Draw, by_principles, choose
from rlaif.judges.scope import Conditions, Scope, in_scope
from rlaif.records import Abstention, Comparison, Preference, Record, fingerprint_of


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


class LabelConfig(Judging):
    """How comparisons are made and judged."""

    principles: Choice = Draw()
    """`{draw: n}` judges each comparison by n drawn principles and by every veto, `all` by every
    one in scope."""
    prompts: Share = 0
    """The responses to this many prompts are compared, drawn by the seed, or to so many with each
    of some tags: `{harmful: 40, benign: 20}`; 0 compares all."""
    pairs: int = Field(default=0, ge=0)
    """Comparisons of each prompt's responses; 0 makes every pair."""
    samples: int = Field(default=0, ge=0)
    """Responses drawn anew from the fine-tuned policy; 0 judges those of `respond`."""
    min_confidence: float = Field(default=0.5, ge=0.5, le=1.0)
    """Pairs the judge is less sure of than this are left out, and counted."""
    require: Require | None = None
    """What a sample of labels must show before the rest is labelled."""


def label(
    comparisons: Iterable[Comparison],
    constitution: Constitution,
    judge: Judge,
    config: LabelConfig = LabelConfig(),
    *,
    conditions: Conditions | None = None,
    seed: int = 0,
) -> Iterator[Preference | Abstention]:
    """Judge comparisons by a constitution; each ends as one preference or one abstention.

    Lazy: comparisons are pulled as the judge has room, and outcomes come in completion order.

    Args:
        comparisons: the questions.
        constitution: what is judged by.
        judge: who answers.
        config: which principles are asked, and how sure a label must be.
        conditions: who says whether a principle's `when` is true of a prompt; needed where the
            constitution has one.
        seed: what the draw of principles starts from, together with the comparison's own id.

    Raises:
        InputError: for a constitution with a `when`, and nobody to answer it.
    """
    contract = contract_of(constitution, judge, config, conditions)
    rules = constitution.fingerprint
    settled: list[Abstention] = []

    def different() -> Iterator[Comparison]:
        for comparison in comparisons:
            if comparison.first.text.strip() != comparison.second.text.strip():
                yield comparison
            else:
                settled.append(_same(comparison.id, judge.name))

    def asked() -> Iterator[Asked]:
        scoped = in_scope(different(), lambda c: c.prompt, constitution, conditions)
        for comparison, scope in scoped:
            if not scope.principles:
                settled.append(_no_principle(comparison, scope, judge.name))
                continue
            principles = choose(scope.principles, config.principles, f"{seed}:{comparison.id}")
            silent = [a.model_copy(update={"subject": comparison.id}) for a in scope.abstained]
            yield Asked(comparison, principles, silent)

    for heard in by_principles(judge, asked()):
        yield _settle(heard, judge.name, rules, contract, config)
        while settled:
            yield settled.pop()
    yield from settled


def contract_of(
    constitution: Constitution,
    judge: Judge,
    config: LabelConfig,
    conditions: Conditions | None = None,
) -> str:
    """Stand for everything but the comparison that could change a label."""
    how = config.model_dump(mode="json", include={"principles", "min_confidence"})
    asked = [conditions.contract] if conditions else []
    return fingerprint_of([constitution.fingerprint_of_rules, judge.contract, how, *asked])


def _same(subject: str, judge: str) -> Abstention:
    detail = "both replies are the same text"
    return Abstention(kind="same", subject=subject, by=judge, detail=detail)


def _no_principle(comparison: Comparison, scope: Scope, judge: str) -> Abstention:
    tags = ", ".join(comparison.prompt.tags) or "no tag"
    detail = f"no principle applies to a prompt tagged {tags}"
    if scope.abstained:
        detail += "; " + "; ".join(f"{a.principle}: {a.kind} {a.detail}" for a in scope.abstained)
    return Abstention(kind="no-principle", subject=comparison.id, by=judge, detail=detail)


def _settle(
    heard: Asked, judge: str, constitution: str, contract: str, config: LabelConfig
) -> Preference | Abstention:
    comparison, p_first = heard.comparison, heard.p_first
    if p_first is None:
        return _nobody_answered(heard, judge)
    if max(p_first, 1 - p_first) < config.min_confidence:
        return unsure(comparison.id, judge, p_first, config.min_confidence)
    first_wins = p_first >= 0.5
    order = {verdict: index for index, verdict in enumerate(heard.principles)}
    verdicts = sorted(heard.verdicts, key=lambda verdict: order[str(verdict.principle)])
    return Preference(
        id=comparison.id,
        prompt=comparison.prompt,
        chosen=comparison.first if first_wins else comparison.second,
        rejected=comparison.second if first_wins else comparison.first,
        p_chosen=max(p_first, 1 - p_first),
        source="judge",
        by=judge,
        verdicts=tuple(v if first_wins else v.swapped() for v in verdicts),
        abstained=tuple(heard.abstained),
        constitution=constitution,
        contract=contract,
        group=comparison.group,
    )


def unsure(subject: str, judge: str, p: float, wanted: float) -> Abstention:
    """Leave a label out that is less sure than was asked for."""
    detail = f"p = {p:.3f}, and {wanted} was asked for"
    return Abstention(kind="unsure", subject=subject, by=judge, detail=detail)


def _nobody_answered(heard: Asked, judge: str) -> Abstention:
    said = heard.abstained[0]
    if len(heard.abstained) == 1:
        return said.model_copy(update={"subject": heard.comparison.id})
    detail = "; ".join(f"{a.principle}: {a.kind}" for a in heard.abstained)
    return Abstention(kind="no-principle", subject=heard.comparison.id, by=judge, detail=detail)
