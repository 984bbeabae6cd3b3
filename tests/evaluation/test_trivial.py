from rlaif.evaluation.trivial import TRIVIAL
from tests.evaluation.pairs import compare


def test_each_rule_prefers_what_it_is_named_after() -> None:
    pair = compare(0, texts=("I'm sorry, but I can't help with that.", "Sure."))
    said = {name: rule(pair) for name, rule in TRIVIAL.items()}
    assert said == {
        "the longer reply": "first",
        "the shorter reply": "second",
        "the reply shown first": "first",
        "the reply that refuses": "first",
    }


def test_a_rule_that_cannot_tell_says_that_they_are_alike() -> None:
    pair = compare(0, texts=("One two.", "Three four."))
    for name in ("the longer reply", "the shorter reply", "the reply that refuses"):
        assert TRIVIAL[name](pair) == "tie"
