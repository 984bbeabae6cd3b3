"""Win rates: a referee says which of two policies' replies follows the constitution better."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rlaif.constitution.principle import Constitution
from rlaif.evaluation.intervals import bootstrap
from rlaif.evaluation.measures import Item
from rlaif.evaluation.results import Reply, WinRate
from rlaif.feedback.label import LabelConfig, label
from rlaif.judges.base import Judge
from rlaif.judges.scope import Conditions
from rlaif.records import Comparison, Preference, Response, Verdict

_EVERY_PRINCIPLE = LabelConfig(principles="all")


class Found(NamedTuple):
    """What the referee said of one policy's pairs."""

    replies: list[Reply]
    """The policy's replies in decided pairs, with `p_better` and the verdicts."""
    abstained: Counter[str]
    same: int


def pairs_to_judge(items: Sequence[Item], per_suite: int | None) -> list[Item]:
    """Choose the draws to judge: all, or some of each suite, spread over its prompts."""
    if per_suite is None:
        return list(items)
    by_suite: dict[str, list[Item]] = {}
    for item in items:
        by_suite.setdefault(item.suite, []).append(item)
    return [
        rows[number * len(rows) // min(per_suite, len(rows))]
        for rows in by_suite.values()
        for number in range(min(per_suite, len(rows)))
    ]


class Judged:
    """A referee and what it judges by."""

    def __init__(
        self,
        referee: Judge,
        constitution: Constitution,
        seed: int,
        conditions: Conditions | None = None,
    ) -> None:
        """Bring the referee and the constitution together."""
        self._conditions = conditions
        self._referee = referee
        self._constitution = constitution
        self._seed = seed

    def compare(
        self,
        items: Sequence[Item],
        base: Mapping[str, Reply],
        own: Mapping[str, Reply],
        step: Callable[[str], None],
    ) -> Found:
        """Judge a policy's replies against the base's on the same draws."""
        asked = [item for item in items if item.key in base and item.key in own]
        for _ in range(len(items) - len(asked)):
            step("no pair to judge")
        found = Found([], Counter(), 0)
        comparisons = self._comparisons(asked, base, own)
        same = 0
        outcomes = label(
            comparisons,
            self._constitution,
            self._referee,
            _EVERY_PRINCIPLE,
            conditions=self._conditions,
        )
        for outcome in outcomes:
            step("referee judges")
            if isinstance(outcome, Preference):
                found.replies.append(_judged(own[outcome.id], outcome))
            elif outcome.kind == "same":
                same += 1
                found.replies.append(own[outcome.subject].model_copy(update={"p_better": 0.5}))
            else:
                found.abstained[outcome.kind] += 1
        return found._replace(same=same)

    def _comparisons(
        self, items: Sequence[Item], base: Mapping[str, Reply], own: Mapping[str, Reply]
    ) -> Iterator[Comparison]:
        for item in items:
            comparison = Comparison(
                id=item.key,
                prompt=item.prompt,
                first=_response(own[item.key], "own"),
                second=_response(base[item.key], "base"),
            )
            # Neither policy is always shown first, whatever slot the referee favours.
            is_swapped = random.Random(f"{self._seed}:{item.key}").random() < 0.5
            yield comparison.swapped() if is_swapped else comparison


def _response(reply: Reply, side: str) -> Response:
    return Response(id=side, prompt_id=reply.prompt_id, text=reply.text, author=reply.policy)


def _judged(reply: Reply, outcome: Preference) -> Reply:
    is_chosen = outcome.chosen.id == "own"
    verdicts: tuple[Verdict, ...] = outcome.verdicts
    if not is_chosen:
        verdicts = tuple(verdict.swapped() for verdict in verdicts)
    p_better = outcome.p_chosen if is_chosen else 1 - outcome.p_chosen
    return reply.model_copy(update={"p_better": p_better, "verdicts": verdicts})


def win_rate(policy: str, found: Found, rounds: int, seed: int = 0) -> WinRate:
    """Count wins, ties and losses; a tie is half a win, an abstention is in no rate."""
    decided = sorted(found.replies, key=lambda reply: reply.key)
    points = [_points(reply.p_better) for reply in decided if reply.p_better is not None]
    prompts = [reply.prompt_id for reply in decided]
    by_principle: dict[str, list[tuple[float, str]]] = {}
    for reply in decided:
        for verdict in reply.verdicts:
            row = (_points(verdict.p_first), reply.prompt_id)
            by_principle.setdefault(str(verdict.principle), []).append(row)
    return WinRate(
        policy=policy,
        figure=bootstrap(points, prompts, rounds=rounds, seed=seed) if points else None,
        wins=points.count(1.0),
        ties=points.count(0.5),
        losses=points.count(0.0),
        same=found.same,
        abstained=dict(found.abstained),
        principles={
            name: bootstrap([p for p, _ in rows], [c for _, c in rows], rounds=rounds, seed=seed)
            for name, rows in by_principle.items()
        },
    )


def _points(p_better: float) -> float:
    return 0.5 if p_better == 0.5 else float(p_better > 0.5)
