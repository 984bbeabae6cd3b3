import pytest
from pydantic import ValidationError

from rlaif.evaluation.config import EvaluateConfig, Measure


def test_an_unknown_trait_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ValidationError, match="no such trait; did you mean 'brief'"):
        Measure(trait="brieff")


def test_length_is_a_measure_though_it_is_no_trait() -> None:
    assert Measure(trait="length").want == "up"


def test_fewer_rounds_than_a_thousand_are_refused() -> None:
    with pytest.raises(ValidationError, match="1000"):
        EvaluateConfig(rounds=999)
