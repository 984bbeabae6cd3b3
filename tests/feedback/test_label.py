from rlaif.constitution.principle import Constitution, Principle
from rlaif.feedback.label import LabelConfig, contract_of, label
from rlaif.judges.principles import Draw
from rlaif.records import Abstention, Comparison, Preference, Prompt, Response, Verdict

RULES = Constitution(
    name="rules",
    principles=(
        Principle(id="calm", text="The response is calm."),
        Principle(id="short", text="The response is short.", weight=3.0),
        Principle(id="safe", text="The response is safe.", scope=("harmful",)),
    ),
)


class Scripted:
    """A judge whose probability for a case comes from a function; None is an abstention."""

    name = contract = "scripted"

    def __init__(self, say):
        self.say = say
        self.asked = 0

    def decide(self, cases):
        for case in cases:
            self.asked += 1
            p = self.say(case)
            principle = case.principle.id
            if p is None:
                said = Abstention(
                    kind="refused", subject=case.comparison.id, by="s", principle=principle
                )
                yield case, said
            else:
                yield case, Verdict(p_first=p, judge="s", principle=principle)


def compare(name, first="One.", second="Two.", tags=()):
    prompt = Prompt.of(f"Prompt {name}", tags=tags)
    reply = {
        side: Response(id=f"{name}/{side}", prompt_id=prompt.id, text=text, author="p")
        for side, text in (("first", first), ("second", second))
    }
    return Comparison(id=name, prompt=prompt, first=reply["first"], second=reply["second"])


ALL = LabelConfig(principles="all")


def test_the_judges_answer_decides_which_reply_is_chosen():
    judge = Scripted(lambda case: 0.9 if case.comparison.id == "x" else 0.2)
    outcomes = {o.id: o for o in label([compare("x"), compare("y")], RULES, judge, ALL)}
    assert outcomes["x"].chosen.text == "One."
    assert outcomes["y"].chosen.text == "Two."
    assert outcomes["y"].p_chosen == 0.8
    assert [v.p_first for v in outcomes["y"].verdicts] == [0.8, 0.8]


def test_verdicts_are_weighed_and_kept_under_their_principles():
    judge = Scripted(lambda case: {"calm": 0.2, "short": 0.8}[case.principle.id])
    [preference] = list(label([compare("x")], RULES, judge, ALL))
    assert preference.p_chosen == (0.2 + 3 * 0.8) / 4
    kept = {v.principle: round(v.p_first, 9) for v in preference.verdicts}
    assert kept == {"calm": 0.2, "short": 0.8}
    assert preference.constitution == RULES.fingerprint
    assert preference.contract == contract_of(RULES, judge, ALL)


def test_a_principle_that_abstains_leaves_the_others_to_decide():
    judge = Scripted(lambda case: None if case.principle.id == "short" else 0.9)
    [preference] = list(label([compare("x")], RULES, judge, ALL))
    assert isinstance(preference, Preference)
    assert preference.p_chosen == 0.9
    assert [a.principle for a in preference.abstained] == ["short"]


def test_a_comparison_that_nobody_answers_abstains_with_the_reason():
    [outcome] = list(label([compare("x")], RULES, Scripted(lambda _: None), LabelConfig()))
    assert (outcome.kind, outcome.subject) == ("refused", "x")


def test_every_comparison_ends_as_exactly_one_outcome():
    comparisons = [
        compare("same", "One.", "One. "),
        compare("judged"),
        compare("unsure"),
        compare("dumb"),
    ]
    says = {"judged": 0.9, "unsure": 0.55, "dumb": None}
    judge = Scripted(lambda case: says[case.comparison.id])
    config = LabelConfig(principles="all", min_confidence=0.6)
    outcomes = list(label(comparisons, RULES, judge, config))
    ended = {o.subject if isinstance(o, Abstention) else o.id: o for o in outcomes}
    assert len(outcomes) == len(ended) == 4
    kinds = {name: getattr(o, "kind", "labelled") for name, o in ended.items()}
    assert kinds == {
        "same": "same",
        "judged": "labelled",
        "unsure": "unsure",
        "dumb": "no-principle",
    }


def test_equal_replies_are_never_put_to_the_judge():
    judge = Scripted(lambda _: 0.9)
    list(label([compare("x", "Same.", "Same.")], RULES, judge))
    assert judge.asked == 0


def test_a_prompt_that_no_principle_is_for_abstains():
    rules = RULES.model_copy(update={"principles": RULES.principles[2:]})
    [outcome] = list(label([compare("x", tags=("benign",))], rules, Scripted(lambda _: 0.9)))
    assert outcome.kind == "no-principle"
    assert "benign" in outcome.detail


def test_comparisons_are_pulled_only_as_the_judge_asks_for_them():
    pulled = []

    def endless():
        for number in range(10**9):
            pulled.append(number)
            yield compare(str(number))

    outcomes = label(endless(), RULES, Scripted(lambda _: 0.9), LabelConfig(principles=Draw()))
    next(outcomes)
    assert len(pulled) <= 2


def test_a_changed_sentence_is_another_contract_and_a_changed_reason_is_not():
    judge = Scripted(lambda _: 0.9)
    first, *rest = RULES.principles
    other = RULES.model_copy(
        update={"principles": (first.model_copy(update={"text": "The response is loud."}), *rest)}
    )
    explained = RULES.model_copy(
        update={"principles": (first.model_copy(update={"reasons": "People asked."}), *rest)}
    )
    assert contract_of(other, judge, ALL) != contract_of(RULES, judge, ALL)
    assert contract_of(explained, judge, ALL) == contract_of(RULES, judge, ALL)
