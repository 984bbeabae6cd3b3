"""Worked comparisons: never the judged pair, each under its own principle, no letter favoured."""

from collections import Counter

import pytest

from rlaif.backends.scripted import ScriptedBackend
from rlaif.constitution.principle import Constitution, Example, Principle
from rlaif.judges.base import Case
from rlaif.judges.build import judge_from
from rlaif.judges.pairwise import PairwiseJudge
from rlaif.judges.shots import shots
from rlaif.records import Comparison, Prompt, Response
from rlaif.resources import shipped_names
from rlaif.templates import Template

TEMPLATE = Template.load("compare-few-shot")


def examples(name: str, count: int) -> tuple[Example, ...]:
    return tuple(
        Example(
            prompt=f"{name} {n}?", better=f"{name} good {n}", worse=f"{name} bad {n}", why="So."
        )
        for n in range(count)
    )


POOL = tuple(
    Principle(id=name, text=f"It is {name}.", examples=examples(name, count))
    for name, count in [("brief", 3), ("warm", 2), ("plain", 1), ("bare", 0)]
)


def case_of(number: int, principle: Principle = POOL[0], text: str = "Hi") -> Case:
    prompt = Prompt.of(text, id="p")
    first, second = (
        Response(id=f"{n}", prompt_id="p", text=f"reply {n}", author="a") for n in (1, 2)
    )
    return Case(Comparison(id=f"c{number}", prompt=prompt, first=first, second=second), principle)


def test_each_stands_under_the_principle_it_is_an_example_of_with_the_right_answer() -> None:
    for number in range(50):
        for shot in shots(case_of(number), TEMPLATE, POOL):
            name = shot.prompt.split()[0]
            assert shot.principle == f"It is {name}."
            shown = {"A": shot.first, "B": shot.second}
            assert shown.pop(shot.answer).startswith(f"{name} good")
            assert next(iter(shown.values())).startswith(f"{name} bad")


def test_principles_are_drawn_before_a_second_example_of_any() -> None:
    for number in range(20):
        drawn = Counter(shot.principle for shot in shots(case_of(number), TEMPLATE, POOL))
        # Three principles have examples, and four are shown.
        assert sorted(drawn.values()) == [1, 1, 2]


def test_neither_letter_is_the_answer_more_often() -> None:
    odd = TEMPLATE.model_copy(update={"shots": 3})
    total: Counter[str] = Counter()
    for number in range(200):
        answers = Counter(shot.answer for shot in shots(case_of(number), TEMPLATE, POOL))
        assert answers == {"A": 2, "B": 2}
        total.update(shot.answer for shot in shots(case_of(number), odd, POOL))
    assert 250 < total["A"] < 350  # 600 answers, 300 ± 3.5 standard deviations of the odd ones


def test_neither_place_holds_the_last_answer_more_often() -> None:
    last = Counter(shots(case_of(number), TEMPLATE, POOL)[-1].answer for number in range(400))
    assert 140 < last["A"] < 260


def test_both_orders_of_a_case_are_shown_the_same_and_other_cases_others() -> None:
    case = case_of(1)
    assert shots(case, TEMPLATE, POOL) == shots(case.swapped(), TEMPLATE, POOL)
    drawn = {tuple(shots(case_of(number), TEMPLATE, POOL)) for number in range(20)}
    assert len(drawn) > 10


def test_an_example_is_never_the_pair_being_judged() -> None:
    for number in range(30):
        case = case_of(number, text="  Brief 0? ")
        found = {shot.prompt for shot in shots(case, TEMPLATE, POOL)}
        assert found
        assert "brief 0?" not in found


def test_without_a_pool_the_judged_principles_own_examples_are_shown() -> None:
    found = shots(case_of(0), TEMPLATE, ())
    assert sorted(shot.prompt for shot in found) == ["brief 0?", "brief 1?", "brief 2?"]
    assert shots(case_of(0, POOL[3]), TEMPLATE, ()) == []


@pytest.mark.parametrize("asks", ["better", "worse"])
@pytest.mark.parametrize("negated", [None, "It is long."])
def test_the_right_letter_answers_what_is_asked(asks: str, negated: str | None) -> None:
    answer = TEMPLATE.answer.model_copy(update={"asks": asks})
    template = TEMPLATE.model_copy(update={"answer": answer})
    pool = [POOL[0].model_copy(update={"negated": negated})]
    for shot in shots(case_of(0), template, pool):
        letter_of_better = "A" if " good " in shot.first else "B"
        is_asked_for_better = (asks == "better") == (negated is None)
        assert (shot.answer == letter_of_better) is is_asked_for_better
        assert shot.principle == (negated or "It is brief.")


def test_what_a_model_is_shown_ends_in_the_judged_pair() -> None:
    backend = ScriptedBackend(lambda _: "A")
    list(PairwiseJudge(backend, TEMPLATE, POOL).decide([case_of(0)]))
    turns = backend.seen[0].messages
    assert [turn.role for turn in turns] == ["system", *["user", "assistant"] * 4, "user"]
    assert {turn.content for turn in turns if turn.role == "assistant"} == {"A", "B"}
    assert "reply 1" in turns[-1].content
    assert "Principle: It is brief." in turns[-1].content


def test_examples_are_in_the_contract_of_a_judge_that_shows_them_and_of_no_other() -> None:
    backend = ScriptedBackend(lambda _: "A")
    rules = Constitution(name="rules", principles=POOL)
    fewer = Constitution(name="rules", principles=(*POOL[1:],))

    def contract(template: str, constitution: Constitution) -> str:
        return judge_from(backend, template, constitution=constitution).contract

    assert contract("compare-few-shot", rules) != contract("compare-few-shot", fewer)
    assert contract("compare", rules) == contract("compare", fewer)


@pytest.mark.parametrize("name", shipped_names("constitution"))
def test_each_shipped_constitution_has_examples_enough_to_learn_from(name: str) -> None:
    pool = Constitution.load(name).principles
    assert len(shots(case_of(0), TEMPLATE, pool)) == 4
