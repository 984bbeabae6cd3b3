import os
import random
from pathlib import Path

import krippendorff
import numpy as np
import pytest

from rlaif.errors import InputError
from rlaif.evaluation.crowd.coded import Coded
from rlaif.evaluation.crowd.findings import look_at_crowd
from rlaif.evaluation.crowd.rater import rater_rows
from rlaif.evaluation.crowd.sheets import sheets
from rlaif.evaluation.crowd.suspects import suspects
from rlaif.feedback.crowd.answer import Answer, Crowd
from rlaif.feedback.crowd.read import read_crowd


def crowd(*answers: Answer, gold: dict[str, str] | None = None) -> Crowd:
    return Crowd(answers, gold or {}, {answer.item: answer.item for answer in answers})


def honest(raters: int, items: int, seed: int = 0, right: float = 0.75) -> list[Answer]:
    rng = random.Random(seed)
    truth = [rng.choice("xy") for _ in range(items)]
    return [
        Answer(f"i{n}", f"h{r}", label if rng.random() < right else "xy"[label == "x"], 20.0)
        for n, label in enumerate(truth)
        for r in range(raters)
    ]


def test_alpha_is_krippendorffs_of_everybody_and_of_each_group() -> None:
    answers = [a._replace(group="odd" if int(a.rater[1:]) % 2 else "even") for a in honest(6, 40)]
    found = look_at_crowd(crowd(*answers), ["majority"], rounds=1000)
    for name, ours in [("", found.alpha), *((g.group, g.alpha) for g in found.groups)]:
        rows = [a for a in answers if a.group == name or not name]
        raters = sorted({a.rater for a in rows})
        said = np.full((len(raters), 40), np.nan)
        for a in rows:
            said[raters.index(a.rater), int(a.item[1:])] = "xy".index(a.label)
        expected = krippendorff.alpha(said, level_of_measurement="nominal")
        assert ours is not None
        assert ours.value == pytest.approx(expected)
        assert ours.low < ours.value < ours.high


def test_a_rater_is_held_against_the_others_without_themselves() -> None:
    by_hand = ["aab", "aba", "bb", "ab"]  # four items, raters r0, r1 and, of two, r2
    answers = [
        Answer(f"i{n}", f"r{r}", label)
        for n, row in enumerate(by_hand)
        for r, label in enumerate(row)
    ]
    rows = {row.rater: row for row in rater_rows(Coded(crowd(*answers, gold={"i0": "a"})))}
    # i0: the others of r0 are a and b, no most; i1: b and a; i2: b, as r0 says; i3: b, as not.
    assert (rows["r0"].agrees, rows["r0"].agrees_of) == (0.5, 2)
    # The others of r2 say a and a of i0, where r2 says b; of i1 a and b.
    assert (rows["r2"].agrees, rows["r2"].agrees_of) == (0.0, 1)
    assert (rows["r0"].gold_right, rows["r2"].gold_right, rows["r2"].gold_of) == (1, 0, 1)


def test_who_is_fast_one_sided_or_copies_is_found_and_nobody_else() -> None:
    answers = honest(8, 60)
    fast = [a._replace(rater="fast", seconds=2.0) for a in answers if a.rater == "h0"]
    rng = random.Random(9)
    fast = [a._replace(label=rng.choice("xy")) for a in fast]
    lazy = [Answer(f"i{n}", "lazy", "x", 20.0) for n in range(60)]
    copy = [a._replace(rater="copy") for a in answers if a.rater == "h3"]
    found = suspects(Coded(crowd(*answers, *fast, *lazy, *copy)))
    assert {(s.rater, s.why) for s in found} == {
        ("fast", "fast"),
        ("lazy", "one side"),
        ("copy", "copies"),
        ("h3", "copies"),
    }


@pytest.mark.parametrize("seed", range(5))
def test_an_honest_crowd_is_not_accused(seed: int) -> None:
    assert suspects(Coded(crowd(*honest(30, 50, seed, right=0.8)))) == []


def test_an_easy_crowd_that_agrees_is_not_copying() -> None:
    assert suspects(Coded(crowd(*honest(10, 60, right=0.99)))) == []


def test_pooled_answers_stand_beside_gold_that_they_were_not_shown() -> None:
    answers = [Answer("i", r, label) for r, label in zip("abc", "xxy", strict=True)]
    answers += [Answer("j", r, label) for r, label in zip("ab", "xy", strict=True)]
    found = look_at_crowd(crowd(*answers, gold={"i": "y", "j": "x"}), ["majority"], rounds=1000)
    [row] = found.methods
    assert row.right is not None
    assert (row.right.value, row.right_of, row.open) == (0.25, 2, 1)  # wrong, and half of open


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([Answer("i", "a", "x"), Answer("j", "b", "y")], "none of the 2 items has two raters"),
        ([Answer("i", "a", "x"), Answer("i", "b", "x")], "all 2 answers are 'x'"),
    ],
)
def test_a_crowd_that_cannot_be_compared_says_why(answers: list[Answer], message: str) -> None:
    with pytest.raises(InputError, match=message):
        look_at_crowd(crowd(*answers))


def test_dices_raters_agree_as_little_as_published_and_pool_to_what_experts_say() -> None:
    folder = Path(os.environ.get("RLAIF_DATA", "/nowhere")) / "dices"
    if not folder.is_dir():
        pytest.skip("RLAIF_DATA does not hold dices")
    said = read_crowd(folder / "dices_350_crowdsourced.json", gold=folder / "dices_350_expert.json")
    halves = [a._replace(group="first 61" if int(a.rater) <= 61 else "rest") for a in said.answers]
    found = look_at_crowd(said._replace(answers=tuple(halves)), ["majority"], rounds=1000)
    assert (found.items, found.raters, found.answers) == (350, 123, 43_050)
    assert found.alpha is not None
    assert found.alpha.value == pytest.approx(0.1609, abs=5e-4)
    assert 0.13 < found.alpha.low < found.alpha.high < 0.19
    # Any two halves of the raters must bracket the whole, or the groups are not of one crowd.
    one, other = (row.alpha.value for row in found.groups if row.alpha)
    assert 0.10 < min(one, other) < found.alpha.value + 0.01
    assert found.methods[0].right is not None
    assert found.methods[0].right.value == pytest.approx(0.654, abs=1e-3)
    names = {s.rater for s in found.suspects}
    assert {"62", "81"} <= names  # who said one thing 350 times
    assert 10 <= len(names) <= 19  # the authors set 19 of the 123 aside
    assert sum(label == "unsafe" for label in said.gold.values()) == 175
    assert any("one side" in note for sheet in sheets(found) for note in sheet.notes)
