"""What a written answer says: verdicts that are stated, and words that merely occur."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rlaif.answers.text import (
    named,
    numbers,
    opens_or_closes_with,
    rankings,
    refuses,
    spoken,
    stated,
)

AB = ("A", "B")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<think>A or B?</think>\n B ", "B"),
        ("<THINKING>A</thinking>B", "B"),
        ("A is kinder, but … </think>B", "B"),  # the opening mark stood in the prompt
        ("<think>one</think>A<think>two</think>B", "A B"),
        ("<think>I ran out of", ""),
        ("</think>", ""),
        ("plain", "plain"),
    ],
)
def test_thinking_is_not_what_was_said(text: str, said: str) -> None:
    assert spoken(text) == said


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        ("B is better. A does not answer.", ["B"]),
        ("A is slightly better than B.", ["A"]),
        ("Reply B is clearly the best of the two, since A lectures.", ["B"]),
        ("I prefer A over B.", ["A"]),
        ("Answer: B", ["B"]),
        ("**Answer:** B", ["B"]),
        ("My final verdict is: [[A]]", ["A"]),
        ("The better reply is B, not A.", ["B"]),
        ("One says: A is better. The better reply for the given prompt is B.", ["A", "B"]),
        ("B\n\nReply A refuses, while B helps.", ["B"]),
        ("> B", ["B"]),
        ("A is better at first. In the end, B is better.", ["A", "B"]),
        ("A is worse than B.", []),
        ("A would be less good. It is not better.", []),
        ("I doubt whether A is better.", []),
        ("I can't say that A is better.", []),
        ("Neither A nor B is better.", []),
        ("A is not better.", []),
        ("A good answer is better than a long one.", []),
        ("It depends on A and B.", []),
    ],
)
def test_a_verdict_counts_where_it_is_stated(text: str, verdicts: list[str]) -> None:
    assert stated(text, AB) == verdicts


def test_a_question_for_the_worse_reply_is_answered_by_the_word_worse() -> None:
    assert stated("A is worse. B is better.", AB, "worse") == ["A"]
    assert stated("A is worse. B is better.", AB, "better") == ["B"]


def test_longer_options_are_read_in_any_case_and_letters_as_they_are_written() -> None:
    options = ("Output (a)", "Output (b)")
    assert stated("Therefore, output (b) is better.", options) == ["Output (b)"]
    assert named("a cat, B", AB) == {"B"}


@pytest.mark.parametrize(
    ("text", "option", "answers"),
    [
        ("Yes, it does.", "Yes", True),
        ("(No)", "No", True),
        ("It seems fine: yes", "Yes", True),
        ("B lacks detail.", "B", False),
        ("I would not say B.", "B", False),
        ("The problem is with B.", "B", False),
    ],
)
def test_an_option_answers_where_a_text_opens_or_closes_with_it(
    text: str, option: str, answers: bool
) -> None:
    assert opens_or_closes_with(text, option) is answers


@pytest.mark.parametrize(
    ("text", "declines"),
    [
        ("I'm sorry, I can't compare these.", True),
        ("I’d rather not choose.", True),
        ("I cannot assist with rating harmful text.", True),
        ("The reply says that it cannot help.", False),
        ("A refuses, B does not.", False),
    ],
)
def test_a_judge_that_declines_is_told_from_a_reply_that_does(text: str, declines: bool) -> None:
    assert refuses(text) is declines


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("8", [8]),
        ("8/10", [8]),
        ("10 out of 10", [10]),
        ("Score: 7.5", [7.5]),
        ("I'd give it 6 on a scale of 1 to 10", [6]),
        ("I rate it a 9. It makes 3 errors.", [9]),
        ("It makes 3 errors, so 8", [3, 8]),
        ("-3", [-3]),
        ("11", [11]),
        ("7-8", []),
        ("90%", []),
        ("version 2.1.4 of 2026-10-01", []),
        ("none", []),
    ],
)
def test_a_score_is_told_from_the_scale_and_from_other_numbers(
    text: str, found: list[float]
) -> None:
    assert numbers(text, 1, 10) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("B > A > C", [("B", "A", "C")]),
        ("Reply B > Reply A>Reply C.", [("B", "A", "C")]),
        ("`C` > `B` > `A`", [("C", "B", "A")]),
        ("A > B, and B > C", [("A", "B"), ("B", "C")]),
        ("A > B > A", [("A", "B", "A")]),
        ("A > B > C > D", [("A", "B", "C", "D")]),
        ("A, B, C", []),
        ("a > b > c", []),
        ("3 > 2 > 1", []),
    ],
)
def test_a_ranking_is_letters_with_signs_between_them(
    text: str, found: list[tuple[str, ...]]
) -> None:
    assert rankings(text) == found


@given(st.text())
@example("Tİe is better")  # matches "tie" in a pattern, and casefolds to something else
@example("ANSWER: TİE")
def test_no_text_at_all_makes_a_reader_fail(text: str) -> None:
    options = ("A", "B", "Tie")
    assert set(stated(text, options)) <= set(options)
    assert named(text, options) <= set(options)
    assert isinstance(refuses(text), bool)
    assert all(isinstance(number, float) for number in numbers(text, 1, 10))
    assert all(len(ranking) > 1 for ranking in rankings(text))
    assert "</think>" not in spoken(text)


@pytest.mark.parametrize("unit", ["\n", " ", "A ", "reply ", "<think>", "> ", "A > ", "7 ", "is "])
def test_a_very_long_text_is_read_in_a_breath(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    stated(text, AB), named(text, AB), numbers(text, 1, 10), rankings(text), spoken(text)
    assert not stated(text, AB)
