"""Any judge as a reward: a batch of prompts and replies to one figure each, None for no answer.

A judge that can tell of one reply alone rates each by itself; one that only compares puts the
replies to one prompt against each other.
"""

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from rlaif.constitution.principle import Constitution, Principle
from rlaif.judges.base import Judge
from rlaif.judges.principles import Asked, by_principles, weighted
from rlaif.judges.rating import Rater, Single
from rlaif.judges.scope import Conditions, in_scope, need_conditions
from rlaif.records import Abstention, Comparison, Prompt, Response, fingerprint_of

Reward = Callable[[Sequence[Prompt], Sequence[str]], list[float | None]]
Opponents = Literal["all", "circle"]


def reward_of(
    judge: Judge,
    constitution: Constitution,
    *,
    conditions: Conditions | None = None,
    opponents: Opponents = "all",
) -> Reward:
    """Make a judge a reward, in the way that it can be one.

    Raises:
        InputError: for a constitution with a `when`, and nobody to answer it.
    """
    if isinstance(judge, Rater):
        return RatedReward(judge, constitution, conditions=conditions)
    return TournamentReward(judge, constitution, conditions=conditions, opponents=opponents)


class _Reply(NamedTuple):
    place: int
    prompt: Prompt
    text: str


class _Ratings:
    """A reply's principles, and what has been said under each."""

    def __init__(self, reply: _Reply, principles: tuple[Principle, ...]) -> None:
        self.reply = reply
        self.principles = principles
        self.said: dict[str, float | Abstention] = {}

    def score(self, clip: float) -> float | None:
        rated: list[tuple[Principle, float]] = []
        for principle in self.principles:
            said = self.said[principle.id]
            if isinstance(said, Abstention):
                return None
            rated.append((principle, min(max(said, -clip), clip)))
        mean = weighted((principle.weight, rating) for principle, rating in rated)
        broken = [rating for principle, rating in rated if principle.veto and rating < 0]
        return min([mean, *broken])


