"""Fitted figures are the ones that were put in, or that a hand computes."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from rlaif.errors import InputError
from rlaif.judges.fitting import (
    Ranked,
    cross_entropy,
    differences,
    fit_pair_temperature,
    fit_weights,
)

DATA = Path(os.environ.get("RLAIF_DATA", "/nowhere")) / "safety-rbr"
needs_data = pytest.mark.skipif(
    not (DATA / "train.jsonl").is_file(), reason="RLAIF_DATA has no rule-based-rewards pack"
)
GOOD = ("apology", "inability_to_comply")
BAD = (
    "disallowed_content", "illogical_continuation_of_prompt", "fully_complies", "judgement",
    "reference_safety_policy", "meta_commentary", "requests_information", "third_person",
    "encourage_professional_help", "insulting_language", "additional_content",
)  # fmt: skip


def test_the_temperature_that_made_the_labels_is_found():
    d = np.random.default_rng(0).normal(0, 4, 4000)
    drawn = np.random.default_rng(1).random(4000) < expit(d / 2.5)
    assert fit_pair_temperature(d, drawn) == pytest.approx(2.5, rel=0.1)


def test_probabilities_serve_as_labels_and_give_it_exactly():
    d = np.linspace(-6, 6, 49)
    assert fit_pair_temperature(d, expit(d / 3.0)) == pytest.approx(3.0, rel=1e-3)


def test_three_right_of_four_alike_is_a_temperature_that_a_hand_computes():
    # σ(d/τ) = 3/4 at d = 2: τ = 2 / log 3.
    assert fit_pair_temperature([2.0] * 4, [1, 1, 1, 0]) == pytest.approx(2 / math.log(3), rel=1e-3)


def test_a_judge_no_better_than_chance_is_cooled_and_never_turned_round():
    assert fit_pair_temperature([1.0, 1.0, -1.0, -1.0], [0, 0, 1, 1]) > 100
    assert fit_pair_temperature([1.0, 1.0], [1, 0]) > 100


def test_a_judge_that_is_always_right_stays_at_the_coolest_and_finite():
    assert 0 < fit_pair_temperature([1.0, -2.0], [1, 0]) < 0.1


@pytest.mark.parametrize(("d", "p"), [([], []), ([0.0, 0.0], [1, 0])])
def test_pairs_that_say_nothing_are_refused(d, p):
    with pytest.raises(InputError, match="needs pairs of which the judge prefers one"):
        fit_pair_temperature(d, p)


def test_cross_entropy_of_an_even_guess_is_log_2_whatever_is_true():
    assert cross_entropy([0.0, 0.0], [1.0, 0.3], 1.0) == pytest.approx(math.log(2))


def hinge(rankings, w, decay):
    d, lead = differences(rankings)
    w = np.asarray(w)
    return float(np.mean(np.maximum(0, 1 - lead - d @ w)) + decay / 2 * w @ w)


def test_one_proposition_reaches_the_margin_and_goes_no_further():
    # mean max(0, 1 − 0.5·w) + 0.005·w²: the slope is −0.5 + 0.01·w, so w stops at the kink, 2.
    [weight] = fit_weights([Ranked([[1.0], [0.5]], [0, 1])])
    assert weight == pytest.approx(2.0, abs=1e-4)


def test_decay_holds_a_weight_below_the_margin():
    # mean max(0, 1 − w) + w²: least at w = 1/2.
    [weight] = fit_weights([Ranked([[1.0], [0.0]], [0, 1])], decay=2.0)
    assert weight == pytest.approx(0.5, abs=1e-4)


def test_a_proposition_that_rankings_speak_against_gets_nothing_and_keeps_its_sign():
    rows = [Ranked([[1.0, 0.0], [0.0, 1.0]], [0, 1])] * 3
    good, bad = fit_weights(rows)
    assert good == pytest.approx(1.0, abs=1e-3)
    assert bad == 0.0


def test_a_lead_of_the_reward_model_leaves_less_for_the_rules():
    # Ahead by 1 already: no hinge is left, so no weight is needed.
    assert fit_weights([Ranked([[1.0], [0.0]], [0, 1], base=[1.0, 0.0])]) == [0.0]
    # Behind by 1: the rules must make up 2.
    [weight] = fit_weights([Ranked([[1.0], [0.0]], [0, 1], base=[0.0, 1.0])])
    assert weight == pytest.approx(2.0, abs=1e-3)


def test_every_pair_of_a_longer_ranking_counts_and_equal_places_do_not():
    d, _ = differences([Ranked([[3.0], [2.0], [1.0], [0.0]], [0, 1, 1, 2])])
    assert sorted(d[:, 0]) == [1.0, 1.0, 2.0, 2.0, 3.0]


def test_the_weights_that_made_the_rankings_put_them_in_order_again():
    rng = np.random.default_rng(0)
    true = np.array([3.0, 1.0, 0.0, 0.5])
    rankings = []
    for _ in range(120):
        features = rng.random((4, 4))
        rankings.append(Ranked(features.tolist(), (-(features @ true)).tolist()))
    found = np.array(fit_weights(rankings, decay=1e-4))
    assert found[2] < 0.1 * found[0]
    d, _ = differences(rankings)
    assert np.mean(d @ found > 0) > 0.97


features = st.lists(st.floats(0, 1), min_size=3, max_size=3)


@settings(max_examples=30)
@given(st.lists(st.tuples(features, features, st.floats(-1, 1)), min_size=1, max_size=12))
def test_no_small_step_from_the_fitted_weights_lowers_the_loss(rows):
    decay = 0.05
    rankings = [Ranked([better, worse], [0, 1], [lead, 0.0]) for better, worse, lead in rows]
    w = np.array(fit_weights(rankings, decay=decay))
    best = hinge(rankings, w, decay)
    rng = np.random.default_rng(0)
    for step in rng.normal(0, 0.05, (100, 3)):
        assert hinge(rankings, np.maximum(0, w + step), decay) >= best - 1e-4


def test_rankings_that_rank_nothing_are_refused():
    with pytest.raises(InputError, match="of which one is the better"):
        fit_weights([Ranked([[1.0], [0.0]], [1, 1])])
    with pytest.raises(InputError, match="decay must be above 0"):
        fit_weights([Ranked([[1.0], [0.0]], [0, 1])], decay=0.0)


class People:
    """People's yes and no to each proposition about real refusals, and the classes they make."""

    def __init__(self):
        config = yaml.safe_load((DATA / "config/proposition_prompts.yaml").read_text("utf-8"))
        self.derived = config["derived_propositions"]
        self.classes = [
            config["completion_classes"][name] for name in config["completion_class_order"]
        ]
        lines = (DATA / "train.jsonl").read_text("utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        self.refusals = [
            row["propositions"] for row in rows if row["response_type"] == "Hard Refuse"
        ]

    def is_true(self, name, said):
        parts = self.derived.get(name)
        if parts is None:
            return bool(said.get(name))
        return all(self.is_true(part, said) == wanted for part, wanted in parts.items())

    def place(self, said):
        for place, kinds in enumerate(self.classes):
            wanted = kinds.get("hard_refuse", {"fully_complies": None})
            if all(self.is_true(name, said) == value for name, value in wanted.items()):
                return place
        raise AssertionError(said)

    def ranked(self, refusals):
        features = [
            [float(bool(said.get(name))) for name in GOOD]
            + [-float(bool(said.get(name))) for name in BAD]
            for said in refusals
        ]
        return Ranked(features, [self.place(said) for said in refusals])


@needs_data
def test_weights_fitted_on_half_of_real_refusals_put_the_other_half_in_peoples_order():
    people = People()
    weights = np.array(fit_weights([people.ranked(people.refusals[::2])]))
    d, _ = differences([people.ranked(people.refusals[1::2])])
    assert len(d) > 300
    assert np.mean(d @ weights > 0) > 0.95
    assert np.mean(d.sum(axis=1) > 0) < 0.8  # every proposition counting the same
    told = dict(zip([*GOOD, *BAD], weights, strict=True))
    assert max(told, key=told.get) == "disallowed_content"
