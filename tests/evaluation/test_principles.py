"""A constitution's examples as unit tests: right, wrong, in doubt, and without an answer."""

from collections.abc import Iterable, Iterator

import pytest

from rlaif.constitution.principle import Constitution, Example, Principle
from rlaif.evaluation.principles import (
    Summary,
    Trial,
    summary,
    try_conditions,
    try_examples,
    try_out,
)
from rlaif.judges.base import Case, Outcome
from rlaif.judges.scope import Question
from rlaif.records import Abstention, AbstentionKind, Verdict
from tests.judges.fakes import Knows

RULES = Constitution(
    name="c",
    principles=(
        Principle(
            id="kind",
            text="The response is kind.",
            examples=(
                Example(prompt="Hi", better="good", worse="bad"),
                Example(prompt="Ho", better="poor", worse="fine"),
            ),
        ),
        Principle(
            id="odd",
            text="The response is odd.",
            examples=(Example(prompt="Hi", better="first wins", worse="either"),),
        ),
        Principle(
            id="mute",
            text="The response is mute.",
            examples=(Example(prompt="Hi", better="silence", worse="noise"),),
        ),
    ),
)


class Judge:
    """Likes what is good and fine; under `odd` what stands first; is mute under `mute`."""

    name = contract = "by hand"

    def decide(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Outcome]]:
        for case in reversed(list(cases)):
            comparison, principle = case
            said: Outcome
            if principle.id == "mute":
                said = Abstention(kind="empty", subject=comparison.id, by="by hand", detail="")
            else:
                liked = principle.id == "odd" or comparison.first.text in ("good", "fine")
                said = Verdict(
                    p_first=0.9 if liked else 0.1,
                    judge="by hand",
                    principle=principle.id,
                    read="letter",
                )
            yield case, said


def test_each_example_is_judged_in_both_orders_and_put_together() -> None:
    lines = summary(try_examples(RULES, Judge()))
    kind, odd, mute = lines
    assert [trial.p_better for trial in kind.trials] == pytest.approx([0.9, 0.1])
    assert (kind.right, odd.right, mute.right) == (1, 0, 0)
    assert odd.trials[0].p_better == pytest.approx(0.5)
    assert mute.trials[0].p_better is None


def test_a_wrong_example_an_order_that_decides_and_silence_are_told() -> None:
    kind, odd, mute = (str(line) for line in summary(try_examples(RULES, Judge())))
    assert "1/2   not trusted       p = 0.90 0.10✗    example 2 judged the other way" in kind
    assert "0.50✗ (orders disagree)" in odd
    assert mute.rstrip().endswith("0/1   not trusted       p = –    1 without an answer")


@pytest.mark.parametrize(
    ("right", "wrong", "standing"),
    [
        (0, 0, "no examples"),
        (4, 0, "too few examples"),
        (3, 1, "not trusted"),
        (5, 0, "trusted"),  # a coin: 1 in 32
        (4, 1, "not trusted"),  # 6 in 32
        (6, 1, "not trusted"),  # 8 in 128, just above one in 20
        (7, 1, "trusted"),  # 9 in 256
        (9, 1, "trusted"),
        (15, 5, "not trusted"),  # beyond chance, and wrong on a quarter
    ],
)
def test_a_judge_is_trusted_for_five_right_or_most_of_more(
    right: int, wrong: int, standing: str
) -> None:
    def trial(p: float) -> Trial:
        sides = (
            Verdict(p_first=side, judge="j", principle="kind", read="letter") for side in (p, 1 - p)
        )
        return Trial("kind", 1, *sides)

    found = Summary("kind", (trial(0.8),) * right + (trial(0.2),) * wrong)
    assert found.standing == standing
    assert standing in str(found)


def test_a_principle_without_examples_is_told_too_and_tests_count_as_examples() -> None:
    kind, odd, mute = RULES.principles
    bare = odd.model_copy(update={"examples": ()})
    more = kind.model_copy(update={"tests": (Example(prompt="Ha", better="good", worse="bad"),)})
    rules = RULES.model_copy(update={"principles": (more, bare, mute)})
    found = try_out(rules, Judge())
    assert [(one.principle, one.score) for one in found] == [
        ("kind", "2/3"),
        ("odd", "0/0"),
        ("mute", "0/1"),
    ]
    assert str(found[1]).endswith("no examples       write 5 pairs that a judge must get right")


def test_a_when_should_be_true_of_its_own_examples_and_is_told_where_it_is_not() -> None:
    kind, odd, mute = RULES.principles
    rules = Constitution(
        name="c",
        principles=(
            kind.model_copy(update={"when": "The user says Hi."}),
            odd.model_copy(update={"when": "The user says Hi."}),
            mute.model_copy(update={"when": "Silence."}),
        ),
    )

    def say(question: Question) -> bool | AbstentionKind:
        return "timeout" if question.when == "Silence." else question.prompt.text == "Hi"

    lines = [str(line) for line in try_conditions(rules, Knows(say, window=3))]
    assert lines[0].startswith("kind                   1/2    `when` true of its examples")
    assert "the judge would leave the principle out" in lines[0]
    assert lines[1].endswith("1/1    `when` true of its examples")
    assert lines[2].endswith("0/1    `when` true of its examples    1 without an answer")
    assert try_conditions(RULES, Knows(say)) == []
