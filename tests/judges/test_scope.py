"""A principle with a `when` judges the prompts of which it is true, and asks once a prompt."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.backends.scripted import ScriptedBackend
from rlaif.constitution.principle import Constitution, Principle
from rlaif.errors import InputError, TemplateError
from rlaif.judges.scope import AskedConditions, Question, in_scope
from rlaif.records import Abstention, Completion, Failure, Prompt
from rlaif.templates import Template
from tests.judges.fakes import Knows

PLAIN = Principle(id="plain", text="The response is plain.")
MEDICAL = Principle(id="warns", text="The response warns.", when="The user asks about medicine.")
LEGAL = Principle(id="cites", text="The response cites.", when="The user asks about law.")
HARMFUL = Principle(
    id="careful", text="It is careful.", scope=("harmful",), when="The user asks about medicine."
)
RULES = Constitution(name="rules", principles=(PLAIN, MEDICAL, LEGAL, HARMFUL))


def about(question):
    word = question.when.split()[-1].rstrip(".")
    return word in question.prompt.text


def scopes(prompts, conditions, rules=RULES):
    found = in_scope(prompts, lambda prompt: prompt, rules, conditions)
    return {prompt.id: scope for prompt, scope in found}


def names(scope):
    return [principle.id for principle in scope.principles]


def test_a_principle_is_in_scope_where_its_when_is_true():
    prompts = [Prompt.of("about law"), Prompt.of("about medicine"), Prompt.of("about tea")]
    found = [names(scope) for scope in scopes(prompts, Knows(about)).values()]
    assert found == [["plain", "cites"], ["plain", "warns"], ["plain"]]


def test_tags_and_when_must_both_let_a_principle_through():
    prompts = [
        Prompt.of("about medicine", id="tagged", tags=("harmful",)),
        Prompt.of("about tea", id="other", tags=("harmful",)),
    ]
    found = scopes(prompts, Knows(about))
    assert names(found["tagged"]) == ["plain", "warns", "careful"]
    assert names(found["other"]) == ["plain"]


def test_what_the_tags_leave_out_is_never_asked():
    rules = Constitution(name="r", principles=(PLAIN, HARMFUL))
    conditions = Knows(about)
    scopes([Prompt.of("about medicine")], conditions, rules)
    assert conditions.asked == []


def test_a_when_that_two_principles_share_is_asked_once_a_prompt_whatever_is_made_of_it():
    conditions = Knows(about)
    tagged = Prompt.of("about medicine", tags=("harmful",))
    list(in_scope([tagged] * 6, lambda prompt: prompt, RULES, conditions))
    asked = [question.when for question in conditions.asked]
    assert sorted(asked) == [LEGAL.when, MEDICAL.when]


def test_nobody_could_say_leaves_the_principle_out_and_is_told():
    conditions = Knows(lambda question: "timeout" if "medicine" in question.when else True)
    [scope] = scopes([Prompt.of("x")], conditions).values()
    assert names(scope) == ["plain", "cites"]
    [silent] = scope.abstained
    assert (silent.kind, silent.principle) == ("timeout", "warns")
    assert silent.detail.startswith("when: ")


def test_a_constitution_without_a_when_needs_nobody_to_answer():
    rules = Constitution(name="r", principles=(PLAIN,))
    assert names(scopes([Prompt.of("x")], None, rules)[Prompt.of("x").id]) == ["plain"]


def test_a_when_that_nobody_answers_is_one_clear_error():
    with pytest.raises(InputError, match=r"rules: the principle 'warns' has a `when`, and nobody"):
        scopes([Prompt.of("x")], None)


def test_items_are_pulled_only_as_they_are_wanted():
    pulled = []

    def endless():
        for number in range(10**9):
            pulled.append(number)
            yield Prompt.of(f"{number} about tea")

    stream = in_scope(endless(), lambda prompt: prompt, RULES, Knows(about))
    next(stream)
    assert len(pulled) <= 3


def test_prompts_that_need_no_question_do_not_pile_up_behind_one_that_does():
    rules = Constitution(name="r", principles=(PLAIN, HARMFUL))
    pulled = []

    def items():
        yield Prompt.of("about medicine", tags=("harmful",))
        for number in range(10**9):
            pulled.append(number)
            yield Prompt.of(f"{number} about tea")

    next(in_scope(items(), lambda prompt: prompt, rules, Knows(about, window=64)))
    assert len(pulled) < 1000


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.booleans()), max_size=40),
    st.integers(1, 9),
)
def test_each_item_comes_back_once_in_its_own_scope(drawn, window):
    items = [
        (Prompt.of(f"{letter} about medicine" if is_medical else letter), number)
        for number, (letter, is_medical) in enumerate(drawn)
    ]
    found = list(in_scope(items, lambda item: item[0], RULES, Knows(about, window=window)))
    assert sorted(number for (_, number), _ in found) == list(range(len(drawn)))
    for (prompt, _), scope in found:
        assert ("warns" in names(scope)) == ("medicine" in prompt.text)


def ask(said):
    conditions = AskedConditions(ScriptedBackend(lambda _: said), Template.load("when"))
    [(_, answer)] = conditions.hold([Question(Prompt.of("Hi", id="hi"), "The user greets.")])
    return answer


def test_the_model_is_asked_about_the_prompt_and_answers_yes_or_no():
    def yes(p):
        logprobs = {"Yes": math.log(p), "No": math.log(1 - p)}
        return Completion(text="", model="m", option_logprobs=logprobs)

    assert ask(yes(0.8)) is True
    assert ask(yes(0.2)) is False
    assert ask("Yes.") is True
    backend = ScriptedBackend(lambda _: "No")
    list(AskedConditions(backend, Template.load("when")).hold([Question(Prompt.of("Hi"), "W.")]))
    assert "Hi" in backend.seen[0].messages[-1].content
    assert "Statement: W." in backend.seen[0].messages[-1].content


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Failure(kind="timeout"), "timeout"),
        ("I would rather not say.", "refused"),
        ("It depends on the weather.", "unreadable"),
        ("", "empty"),
    ],
)
def test_an_answer_about_a_prompt_that_cannot_be_read_is_an_abstention(said, kind):
    answer = ask(said)
    assert isinstance(answer, Abstention)
    assert (answer.kind, answer.subject) == (kind, "hi")


def test_a_prompt_file_that_asks_something_else_is_refused():
    with pytest.raises(TemplateError, match="takes `prompt` and `when`"):
        AskedConditions(ScriptedBackend(lambda _: "Yes"), Template.load("absolute"))
