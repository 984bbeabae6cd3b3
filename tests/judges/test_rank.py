"""K replies in one question: each case of the group has its answer from it, whatever the order."""

import itertools
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlaif.backends.scripted import ScriptedBackend
from rlaif.constitution.principle import Principle
from rlaif.errors import InputError
from rlaif.judges.base import Case
from rlaif.judges.rank import RankJudge
from rlaif.records import Abstention, Comparison, Completion, Failure, Prompt, Response, Verdict
from rlaif.templates import Template

BEST, WRITTEN = Template.load("rank"), Template.load("rank-written")
KIND = Principle(id="kind", text="The response is kind.")
BRIEF = Principle(id="brief", text="The response is brief.")


def group(count, name="g", principles=(KIND,)):
    prompt = Prompt.of(f"Question {name}", id=name)
    replies = [
        Response(id=f"{name}/{n}", prompt_id=name, text=f"reply {n}", author="a")
        for n in range(count)
    ]
    return [
        Case(Comparison(id=f"{a.id}~{b.id}", prompt=prompt, first=a, second=b, group=name), one)
        for a, b in itertools.combinations(replies, 2)
        for one in principles
    ]


def shown(request):
    """Give the letter that each reply stands under."""
    text = request.messages[-1].content
    found = re.findall(r"<reply_([a-z])>\n(.*?)\n</reply_\1>", text, re.DOTALL)
    return {reply: letter.upper() for letter, reply in found}


def by_worth(worth):
    """A judge that knows each reply's worth, and is asked which is best."""

    def say(request):
        letters = shown(request)
        total = sum(worth(reply) for reply in letters)
        logprobs = {o: math.log(worth(reply) / total) for reply, o in letters.items()}
        return Completion(text="", model="s", option_logprobs=logprobs)

    return say


def by_number(request):
    letters = shown(request)
    return " > ".join(letters[reply] for reply in sorted(letters, reverse=True))


def worth_of(reply):
    return 1.0 + int(reply.split()[1])


def decided(script, cases, template=BEST, **options):
    backend = ScriptedBackend(script)
    found = list(RankJudge(backend, template, **options).decide(cases))
    assert sorted(map(id, cases)) == sorted(id(case) for case, _ in found)
    return {case.comparison.id: outcome for case, outcome in found}, backend.seen


@pytest.mark.parametrize("orders", ["both", "one"])
def test_one_question_for_the_group_answers_each_of_its_pairs(orders):
    outcomes, seen = decided(by_worth(worth_of), group(4), orders=orders)
    assert len(seen) == (4 if orders == "both" else 1)
    for name, verdict in outcomes.items():
        first, second = (int(part.rsplit("/", 1)[1]) + 1 for part in name.split("~"))
        assert verdict.p_first == pytest.approx(first / (first + second))
        assert verdict.read == "logprobs"


def test_a_written_ranking_is_asked_for_in_every_rotation_and_its_reverse():
    outcomes, seen = decided(by_number, group(3), WRITTEN)
    displays = {tuple(shown(request)) for request in seen}
    assert len(seen) == len(displays) == 6
    assert [verdict.p_first for verdict in outcomes.values()] == [pytest.approx(0.1)] * 3
    assert len(decided(by_number, group(2), WRITTEN)[1]) == 2


def test_each_reply_stands_once_in_each_place():
    _, seen = decided(by_worth(worth_of), group(5))
    for letter in "ABCDE":
        assert {next(r for r, o in shown(q).items() if o == letter) for q in seen} == {
            f"reply {n}" for n in range(5)
        }


def test_the_first_order_is_drawn_by_the_group_and_not_by_the_order_of_its_pairs():
    cases = group(4)
    _, one = decided(by_worth(worth_of), cases, orders="one")
    _, same = decided(by_worth(worth_of), cases[::-1], orders="one")
    assert list(shown(one[0])) == list(shown(same[0]))
    drawn = {
        tuple(shown(decided(by_worth(worth_of), group(4, f"g{n}"), orders="one")[1][0]))
        for n in range(12)
    }
    assert len(drawn) > 6


def test_principles_and_groups_are_asked_about_apart():
    cases = group(3, "g", (KIND, BRIEF)) + group(2, "h") + group(3, "g2", (BRIEF,))
    outcomes, seen = decided(by_worth(worth_of), cases, orders="one")
    assert len(outcomes) == 3 + 1 + 3
    asked = [q.messages[-1].content for q in seen]
    assert len(asked) == 4
    assert ["kind." in text for text in asked] == [True, False, True, False]


def test_pairs_without_a_group_are_asked_about_each_by_itself():
    cases = [Case(case.comparison.model_copy(update={"group": None}), KIND) for case in group(3)]
    outcomes, seen = decided(by_worth(worth_of), cases, orders="one")
    assert len(seen) == len(outcomes) == 3


