"""What people chose sets a judge's figures, matched pair by pair."""

import math

import pytest

from rlaif.backends.scripted import ScriptedBackend
from rlaif.constitution.principle import Constitution, Principle, Proposition
from rlaif.errors import InputError
from rlaif.feedback.calibrate import calibrated, weighed
from rlaif.feedback.label import LabelConfig, label
from rlaif.judges.absolute import AbsoluteJudge, Calibration
from rlaif.records import Completion, Preference, Verdict
from rlaif.templates import Template
from tests.judges.fakes import Says, compare

PLAIN = Constitution(name="plain", principles=(Principle(id="kind", text="It is kind."),))
RULES = Constitution(
    name="rules",
    principles=(
        Principle(
            id="well",
            text="It declines well.",
            propositions=(
                Proposition(text="It declines.", weight=1.0),
                Proposition(text="It rhymes.", weight=3.0),
            ),
        ),
        Principle(id="kind", text="It is kind."),
    ),
)


def judge(share_of):
    def answer(request):
        share = share_of(request.messages[-1].content)
        logprobs = {"Yes": math.log(share), "No": math.log(1 - share)}
        return Completion(text="", model="s", option_logprobs=logprobs)

    return AbsoluteJudge(ScriptedBackend(answer), Template.load("absolute"))


def people(comparison, *, first_is_better=True):
    pair = (comparison.first, comparison.second)
    chosen, rejected = pair if first_is_better else pair[::-1]
    return Preference(
        id=comparison.id, prompt=comparison.prompt, chosen=chosen, rejected=rejected,
        p_chosen=1.0, source="human", by="people",
    )  # fmt: skip


def labels(pairs, share_of, constitution=PLAIN):
    return list(label(pairs, constitution, judge(share_of), LabelConfig(principles="all")))


def good_or_bad(text):
    return 0.9 if "good" in text else 0.5


def test_a_judge_that_is_right_three_times_of_four_is_cooled_to_what_a_hand_computes():
    pairs = [compare(str(n), "good", "bad") for n in range(8)]
    said = [people(pair, first_is_better=n % 4 != 0) for n, pair in enumerate(pairs)]
    found = calibrated(labels(pairs, good_or_bad), said, Calibration(bias=0.5))
    # Always d = log 9, right in 6 of 8: σ(log 9 / τ) = 3/4, so τ = log 9 / log 3 = 2.
    assert found.calibration.pair_temperature == pytest.approx(2.0, rel=1e-3)
    assert found.calibration.bias == 0.5
    assert found.pairs == 8
    assert found.after < found.before
    assert found.before == pytest.approx(-0.75 * math.log(0.9) - 0.25 * math.log(0.1))


def test_it_does_not_matter_in_which_slot_the_judge_saw_the_reply_that_people_chose():
    pairs = [compare(str(n), *(("good", "bad") if n % 2 else ("bad", "good"))) for n in range(8)]
    said = [people(pair, first_is_better=(n % 2 == 1) != (n < 2)) for n, pair in enumerate(pairs)]
    found = calibrated(labels(pairs, good_or_bad), said, Calibration())
    assert found.calibration.pair_temperature == pytest.approx(2.0, rel=1e-3)


def test_scores_are_cooled_by_their_difference():
    pairs = [compare(str(n), "good", "bad") for n in range(8)]
    scored = Verdict(p_first=0.9, judge="j", principle="kind", read="score",
                     evidence={"score_first": 0.5, "score_second": -0.5})  # fmt: skip
    made = list(label(pairs, PLAIN, Says(lambda _: scored)))
    said = [people(pair, first_is_better=n % 4 != 0) for n, pair in enumerate(pairs)]
    found = calibrated(made, said, Calibration())
    # d = 1, right in 6 of 8: τ = 1 / log 3.
    wanted = pytest.approx(1 / math.log(3), rel=1e-3)
    assert found.calibration.pair_temperature == wanted


def test_labels_without_people_or_of_a_comparing_judge_fit_nothing():
    pairs = [compare("x", "good", "bad")]
    made = labels(pairs, good_or_bad)
    with pytest.raises(InputError, match="none of the labels has both"):
        calibrated(made, [], Calibration())
    compared = list(label(pairs, PLAIN, Says(lambda _: 0.9)))
    with pytest.raises(InputError, match="--template absolute"):
        calibrated(compared, [people(pairs[0])], Calibration())


def test_several_raters_of_a_pair_are_averaged():
    pairs = [compare("x", "good", "bad")]
    said = [people(pairs[0], first_is_better=n < 3) for n in range(4)]
    found = calibrated(labels(pairs, good_or_bad), said, Calibration())
    assert found.pairs == 1
    # Three of four: σ(log 9 / τ) = 3/4, so τ = 2.
    assert found.calibration.pair_temperature == pytest.approx(2.0, rel=1e-3)


def test_one_id_for_two_pairs_is_told():
    made = labels([compare("x", "good", "bad")], good_or_bad)
    with pytest.raises(InputError, match="'x' names two different pairs"):
        calibrated(made, [people(compare("x", "good", "worse"))], Calibration())


def test_a_proposition_that_people_go_by_gets_the_weight_of_one_that_they_do_not():
    def share_of(text):
        is_true = "no" in text if "declines" in text else "verse" in text
        return 0.9 if is_true else 0.1

    pairs = [
        compare(f"{n}", "no" + " verse" * (n % 2), "yes" + " verse" * (n % 3 == 0))
        for n in range(12)
    ]
    [found] = weighed(labels(pairs, share_of, RULES), [people(pair) for pair in pairs], RULES)
    declines, rhymes = found.after.propositions
    assert declines.weight > 5 * rhymes.weight
    assert found.right_after == 1.0 > found.right_before
    assert found.pairs == 12
    assert found.before == RULES["well"]


def test_labels_by_other_propositions_are_refused():
    pairs = [compare("x", "no", "yes")]
    made = labels(pairs, lambda text: 0.9 if "no" in text else 0.2, RULES)
    other = RULES.model_copy(update={"principles": (
        RULES["well"].model_copy(update={"propositions": RULES["well"].propositions[:1]}),
    )})  # fmt: skip
    with pytest.raises(InputError, match="well: worded otherwise than when 'x' was judged"):
        weighed(made, [people(pairs[0])], other)


def test_people_who_speak_against_every_proposition_are_told_about_and_not_obeyed():
    pairs = [compare("x", "no", "yes")]
    made = labels(pairs, lambda text: 0.9 if "no" in text else 0.2, RULES)
    with pytest.raises(InputError, match="well: people's choices speak against every proposition"):
        weighed(made, [people(pairs[0], first_is_better=False)], RULES)


def test_a_constitution_without_propositions_has_nothing_to_fit():
    with pytest.raises(InputError, match="plain: no label has both"):
        weighed(labels([compare("x", "good", "bad")], good_or_bad), [], PLAIN)
