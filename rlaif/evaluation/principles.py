"""A constitution's examples as its unit tests: which of them a judge gets right."""

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

from rlaif.constitution.principle import Constitution
from rlaif.judges.base import Case, Judge, Outcome
from rlaif.judges.scope import Conditions, Question
from rlaif.records import Abstention, Comparison, Prompt, Response, Verdict


class Trial(NamedTuple):
    """One example of one principle, judged with the better reply shown first, and second."""

    principle: str
    example: int
    better_first: Outcome
    better_second: Outcome

    @property
    def p_better(self) -> float | None:
        """Average the two orders' probability that the better reply is; None if one is missing."""
        first, second = self.better_first, self.better_second
        if isinstance(first, Verdict) and isinstance(second, Verdict):
            return (first.p_first + 1 - second.p_first) / 2
        return None

    @property
    def is_right(self) -> bool:
        """Say whether the judge prefers the better reply; an abstention is not right."""
        return self.p_better is not None and self.p_better > 0.5


Standing = Literal["trusted", "not trusted", "too few examples", "no examples"]
FEWEST = 5
"""Examples that a principle needs: a judge that guesses gets all of five right once in 32 times."""
_SHARE = 0.8
_CHANCE = 0.05


class Summary(NamedTuple):
    """One principle's trials."""

    principle: str
    trials: tuple[Trial, ...]

    @property
    def right(self) -> int:
        """Count the examples that the judge gets right."""
        return sum(trial.is_right for trial in self.trials)

    @property
    def standing(self) -> Standing:
        """Say whether the judge can be trusted on the principle, as far as its examples tell.

        Trusted is who gets four fifths of five or more right, and more than guessing would get
        (sign test, one-sided, 5 %): 5 of 5, 7 of 8, 9 of 10. One wrong of fewer is enough to be
        not trusted; none wrong of fewer tells nothing yet.
        """
        count = len(self.trials)
        if not count:
            return "no examples"
        if count < FEWEST:
            return "too few examples" if self.right == count else "not trusted"
        is_beyond_chance = _by_guessing(self.right, count) <= _CHANCE
        return "trusted" if self.right >= _SHARE * count and is_beyond_chance else "not trusted"

    @property
    def score(self) -> str:
        """Write how many examples are right, of how many."""
        return f"{self.right}/{len(self.trials)}"

    def __str__(self) -> str:
        """Write one line: how many are right, what to make of it, and each probability."""
        line = f"{self.principle:<22} {self.score:<5} {self.standing:<17}"
        if not self.trials:
            return f"{line} write {FEWEST} pairs that a judge must get right"
        line += f" p = {' '.join(_shown(trial) for trial in self.trials)}"
        wrong = [t.example for t in self.trials if t.p_better is not None and not t.is_right]
        silent = sum(trial.p_better is None for trial in self.trials)
        if wrong:
            numbers = ", ".join(map(str, wrong))
            line += f"    example{'s' if len(wrong) > 1 else ''} {numbers} judged the other way"
        if silent:
            line += f"    {silent} without an answer"
        if self.standing == "too few examples":
            line += f"    {FEWEST} are needed to tell"
        return line


def _by_guessing(right: int, count: int) -> float:
    """Give the chance that a judge that tosses a coin gets as many right."""
    return sum(math.comb(count, number) for number in range(right, count + 1)) * 0.5**count


def _shown(trial: Trial) -> str:
    p = trial.p_better
    if p is None:
        return "–"
    flipped = isinstance(trial.better_first, Verdict) and isinstance(trial.better_second, Verdict)
    disagree = flipped and (
        (trial.better_first.p_first > 0.5) == (trial.better_second.p_first > 0.5)  # type: ignore[union-attr]
    )
    return f"{p:.2f}{'' if trial.is_right else '✗'}{' (orders disagree)' if disagree else ''}"


def try_examples(constitution: Constitution, judge: Judge) -> list[Trial]:
    """Judge every example of every principle in both orders."""
    cases: list[tuple[str, int, Case]] = []
    for principle in constitution.principles:
        for number, example in enumerate(principle.tried, start=1):
            name = f"{principle.id}/{number}"
            prompt = Prompt.of(example.prompt, tags=principle.scope)
            better, worse = (
                Response(id=f"{name}/{side}", prompt_id=prompt.id, text=text, author="example")
                for side, text in (("better", example.better), ("worse", example.worse))
            )
            comparison = Comparison(id=name, prompt=prompt, first=better, second=worse)
            case = Case(comparison, principle)
            cases += [(principle.id, number, case), (principle.id, number, case.swapped())]
    outcomes = {id(case): said for case, said in judge.decide(case for _, _, case in cases)}
    return [
        Trial(name, number, outcomes[id(case)], outcomes[id(swapped)])
        for (name, number, case), (_, _, swapped) in zip(cases[::2], cases[1::2], strict=True)
    ]


def try_out(constitution: Constitution, judge: Judge) -> list[Summary]:
    """Try a judge on every principle, those without examples included, in order."""
    trials = try_examples(constitution, judge)
    return summary(trials, [principle.id for principle in constitution.principles])


def summary(trials: list[Trial], names: Iterable[str] = ()) -> list[Summary]:
    """Put trials together by principle, in order; a name without trials stands there too."""
    names = dict.fromkeys([*names, *(trial.principle for trial in trials)])
    return [Summary(name, tuple(t for t in trials if t.principle == name)) for name in names]


class Condition(NamedTuple):
    """One principle's `when`, asked of its own examples' prompts: it should be true of each."""

    principle: str
    said: tuple[bool | Abstention, ...]

    def __str__(self) -> str:
        """Write one line: of how many it is true, and what to make of it."""
        true = sum(answer is True for answer in self.said)
        line = f"{self.principle:<22} {true}/{len(self.said)}    `when` true of its examples"
        silent = sum(isinstance(answer, Abstention) for answer in self.said)
        if true + silent < len(self.said):
            line += "    the judge would leave the principle out; word it otherwise, or use `scope`"
        return line + (f"    {silent} without an answer" if silent else "")


def try_conditions(constitution: Constitution, conditions: Conditions) -> list[Condition]:
    """Ask every principle's `when` of the prompts of its own examples, in order."""
    asked = {
        principle.id: [Question(Prompt.of(e.prompt), principle.when) for e in principle.tried]
        for principle in constitution.principles
        if principle.when
    }
    questions = (question for each in asked.values() for question in each)
    said = {id(question): answer for question, answer in conditions.hold(questions)}
    return [
        Condition(name, tuple(said[id(question)] for question in each))
        for name, each in asked.items()
    ]
