import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rlaif.records import (
    Abstention,
    Comparison,
    Message,
    Preference,
    Prompt,
    Request,
    Response,
    Verdict,
    canonical_json,
    fingerprint_of,
)

text = st.text(min_size=1)
names = st.text(min_size=1, max_size=20)
prompts = st.builds(Prompt.of, text, id=names, tags=st.lists(names, max_size=3).map(tuple))
responses = st.builds(
    Response, id=names, prompt_id=names, text=text, author=names, parent=st.none() | names
)
comparisons = st.builds(
    Comparison, id=names, prompt=prompts, first=responses, second=responses, group=st.none() | names
)
verdicts = st.builds(
    Verdict,
    p_first=st.floats(0, 1),
    judge=names,
    principle=st.none() | names,
    evidence=st.dictionaries(names, st.floats(0, 1), max_size=3),
)
abstentions = st.builds(
    Abstention, kind=st.sampled_from(["empty", "no-mass"]), subject=names, by=names, detail=text
)


@given(st.one_of(prompts, responses, comparisons, verdicts, abstentions))
def test_a_record_written_and_read_again_is_the_same(record):
    again = type(record).model_validate_json(record.model_dump_json(exclude_defaults=True))
    assert again == record
    assert again.fingerprint == record.fingerprint


@given(comparisons)
def test_swapping_twice_gives_back_the_same_question(comparison):
    assert comparison.swapped().swapped() == comparison


@given(verdicts)
def test_a_verdict_swapped_twice_is_the_same_to_the_bit(verdict):
    assert verdict.swapped().swapped() == verdict


def test_swapping_a_verdict_turns_its_figures_of_the_replies_and_leaves_those_of_the_orders():
    figures = {"holds_first": 0.9, "holds_second": 0.2, "p_forward": 0.8, "a/p_first": 0.75}
    swapped = Verdict(p_first=0.8, judge="j", evidence=figures).swapped()
    assert list(swapped.evidence.items()) == [
        ("holds_first", 0.2), ("holds_second", 0.9), ("p_forward", 0.8), ("a/p_first", 0.25),
    ]  # fmt: skip
    lone = Verdict(p_first=0.8, judge="j", evidence={"holds_first": 0.9}).swapped()
    assert lone.evidence == {"holds_second": 0.9}


@given(verdicts)
def test_swapping_turns_the_choice_round_and_leaves_a_tie(verdict):
    mirror = {"first": "second", "second": "first", "tie": "tie"}
    assert verdict.swapped().choice == mirror[verdict.choice]


@given(responses, st.text(min_size=1))
def test_a_changed_text_is_another_fingerprint(response, other):
    changed = response.model_copy(update={"text": response.text + other})
    assert changed.fingerprint != response.fingerprint


@given(st.dictionaries(names, st.integers() | text))
def test_the_order_of_keys_does_not_change_a_fingerprint(data):
    backwards = dict(reversed(data.items()))
    assert canonical_json(backwards) == canonical_json(data)
    assert fingerprint_of(backwards) == fingerprint_of(data)


def test_a_records_fingerprint_is_not_carried_over_by_a_copy(prompt):
    assert prompt.fingerprint
    assert prompt.model_copy(update={"id": "other"}).fingerprint != prompt.fingerprint


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_number_that_is_no_probability_is_refused(p):
    with pytest.raises(ValidationError):
        Verdict(p_first=p, judge="j")


def test_records_are_frozen_and_refuse_unknown_fields(prompt):
    with pytest.raises(ValidationError, match="frozen"):
        prompt.id = "other"
    with pytest.raises(ValidationError, match="extra"):
        Response(id="r", prompt_id="p", text="t", author="a", wieght=1)


def test_a_prompt_must_await_the_assistant():
    with pytest.raises(ValidationError, match="last message must be the user's"):
        Prompt(id="p", messages=(Message(role="assistant", content="Hi"),))


def test_a_preference_cannot_be_for_the_reply_that_lost(prompt):
    reply = Response(id="r", prompt_id=prompt.id, text="t", author="a")
    with pytest.raises(ValidationError, match="swap `chosen` and `rejected`"):
        Preference(
            id="p",
            prompt=prompt,
            chosen=reply,
            rejected=reply,
            p_chosen=0.4,
            source="human",
            by="people",
        )


def test_what_is_asked_does_not_depend_on_the_requests_name():
    message = Message(role="user", content="Hi")
    one, other = (Request(id=name, messages=(message,)) for name in ("one", "other"))
    assert one.wanted == other.wanted


def test_a_conversation_is_told_as_text_turn_by_turn():
    turns = [("user", "Hi"), ("assistant", "Hello"), ("user", "Bye")]
    messages = tuple(Message(role=role, content=said) for role, said in turns)
    assert Prompt(id="p", messages=messages).text == "User: Hi\nAssistant: Hello\nUser: Bye"
