import pytest
from pydantic import ValidationError

from rlaif.training.rewards import RewardPart, check_parts


def test_a_part_is_one_of_three_kinds() -> None:
    for wrong in ({}, {"model": "run", "judge": "run"}):
        with pytest.raises(ValidationError, match="name one of"):
            RewardPart.model_validate(wrong)


def test_a_function_that_is_none_is_told_with_the_nearest_name() -> None:
    with pytest.raises(ValidationError, match="did you mean 'length'"):
        RewardPart(function="lenght")
    assert RewardPart(function="mine:score").title == "score"


def test_length_needs_to_know_what_costs_nothing_and_others_have_no_use_for_it() -> None:
    with pytest.raises(ValidationError, match="needs `most`"):
        RewardPart(function="length")
    with pytest.raises(ValidationError, match="needs `most`"):
        RewardPart(function="variety", most=3)


def test_a_part_is_called_by_its_name_or_by_what_it_is() -> None:
    assert RewardPart(model="run").title == "model"
    assert RewardPart(model="models/safe/").title == "model-safe"
    assert RewardPart(judge="run", name="kind").title == "kind"
    assert RewardPart(judge="harmlessness").title == "judge-harmlessness"
    assert RewardPart(function="length", most=9).title == "length"


def test_two_parts_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two parts are called 'judge'"):
        check_parts((RewardPart(judge="run"), RewardPart(judge="run")), "sum")


def test_a_product_without_factors_is_refused() -> None:
    with pytest.raises(ValueError, match="product needs"):
        check_parts((RewardPart(function="variety"),), "product")
    with pytest.raises(ValueError, match="product needs"):
        check_parts((RewardPart(judge="run", weight=-1),), "product")
