"""What changed between two constitutions is said in words, principle by principle."""

from rlaif.constitution.diff import diff, words_changed
from rlaif.constitution.principle import Constitution, Example, Principle, Proposition

KIND = Principle(id="kind", text="The response is kind.")
BRIEF = Principle(id="brief", text="The response is brief.")


def told(before: list[Principle], after: list[Principle]) -> list[str]:
    old, new = (Constitution(name="c", principles=tuple(rules)) for rules in (before, after))
    return [str(change) for change in diff(old, new)]


def test_nothing_changed_is_no_line() -> None:
    assert told([KIND, BRIEF], [KIND, BRIEF]) == []


def test_another_order_is_no_change() -> None:
    assert told([KIND, BRIEF], [BRIEF, KIND]) == []


def test_a_new_and_a_gone_principle_are_told_with_their_sentences() -> None:
    assert told([KIND], [BRIEF]) == [
        '+ brief   "The response is brief."',
        '- kind   "The response is kind."',
    ]


def test_a_reworded_sentence_shows_both() -> None:
    reworded = KIND.model_copy(update={"text": "The response is gentle."})
    assert told([KIND], [reworded]) == [
        '~ kind   "The response is kind." → "The response is gentle."'
    ]


def test_weight_veto_and_scope_are_told() -> None:
    changed = KIND.model_copy(update={"weight": 2.0, "veto": True, "scope": ("harmful",)})
    assert told([KIND], [changed]) == [
        "~ kind   weight: 1.0 → 2.0",
        "~ kind   veto: False → True",
        "~ kind   scope: none → harmful",
    ]


def test_a_when_its_propositions_and_its_examples_are_told() -> None:
    rhymes = Proposition(text="It rhymes.", sign=-1, weight=2.0)
    shown = Example(prompt="Hi", better="Good day.", worse="No.")
    changed = KIND.model_copy(
        update={"when": "The user asks.", "propositions": (rhymes,), "examples": (shown,)}
    )
    assert told([KIND], [changed]) == [
        "~ kind   when: none → The user asks.",
        "~ kind   propositions: none → -2 It rhymes.",
        "~ kind   examples: 0 → 1, not the same pairs",
    ]


def test_a_propositions_new_weight_is_told() -> None:
    before = KIND.model_copy(update={"propositions": (Proposition(text="It rhymes."),)})
    after = KIND.model_copy(update={"propositions": (Proposition(text="It rhymes.", weight=3.0),)})
    assert told([before], [after]) == ["~ kind   propositions: +1 It rhymes. → +3 It rhymes."]


def test_a_new_name_for_the_same_sentence_is_a_renaming() -> None:
    assert told([KIND], [KIND.model_copy(update={"id": "gentle"})]) == [
        "~ gentle   was called 'kind'"
    ]


def test_what_no_judge_sees_is_no_change() -> None:
    assert told([KIND], [KIND.model_copy(update={"reasons": "it helps", "tags": ("t",)})]) == []


def test_changes_are_summed_up_in_a_line() -> None:
    reworded = KIND.model_copy(update={"text": "The response is gentle.", "weight": 3.0})
    changes = diff(
        Constitution(name="c", principles=(KIND,)),
        Constitution(name="c", principles=(reworded, BRIEF)),
    )
    assert words_changed(changes) == "1 principle changed, 1 added"
    assert words_changed([]) == "nothing that a judge sees changed"
