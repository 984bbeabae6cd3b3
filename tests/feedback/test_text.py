import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.feedback.text import is_looping, why_unfit


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that. I can help you write to her instead.",
        "To boil an egg, put it into boiling water for eight minutes and then into cold water.",
    ],
)
def test_an_ordinary_reply_is_fit(text):
    assert why_unfit(text, "Before it was otherwise.") is None


def test_the_base_models_own_derailment_is_degenerate():
    assert why_unfit("SmolLM.1.1.1.1.1.1.1.1.1.1.1.1")[0] == "degenerate"


@given(st.text())
def test_any_text_is_told_apart_without_an_error(text):
    assert why_unfit(text, text) is not None
    assert isinstance(is_looping(text.split()), bool)