class RatedReward:
    """Score each reply by itself: the weighted mean of its principles' clipped ratings.

    Log-odds and not probabilities: where every probability is near 0 or 1, the differences within
    a group would vanish beside the KL penalty. A reply that breaks a veto is worth no more than
    the veto's own rating. A reply that no principle judges, or that one of its principles
    abstained on, has no reward (None): beside the others' it would be a mean of other things.
    """

    def __init__(
        self,
        judge: Rater,
        constitution: Constitution,
        *,
        conditions: Conditions | None = None,
        clip: float = 5.0,
    ) -> None:
        """Score with a judge that can tell of one reply alone.

        Raises:
            InputError: for a constitution with a `when`, and nobody to answer it.
        """
        need_conditions(constitution, conditions)
        self._judge = judge
        self._constitution = constitution
        self._conditions = conditions
        self._clip = clip
        self.__name__ = "judge"  # what trainers call the reward in their logs

    def __call__(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
        """Score replies, one for each prompt; None is an abstention."""
        scores: list[float | None] = [None] * len(texts)
        waiting: dict[int, tuple[Single, _Ratings]] = {}
        for asked, said in self._judge.rate(self._asked(prompts, texts, waiting)):
            _, ratings = waiting.pop(id(asked))
            ratings.said[asked.principle.id] = said
            if len(ratings.said) == len(ratings.principles):
                scores[ratings.reply.place] = ratings.score(self._clip)
        return scores

    def _asked(
        self,
        prompts: Sequence[Prompt],
        texts: Sequence[str],
        waiting: dict[int, tuple[Single, _Ratings]],
    ) -> Iterator[Single]:
        pairs = enumerate(zip(prompts, texts, strict=True))
        replies = (_Reply(place, prompt, text) for place, (prompt, text) in pairs)
        scoped = in_scope(replies, lambda r: r.prompt, self._constitution, self._conditions)
        for reply, scope in scoped:
            ratings = _Ratings(reply, scope.principles)
            for principle in scope.principles:
                asked = Single(reply.prompt, reply.text, principle)
                waiting[id(asked)] = (asked, ratings)
                yield asked


class _Match(NamedTuple):
    """Two replies of a group, by their places, and what is asked of them."""

    one: int
    other: int
    question: Comparison | None
    """None where the two are the same text."""


class TournamentReward:
    """Put the replies to one prompt against each other: the mean of 2·p − 1 over a reply's matches.

    From −1, beaten by all, to 1, better than all: net wins in a match, which a group's advantage
    is made of. Equal texts are even without a judge. A match that the judge abstains on is no
    match; a reply without a match, such as the only one of its prompt, has no reward (None).
    """

    def __init__(
        self,
        judge: Judge,
        constitution: Constitution,
        *,
        conditions: Conditions | None = None,
        opponents: Opponents = "all",
    ) -> None:
        """Score by matches: `all` against all, or each against its two neighbours in a `circle`.

        Raises:
            InputError: for a constitution with a `when`, and nobody to answer it.
        """
        need_conditions(constitution, conditions)
        self._judge = judge
        self._constitution = constitution
        self._conditions = conditions
        self._opponents = opponents
        self.__name__ = "judge"

    def __call__(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
        """Score replies, one for each prompt; those to one prompt are a group."""
        groups: dict[str, list[int]] = {}
        for place, prompt in enumerate(prompts):
            groups.setdefault(prompt.id, []).append(place)
        said = [text.strip() for text in texts]
        matches = [
            _Match(one, other, _question(prompts[one], said[one], said[other]))
            for places in groups.values()
            for one, other in matched(places, self._opponents)
        ]
        p_first = self._judged(match.question for match in matches if match.question)
        nets: list[list[float]] = [[] for _ in texts]
        for one, other, question in matches:
            net = 0.0
            if question is not None:
                if question.id not in p_first:
                    continue
                net = 2 * p_first[question.id] - 1
                net = net if question.first.text == said[one] else -net
            nets[one].append(net)
            nets[other].append(-net)
        return [sum(net) / len(net) if net else None for net in nets]

    def _judged(self, questions: Iterable[Comparison]) -> dict[str, float]:
        """Ask each question once; those without an answer are not in what comes back."""
        distinct = {question.id: question for question in questions}.values()
        scoped = in_scope(distinct, lambda q: q.prompt, self._constitution, self._conditions)
        asked = (Asked(q, scope.principles) for q, scope in scoped if scope.principles)
        found = ((one.comparison.id, one.p_first) for one in by_principles(self._judge, asked))
        return {name: p for name, p in found if p is not None}


def matched(places: Sequence[int], opponents: Opponents) -> Iterator[tuple[int, int]]:
    """Pair the members of a group: every two of them, or each with the next in a circle.

    >>> list(matched([0, 1, 2, 3], "circle"))
    [(0, 1), (1, 2), (2, 3), (3, 0)]
    >>> list(matched([0, 1], "circle")), list(matched([0], "all"))
    ([(0, 1)], [])
    """
    if opponents == "all" or len(places) < 3:
        return itertools.combinations(places, 2)
    return zip(places, [*places[1:], places[0]], strict=True)


def _question(prompt: Prompt, one: str, other: str) -> Comparison | None:
    """Ask which of two texts is better; none where they are the same.

    Two texts make the same question whichever comes first, and are shown in a drawn order.
    """
    if one == other:
        return None
    texts = sorted((one, other))
    name = fingerprint_of([prompt.id, texts])
    random.Random(name).shuffle(texts)
    first, second = (
        Response(id=f"{name}/{slot}", prompt_id=prompt.id, text=text, author="policy")
        for slot, text in zip(("first", "second"), texts, strict=True)
    )
    return Comparison(id=name, prompt=prompt, first=first, second=second, group=prompt.id)
