"""What is read of a reviewer's reply on two assistants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.answers.answer import Unread
from rlaif.answers.two import Scores, picked, two_scores


@pytest.mark.parametrize(
    ("text", "scores"),
    [
        ("9 8\nThe first is more detailed; the second has 3 steps of 4.", (9, 8)),
        ("8.5, 7", (8.5, 7)),
        ("(7, 10)\nThe second is right.", (7, 10)),
        ("The ends are (2, 2) and (10, 4).\n\nThe output tuple is (10, 3).", (10, 3)),
        ("f(2) = 39.\n\nScores:\nAssistant 1: 1 (wrong)\nAssistant 2: 6/10 (clear)", (1, 6)),
        ("I would give Assistant 1 a score of 10 and Assistant 2 a score of 1.", (10, 1)),
    ],
)
def test_two_scores_are_read_where_a_reviewer_states_them(
    text: str, scores: tuple[float, float]
) -> None:
    assert two_scores(text) == scores


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "empty"),
        ("<think>9 8", "empty"),
        ("The ends are (2, 2) and (10, 4).", "unreadable"),
        ("Assistant 1: 7\nAssistant 2 wrote nothing.", "unreadable"),
        ("I cannot compare these two.", "refused"),
        ("0 9\nThe first gave no answer.", "outside"),
        ("11 9", "outside"),
    ],
)
def test_what_gives_no_two_scores_is_an_abstention_with_its_text(text: str, kind: str) -> None:
    got = two_scores(text)
    assert isinstance(got, Unread)
    assert (got.kind, got.said) == (kind, text)


def test_more_points_win_and_as_many_are_a_tie() -> None:
    assert [Scores(*pair).choice for pair in ((9, 8), (7, 8), (8, 8))] == ["first", "second", "tie"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Both list 3 tips.\n\n2", "second"),
        ("1", "first"),
        ("They are alike, so I choose 3 as both are wrong.", "tie"),
    ],
)
def test_one_of_two_is_picked_or_neither(text: str, said: str) -> None:
    assert picked(text) == said


def test_an_error_in_place_of_a_reply_picks_nobody() -> None:
    assert isinstance(picked("error"), Unread)


@given(st.text())
def test_no_text_at_all_makes_a_reader_of_two_fail(text: str) -> None:
    assert isinstance(two_scores(text), (Scores, Unread))
    assert isinstance(picked(text), (str, Unread))
