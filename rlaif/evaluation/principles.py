"""A constitution's examples as its unit tests: which of them a judge gets right."""

from typing import NamedTuple

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


class Summary(NamedTuple):
    """One principle's trials."""

    principle: str
    trials: tuple[Trial, ...]

    @property
    def right(self) -> int:
        """Count the examples that the judge gets right."""
        return sum(trial.is_right for trial in self.trials)

    def __str__(self) -> str:
        """Write one line: how many are right, each probability, and what to make of it."""
        each = " ".join(_shown(trial) for trial in self.trials)
        line = f"{self.principle:<22} {self.right}/{len(self.trials)}    p = {each}"
        wrong = [
            trial for trial in self.trials if trial.p_better is not None and not trial.is_right
        ]
        silent = [trial for trial in self.trials if trial.p_better is None]
        if wrong:
            numbers = ", ".join(str(trial.example) for trial in wrong)
            plural = "s" if len(wrong) > 1 else ""
            line += (
                f"    example{plural} {numbers} judged the other way; "
                "the judge is not to be trusted on this wording"
            )
        if silent:
            line += f"    {len(silent)} without an answer"
        return line


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
        for number, example in enumerate(principle.examples, start=1):
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


def summary(trials: list[Trial]) -> list[Summary]:
    """Put trials together by principle, in order."""
    names = dict.fromkeys(trial.principle for trial in trials)
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
        principle.id: [Question(Prompt.of(e.prompt), principle.when) for e in principle.examples]
        for principle in constitution.principles
        if principle.when
    }
    questions = (question for each in asked.values() for question in each)
    said = {id(question): answer for question, answer in conditions.hold(questions)}
    return [
        Condition(name, tuple(said[id(question)] for question in each))
        for name, each in asked.items()
    ]