def test_groups_go_out_as_they_end_and_the_last_one_too():
    pulled = []

    def cases():
        for name in ("one", "two", "three"):
            for case in group(3, name):
                pulled.append(case)
                yield case

    stream = RankJudge(ScriptedBackend(by_worth(worth_of)), BEST).decide(cases())
    next(stream)
    assert len(pulled) == 4  # the first of the next group says that the group is whole
    assert len(list(stream)) == 8


def test_a_reply_that_stands_twice_is_shown_once_and_equal_replies_have_no_verdict():
    cases = group(3)
    twin = cases[0].comparison.first
    equal = [
        Case(c.comparison.model_copy(update={"second": twin}), KIND) for c in cases[:1]
    ] + cases[1:]
    outcomes, seen = decided(by_worth(worth_of), equal, orders="one")
    assert len(shown(seen[0])) == 3
    assert [o.kind for o in outcomes.values() if isinstance(o, Abstention)] == ["same"]


@pytest.mark.parametrize("asks", ["better", "worse"])
@pytest.mark.parametrize("negated", [None, "The response is unkind."])
def test_negation_turns_every_pair_round(asks, negated):
    principle = KIND.model_copy(update={"negated": negated})
    answer = BEST.answer.model_copy(update={"asks": asks})
    template = BEST.model_copy(update={"answer": answer})
    outcomes, _ = decided(by_worth(worth_of), group(2, principles=(principle,)), template)
    [verdict] = outcomes.values()
    is_turned = (asks == "worse") != (negated is not None)
    assert verdict.p_first == pytest.approx(2 / 3 if is_turned else 1 / 3)


@pytest.mark.parametrize(
    ("template", "said", "kind"),
    [
        (BEST, "B", "no-logprobs"),
        (BEST, Completion(text="", model="s", option_logprobs={"A": -9.0}), "no-mass"),
        (BEST, Failure(kind="timeout"), "timeout"),
        (WRITTEN, "B > A", "incomplete"),
        (WRITTEN, "A > B > A", "incomplete"),
        (WRITTEN, "They are all fine.", "unreadable"),
        (WRITTEN, "", "empty"),
    ],
)
def test_a_question_without_an_answer_leaves_each_pair_with_its_kind(template, said, kind):
    outcomes, _ = decided(lambda _: said, group(3), template, orders="one")
    assert [outcome.kind for outcome in outcomes.values()] == [kind] * 3


def test_one_display_without_an_answer_abstains_or_is_left_out_as_asked_for():
    def script():
        calls = itertools.count()
        return lambda request: (
            Failure(kind="timeout") if next(calls) == 1 else by_worth(worth_of)(request)
        )

    strict, _ = decided(script(), group(3))
    assert {(o.kind, o.detail) for o in strict.values()} == {("one-order", "timeout: ")}
    lenient, _ = decided(script(), group(3), orders="any")
    assert [o.evidence["displays"] for o in lenient.values()] == [2.0] * 3
    assert lenient["g/0~g/1"].p_first == pytest.approx(1 / 3)


def test_two_replies_that_no_letter_speaks_for_have_no_verdict():
    def say(request):
        letter = shown(request)["reply 0"]
        return Completion(text=letter, model="s", option_logprobs={letter: -0.01})

    outcomes, _ = decided(say, group(3))
    assert outcomes["g/0~g/1"].p_first == 1.0
    assert outcomes["g/1~g/2"].kind == "no-mass"


def test_more_replies_than_letters_is_an_error_that_names_the_group():
    with pytest.raises(InputError, match="g: 27 replies to rank at once, and 26 is the most"):
        decided(by_worth(worth_of), group(27))


@settings(max_examples=30)
@given(st.integers(2, 5), st.data())
def test_whatever_ranking_of_places_is_always_given_every_pair_ends_in_a_tie(count, data):
    fixed = data.draw(st.permutations("ABCDE"[:count]))
    outcomes, _ = decided(lambda _: " > ".join(fixed), group(count), WRITTEN)
    for verdict in outcomes.values():
        assert isinstance(verdict, Verdict)
        assert verdict.p_first == pytest.approx(0.5)


@settings(max_examples=30)
@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=5))
def test_whatever_places_a_judge_favours_by_themselves_every_pair_ends_in_a_tie(shares):
    def say(_):
        total = sum(shares)
        logprobs = {o: math.log(s / total) for o, s in zip("ABCDE", shares, strict=False)}
        return Completion(text="", model="s", option_logprobs=logprobs)

    outcomes, _ = decided(say, group(len(shares)))
    assert all(o.p_first == pytest.approx(0.5) for o in outcomes.values())
