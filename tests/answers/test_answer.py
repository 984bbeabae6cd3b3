"""From a completion to what was read, or to the reason why nothing could be."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rlaif.answers.answer import Answer, Kind, Read, Unread, letters
from rlaif.records import Completion

YES_NO = Answer(kind="options", options=("Yes", "No"))
A_B = Answer(kind="options", options=("A", "B"))
SCORE = Answer(kind="score")
BEST = Answer(kind="best").among(3)
RANKING = Answer(kind="ranking").among(3)
TEXT = Answer()


def said(text: str = "", **logprobs: float) -> Completion:
    return Completion(text=text, model="m", option_logprobs=logprobs or None)


def scored(*shares: float) -> Completion:
    logprobs = {str(i): math.log(p) for i, p in enumerate(shares, start=1) if p}
    return Completion(text="", model="m", option_logprobs=logprobs)


@pytest.mark.parametrize(
    ("answer", "text", "kind"),
    [
        (YES_NO, "", "empty"),
        (YES_NO, "<think>I never stop", "empty"),
        (YES_NO, "Perhaps.", "outside"),
        (YES_NO, "Nothing", "outside"),  # begins like "No" and is another word
        (YES_NO, "Yes and No", "ambiguous"),
        (YES_NO, "That depends.", "unreadable"),
        (YES_NO, "I'm sorry, I can't judge this.", "refused"),
        (A_B, "C", "outside"),
        (A_B, "A tie.", "unreadable"),
        (A_B, "A or B, who knows", "ambiguous"),
        (A_B, "A is better. B is better.", "ambiguous"),
        (A_B, "B lacks detail, I find.", "unreadable"),
        (A_B, "I cannot say whether A or B is better.", "refused"),
        (SCORE, "11", "outside"),
        (SCORE, "It makes 3 errors, so 8", "ambiguous"),
        (SCORE, "quite good", "unreadable"),
        (SCORE, "good", "outside"),
        (SCORE, "I won't rate this.", "refused"),
        (RANKING, "B > A", "incomplete"),
        (RANKING, "A > B > A", "incomplete"),
        (RANKING, "A > B > C > A", "incomplete"),
        (RANKING, "A > B > C > D", "incomplete"),
        (RANKING, "A > B > C, or C > B > A", "ambiguous"),
        (RANKING, "A, B, C", "unreadable"),
        (BEST, "A", "no-logprobs"),
        (TEXT, " \n", "empty"),
    ],
)
def test_each_way_of_saying_nothing_has_a_kind_and_keeps_the_raw_text(
    answer: Answer, text: str, kind: str
) -> None:
    read = answer.read(said(text))
    assert isinstance(read, Unread)
    assert (read.kind, read.said) == (kind, text)


@pytest.mark.parametrize("text", ["No", "no.", "**No**", "(no)", "No, it does not.", "Answer: No"])
def test_a_word_is_read_however_it_is_dressed(text: str) -> None:
    read = YES_NO.read(said(text))
    assert isinstance(read, Read)
    assert (read.probabilities, read.how) == ({"Yes": 0.0, "No": 1.0}, "letter")


def test_a_lone_letter_is_read_in_either_case() -> None:
    read = A_B.read(said("b"))
    assert isinstance(read, Read)
    assert read.probabilities == {"A": 0.0, "B": 1.0}


def test_a_judge_that_reasons_is_read_by_the_verdict_it_states_last() -> None:
    last = A_B.model_copy(update={"pick": "last"})
    read = last.read(said("At first A is better. On balance, B is better. A is too long."))
    assert isinstance(read, Read)
    assert read.probabilities == {"A": 0.0, "B": 1.0}
    unsure = last.read(said("A lacks warmth. B lacks detail and"))  # broke off before its verdict
    assert isinstance(unsure, Unread)


def test_options_are_normalised_and_their_mass_kept() -> None:
    read = YES_NO.read(said("Yes", Yes=math.log(0.4), No=math.log(0.2)))
    assert isinstance(read, Read)
    assert read.probabilities["Yes"] == pytest.approx(2 / 3)
    assert read.mass == pytest.approx(0.6)


def test_little_mass_on_the_options_is_no_answer() -> None:
    read = YES_NO.read(said("So", Yes=-3.0, No=-3.0))
    assert isinstance(read, Unread)
    assert (read.kind, read.said) == ("no-mass", "So")


@pytest.mark.parametrize("value", [math.nan, math.inf, 5.0, 1e308])
def test_what_is_no_log_probability_is_not_taken_for_one(value: float) -> None:
    read = YES_NO.read(said("Yes", Yes=value, No=-1.0))
    assert isinstance(read, Unread)
    assert read.kind == "no-logprobs"


def test_log_probabilities_that_are_needed_and_missing_are_no_answer() -> None:
    needs = YES_NO.model_copy(update={"need": "logprobs"})
    read = needs.read(said("Yes"))
    assert isinstance(read, Unread)
    assert read.kind == "no-logprobs"


def test_a_clamp_keeps_an_answer_from_certainty_however_it_was_read() -> None:
    clamped = A_B.model_copy(update={"clamp": (0.4, 0.6)})
    for completion in (said("A"), said("A", A=-0.001, B=-9.0)):
        read = clamped.read(completion)
        assert isinstance(read, Read)
        assert clamped.p_first(read) == 0.6
        assert read.probabilities == {"A": 0.6, "B": 0.4}


def test_half_of_a_tie_counts_for_each_reply() -> None:
    ties = Answer(kind="options", options=("A", "B", "Tie"))
    read = ties.read(said("", A=math.log(0.5), B=math.log(0.1), Tie=math.log(0.4)))
    assert isinstance(read, Read)
    assert ties.p_first(read) == pytest.approx(0.7)
    word = ties.read(said("Tie"))
    assert isinstance(word, Read)
    assert ties.p_first(word) == 0.5


def test_asked_for_the_worse_reply_the_answer_is_turned_round() -> None:
    worse = Answer(kind="options", options=("A", "B"), asks="worse")
    read = worse.read(said("", A=math.log(0.9), B=math.log(0.1)))
    assert isinstance(read, Read)
    assert worse.p_first(read) == pytest.approx(0.1)
    # "B is better" answers another question than the one that was asked.
    assert isinstance(worse.read(said("B is better than A.")), Unread)


@pytest.mark.parametrize(
    ("shares", "value"),
    [
        ([0] * 9 + [1.0], 1.0),
        ([1.0] + [0] * 9, -1.0),
        ([0.1] * 10, 0.0),
        # 2·(0.5·7 + 0.5·10 − 1)/9 − 1 = 2·7.5/9 − 1
        ([0, 0, 0, 0, 0, 0, 0.25, 0, 0, 0.25], 2 / 3),
    ],
)
def test_a_score_is_the_expected_value_between_minus_one_and_one(
    shares: list[float], value: float
) -> None:
    read = SCORE.read(scored(*shares))
    assert isinstance(read, Read)
    assert read.value == pytest.approx(value)


def test_a_score_from_text_alone_is_the_number() -> None:
    read = SCORE.read(said("Score: 7.75/10"))
    assert isinstance(read, Read)
    assert (read.value, read.how, read.mass) == (pytest.approx(0.5), "score", None)


def test_a_score_among_other_numbers_is_the_last_where_that_is_asked_for() -> None:
    last = SCORE.model_copy(update={"pick": "last"})
    read = last.read(said("It makes 3 errors, so 10. Not 11."))
    assert isinstance(read, Read)
    assert read.value == 1.0


def test_the_letters_share_the_probability_of_being_best() -> None:
    read = BEST.read(said("B", A=math.log(0.2), B=math.log(0.6)))
    assert isinstance(read, Read)
    assert read.probabilities == pytest.approx({"A": 0.25, "B": 0.75, "C": 0.0})


def test_a_ranking_is_read_best_first() -> None:
    read = RANKING.read(said("<think>A > B > C?</think>\nC > A > B"))
    assert isinstance(read, Read)
    assert (read.order, read.how) == (("C", "A", "B"), "ranking")


def test_log_probabilities_are_asked_for_only_where_the_first_token_is_the_answer() -> None:
    assert A_B.scored == ("A", "B")
    assert SCORE.scored == tuple(str(number) for number in range(1, 11))
    assert BEST.scored == ("A", "B", "C")
    assert A_B.model_copy(update={"pick": "last"}).scored == ()
    assert TEXT.scored == RANKING.scored == ()
    # What came back all the same is not what was asked for.
    assert isinstance(TEXT.read(said("Well", A=-0.1)), Read)


def test_there_are_letters_for_26_replies() -> None:
    assert letters(3) == ("A", "B", "C")
    assert len(letters(26)) == 26


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"kind": "options", "options": ("A",)}, "at least two"),
        ({"kind": "options", "options": ("A", "a")}, "the same word"),
        ({"kind": "score", "low": 5, "high": 5}, "`low` must be below `high`"),
        ({"kind": "text", "floor": 0.1}, "`floor` means nothing where `kind` is 'text'"),
        ({"kind": "score", "clamp": (0.4, 0.6)}, "`clamp` means nothing"),
        ({"kind": "options", "options": ("A", "B"), "high": 5}, "`high` means nothing"),
        ({"kind": "ranking", "certainty": 0.5}, "certainty"),
    ],
)
def test_a_setting_that_nothing_reads_is_refused(fields: dict[str, object], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        Answer.model_validate(fields)


ANSWERS = st.builds(
    lambda kind, pick, need, asks, floor: Answer(
        kind=kind,
        options=("A", "B", "C") if kind == "options" else (),
        **({"pick": pick} if kind in ("options", "score", "ranking") else {}),
        **({"need": need} if kind in ("options", "score") else {}),
        **({"asks": asks} if kind in ("options", "best", "ranking") else {}),
        **({"floor": floor} if kind in ("options", "score", "best") else {}),
    ),
    st.sampled_from(Kind.__args__),
    st.sampled_from(["only", "last"]),
    st.sampled_from(["logprobs", "any"]),
    st.sampled_from(["better", "worse"]),
    st.floats(0, 1),
)
SAYINGS = st.text() | st.lists(
    st.sampled_from(["A", "B", "C", ">", "is better", "not", "8", "/10", "<think>", "</think>",
                     "\n", ":", "Answer", "I can't", "D", "**"])
).map(" ".join)  # fmt: skip
LOGPROBS = st.none() | st.dictionaries(
    st.sampled_from(["A", "B", "C", "1", "10", "x"]), st.floats(allow_nan=True)
)


@given(ANSWERS, SAYINGS, LOGPROBS)
def test_any_string_at_all_is_read_or_unread_and_never_an_exception(
    answer: Answer, text: str, logprobs: dict[str, float] | None
) -> None:
    asked = answer.among(3) if answer.kind in ("best", "ranking") else answer
    got = asked.read(Completion(text=text, model="m", option_logprobs=logprobs))
    if isinstance(got, Unread):
        assert got.said == text
        return
    assert -1 <= got.value <= 1
    assert not got.probabilities or sum(got.probabilities.values()) == pytest.approx(1)
    assert sorted(got.order) in ([], ["A", "B", "C"])
    if asked.kind == "options":
        assert 0 <= asked.p_first(got) <= 1
