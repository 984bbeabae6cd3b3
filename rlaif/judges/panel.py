"""Several judges asked the same, and their answers put together: other models or other templates.

One member's abstention leaves the others; what each said stays in the evidence under its name.
"""

import itertools
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from rlaif.errors import InputError
from rlaif.judges.base import Case, Judge, Outcome
from rlaif.records import Abstention, Reading, Verdict, fingerprint_of

Rule = Literal["mean", "median", "vote"]


class Panel:
    """Ask every member; p is the mean, the median, or the share of votes, of those that answer.

    `spread` in the evidence is the highest less the lowest p. A vote is 1 for the first reply, 0
    for the second, and a half each for a tie that a member itself called.
    """

    def __init__(self, members: Mapping[str, Judge], how: Rule = "mean") -> None:
        """Bring judges together, each under the name that its answers are kept by.

        Raises:
            InputError: for a panel of nobody.
        """
        if not members:
            raise InputError("a panel needs a judge")
        self._members = dict(members)
        self._how = how
        self.name = f"{how} of {', '.join(self._members)}"
        contracts = [[name, judge.contract] for name, judge in self._members.items()]
        self.contract = fingerprint_of(["panel", how, contracts])

    def decide(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Outcome]]:
        """Answer each case once, when its last member has answered."""
        for case, said in ask_all(self._members, cases):
            yield case, together(said, self._how, case, self.name)


class _Open:
    """A case and what the members have said of it so far."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.said: dict[str, Outcome] = {}


def ask_all(
    judges: Mapping[str, Judge], cases: Iterable[Case]
) -> Iterator[tuple[Case, dict[str, Outcome]]]:
    """Ask every judge every case; each case comes once, with what each judge said, in their order.

    Lazy: judges take turns, so none runs ahead of another by more than it has in flight.
    """
    branches = itertools.tee((_Open(case) for case in cases), len(judges))
    shown: dict[int, tuple[Case, _Open]] = {}

    def asked(branch: Iterator[_Open]) -> Iterator[Case]:
        for opened in branch:
            # A new object for each judge: what comes back is told apart by what it is.
            case = Case(*opened.case)
            shown[id(case)] = (case, opened)
            yield case

    streams = {
        name: judge.decide(asked(branch))
        for (name, judge), branch in zip(judges.items(), branches, strict=True)
    }
    while streams:
        for name in list(streams):
            answer = next(streams[name], None)
            if answer is None:
                del streams[name]
                continue
            _, opened = shown.pop(id(answer[0]))
            opened.said[name] = answer[1]
            if len(opened.said) == len(judges):
                yield opened.case, {name: opened.said[name] for name in judges}


def together(said: Mapping[str, Outcome], how: Rule, case: Case, name: str) -> Outcome:
    """Make several answers to one case one; where nobody answered, one abstention."""
    verdicts = {who: one for who, one in said.items() if isinstance(one, Verdict)}
    abstained = {who: one for who, one in said.items() if isinstance(one, Abstention)}
    if not verdicts:
        return _nobody(abstained, case, name)
    each = [verdict.p_first for verdict in verdicts.values()]
    readings = {verdict.read for verdict in verdicts.values()}
    how_read: Reading = readings.pop() if len(readings) == 1 else "mixed"
    reasons = [f"{who}: {one.reason}" for who, one in verdicts.items() if one.reason]
    return Verdict(
        p_first=_p(each, how),
        judge=name,
        principle=case.principle.id,
        read=how_read,
        reason="\n".join(reasons) or None,
        evidence={
            **_shared(list(verdicts.values()), how),
            "spread": max(each) - min(each),
            "answered": float(len(verdicts)),
            **_of_members(verdicts),
            **{f"{who}/{one.kind}": 1.0 for who, one in abstained.items()},
        },
    )


def _p(each: Sequence[float], how: Rule) -> float:
    if how == "median":
        return statistics.median(each)
    if how == "vote":
        each = [0.5 if p == 0.5 else float(p > 0.5) for p in each]
    return statistics.fmean(each)


def _shared(verdicts: Sequence[Verdict], how: Rule) -> dict[str, float]:
    """Give the figures that every answer carries, such as each order's p, put together too."""
    average = statistics.median if how == "median" else statistics.fmean
    names = [n for n in verdicts[0].evidence if all(n in v.evidence for v in verdicts)]
    return {name: average([v.evidence[name] for v in verdicts]) for name in names}


def _of_members(verdicts: Mapping[str, Verdict]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for who, verdict in verdicts.items():
        figures[f"{who}/p_first"] = verdict.p_first
        figures |= {f"{who}/{name}": value for name, value in verdict.evidence.items()}
    return figures


def _nobody(abstained: Mapping[str, Abstention], case: Case, name: str) -> Abstention:
    kinds = Counter(one.kind for one in abstained.values())
    return Abstention(
        kind=kinds.most_common(1)[0][0],
        subject=case.comparison.id,
        by=name,
        detail="; ".join(
            f"{who}: {one.kind} {one.detail}".strip() for who, one in abstained.items()
        ),
        principle=case.principle.id,
    )
