"""Labels weighed anew say what labelling under the new weights would have said, and ask nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.constitution.principle import Constitution, Principle
from rlaif.errors import InputError
from rlaif.feedback.label import LabelConfig, label
from rlaif.feedback.reweigh import reweigh, reweighed
from rlaif.records import Abstention, Preference
from tests.judges.fakes import Says, compare

CALM = Principle(id="calm", text="The response is calm.")
SHORT = Principle(id="short", text="The response is short.")
ALL = LabelConfig(principles="all")


def rules(**changes):
    calm = CALM.model_copy(update=changes.get("calm", {}))
    short = SHORT.model_copy(update=changes.get("short", {}))
    return Constitution(name="rules", principles=(calm, short))


def labelled(calm=0.9, short=0.3, constitution=None):
    judge = Says(lambda case: {"calm": calm, "short": short}[case.principle.id])
    [made] = label([compare("x")], constitution or rules(), judge, ALL)
    return made


def test_a_heavier_principle_flips_a_label_that_it_spoke_against():
    before = labelled()
    assert (before.chosen.text, before.p_chosen) == ("One.", pytest.approx(0.6))
    after = reweighed(before, rules(short={"weight": 5.0}))
    assert after.chosen.text == "Two."
    assert after.p_chosen == pytest.approx(1 - (0.9 + 5 * 0.3) / 6)
    assert {v.principle: pytest.approx(v.p_first) for v in after.verdicts} == {
        "calm": 0.1, "short": 0.7,
    }  # fmt: skip


def test_a_new_veto_decides_alone():
    after = reweighed(labelled(short=0.05), rules(short={"veto": True}))
    assert after.p_chosen == pytest.approx(0.95)
    assert after.chosen.text == "Two."


weights = st.floats(0.1, 9)


@given(st.floats(0, 1), st.floats(0, 1), weights, weights, st.booleans())
def test_it_is_what_labelling_under_the_new_weights_gives(calm, short, one, other, is_veto):
    edited = rules(calm={"weight": one}, short={"weight": other, "veto": is_veto})
    after = reweighed(labelled(calm, short), edited)
    anew = labelled(calm, short, edited)
    assert after.p_chosen == pytest.approx(anew.p_chosen)
    if anew.p_chosen > 0.5 + 1e-9:
        assert after.chosen == anew.chosen
        assert after.rejected == anew.rejected
    assert after.constitution == anew.constitution


@given(st.floats(0, 1), st.floats(0, 1), weights)
def test_weighing_there_and_back_gives_the_label_that_was(calm, short, weight):
    before = labelled(calm, short)
    back = reweighed(reweighed(before, rules(calm={"weight": weight})), rules())
    assert back.p_chosen == pytest.approx(before.p_chosen)
    if before.p_chosen > 0.5 + 1e-9:
        assert back.chosen == before.chosen


def test_a_weight_and_a_reason_are_no_new_words_and_a_sentence_is():
    edited = rules(calm={"reasons": "people like it", "tags": ("tone",), "weight": 2.0})
    assert isinstance(reweighed(labelled(), edited), Preference)
    for change in (
        {"text": "The response is loud."},
        {"negated": "The response is loud."},
        {"when": "The user is upset."},
    ):
        with pytest.raises(InputError, match="rules: the principle 'calm' is worded otherwise"):
            reweighed(labelled(), rules(calm=change))


def test_labels_from_before_words_were_kept_are_refused_and_not_guessed():
    before = labelled()
    bare = tuple(v.model_copy(update={"wording": None}) for v in before.verdicts)
    with pytest.raises(InputError, match="worded otherwise"):
        reweighed(before.model_copy(update={"verdicts": bare}), rules())


def test_a_principle_that_is_gone_leaves_the_weighting_and_can_come_back():
    without = Constitution(name="less", principles=(SHORT,))
    after = reweighed(labelled(), without)
    assert (after.chosen.text, after.p_chosen) == ("Two.", pytest.approx(0.7))
    assert len(after.verdicts) == 2
    assert reweighed(after, rules()).p_chosen == pytest.approx(0.6)


def test_a_principle_that_is_no_longer_for_the_prompt_leaves_the_weighting():
    after = reweighed(labelled(), rules(calm={"scope": ("harmful",)}))
    assert after.p_chosen == pytest.approx(0.7)


def test_a_label_without_a_principle_left_abstains():
    other = Constitution(name="other", principles=(Principle(id="new", text="It is new."),))
    out = reweighed(labelled(), other)
    assert isinstance(out, Abstention)
    assert (out.kind, out.subject) == ("no-principle", "x")


def test_a_label_that_is_now_less_sure_than_asked_for_is_left_out():
    out = reweighed(labelled(), rules(short={"weight": 2.0}), min_confidence=0.6)
    assert (out.kind, out.subject) == ("unsure", "x")


def test_another_weight_is_another_contract():
    before = labelled()
    one, other = (reweighed(before, rules(calm={"weight": w})) for w in (2.0, 3.0))
    assert len({before.contract, one.contract, other.contract}) == 3


def test_what_people_labelled_comes_through_as_it_is():
    human = labelled().model_copy(update={"source": "human", "verdicts": ()})
    first, second = reweigh([human, labelled()], rules(short={"weight": 5.0}))
    assert first == human
    assert second.chosen != human.chosen
