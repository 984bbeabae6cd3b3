"""Judge both orders and average the two distributions, so that a favoured slot cancels out."""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from rlaif.judges.base import Case, Judge, Outcome
from rlaif.records import Abstention, Verdict, fingerprint_of

Orders = Literal["both", "any", "one"]
"""`both` needs an answer in every order, `any` keeps those that came, `one` asks in one alone."""


class _Shown(NamedTuple):
    """One order of a case, as the judge inside was asked it."""

    asked: Case
    pair: "_Pair"
    is_swapped: bool


class _Pair:
    """A case and what has been said of its two orders so far."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.said: dict[bool, Outcome] = {}


class BothOrders:
    """Ask for (first, second) and (second, first); p = (p_fwd + p_rev) / 2 (Lee et al. 2023).

    Both raw probabilities stay in the evidence, with whether the two orders disagreed.
    """

    def __init__(self, judge: Judge, *, keep_one: bool = False) -> None:
        """Wrap a judge; `keep_one` lets one order stand alone where the other abstained."""
        self._judge = judge
        self._keep_one = keep_one
        self.name = judge.name
        self.contract = fingerprint_of(["both orders", judge.contract, keep_one])

    def decide(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Outcome]]:
        """Answer each case once; its two orders go out together."""
        shown: dict[int, _Shown] = {}

        def orders() -> Iterator[Case]:
            for case in cases:
                pair = _Pair(case)
                # A new object for each order: equal cases in one stream must stay apart.
                for is_swapped in (False, True):
                    asked = case.swapped() if is_swapped else Case(*case)
                    shown[id(asked)] = _Shown(asked, pair, is_swapped)
                    yield asked

        for asked, outcome in self._judge.decide(orders()):
            _, pair, is_swapped = shown.pop(id(asked))
            pair.said[is_swapped] = outcome
            if len(pair.said) == 2:
                yield pair.case, self._together(pair)

    def _together(self, pair: _Pair) -> Outcome:
        forward, backward = pair.said[False], pair.said[True]
        if isinstance(forward, Verdict) and isinstance(backward, Verdict):
            return averaged(forward, backward.swapped())
        kept = forward if isinstance(forward, Verdict) else backward
        if isinstance(kept, Verdict) and self._keep_one:
            return kept if kept is forward else kept.swapped()
        if isinstance(kept, Abstention):
            return kept
        missing = backward if kept is forward else forward
        assert isinstance(missing, Abstention)
        return missing.model_copy(
            update={"kind": "one-order", "detail": f"{missing.kind}: {missing.detail}"}
        )


def averaged(forward: Verdict, backward: Verdict) -> Verdict:
    """Average two verdicts on the same case; `backward` is mapped back already."""
    ties = "tie" in (forward.choice, backward.choice)
    evidence = {
        "p_forward": forward.p_first,
        "p_backward": backward.p_first,
        "flipped": float(forward.choice != backward.choice and not ties),
    }
    masses = [v.evidence["mass"] for v in (forward, backward) if "mass" in v.evidence]
    if masses:
        evidence["mass"] = min(masses)
    reasons = [verdict.reason for verdict in (forward, backward) if verdict.reason]
    return forward.model_copy(
        update={
            "p_first": (forward.p_first + backward.p_first) / 2,
            "evidence": {**forward.evidence, **evidence},
            "reason": "\n\nIn the other order: ".join(reasons) or None,
        }
    )
