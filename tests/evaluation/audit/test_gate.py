import pytest

from rlaif.evaluation.agreement import agreement
from rlaif.evaluation.audit.gate import (
    Checked,
    Gate,
    Sample,
    check_abstained,
    check_examples,
    check_people,
    check_slots,
)
from rlaif.evaluation.intervals import Interval
from rlaif.evaluation.principles import Trial
from rlaif.records import Abstention, Preference, Verdict
from tests.evaluation.pairs import compare, label, rated, verdict


def sample(*orders: tuple[float, float], abstained: int = 0, kind: str = "refused") -> Sample:
    rows = [
        label(compare(n), (f + b) / 2, verdicts=[verdict("r", (f + b) / 2, f, b)])
        for n, (f, b) in enumerate(orders)
    ]
    silent = [
        Abstention.model_validate({"kind": kind, "subject": f"s{n}", "by": "judge"})
        for n in range(abstained)
    ]
    return Sample(len(rows) + abstained, rows, silent)


def test_the_same_slot_rate_of_a_sample_is_checked() -> None:
    told = check_slots(0.3, sample((0.9, 0.2), (0.9, 0.8), (0.1, 0.2), (0.8, 0.9)))
    assert told.measured is not None
    assert (told.measured.value, told.is_met) == (0.25, True)
    assert not check_slots(0.2, sample((0.9, 0.2), (0.9, 0.8), (0.1, 0.2), (0.8, 0.9))).is_met


def test_a_requirement_that_is_just_reached_is_met() -> None:
    edge = Interval(value=0.3, low=0.1, high=0.5)
    for name in ("agreement", "same_slot", "abstained"):
        row = Checked.model_validate(
            {"requirement": name, "wanted": 0.3, "measured": edge, "on": "x"}
        )
        assert row.is_met, name


def test_what_cannot_be_measured_does_not_pass_and_says_how_it_could() -> None:
    one_order = Sample(1, [label(compare(0), 0.8, verdicts=[verdict("r", 0.8)])], [])
    told = check_slots(0.3, one_order)
    assert (told.measured, told.is_met) == (None, False)
    assert "orders: both" in told.advice
    assert told.shortfall == "same_slot not measured"
    assert not check_abstained(0.1, Sample(0, [], [])).is_met
    assert not check_people(0.7, None, "people.jsonl").is_met
    assert not check_examples(0.7, []).is_met


def test_a_judge_that_reads_each_reply_alone_passes_the_slots() -> None:
    said = Verdict(p_first=0.8, judge="judge", principle="r", evidence={"holds_first": 0.9})
    assert check_slots(0.0, Sample(1, [label(compare(0), 0.8, verdicts=[said])], [])).is_met


def test_abstentions_are_a_share_of_what_was_asked_and_the_advice_goes_by_their_kind() -> None:
    told = check_abstained(0.1, sample((0.9, 0.8), (0.9, 0.8), (0.9, 0.8), abstained=1))
    assert told.measured is not None
    assert (told.measured.value, told.is_met) == (0.25, False)
    assert "declines to judge" in told.advice
    assert (
        "log-probabilities" in check_abstained(0.1, sample(abstained=2, kind="no-logprobs")).advice
    )
    assert (
        "most are one-order" in check_abstained(0.1, sample(abstained=2, kind="one-order")).advice
    )


def test_agreement_is_with_people() -> None:
    pairs = [compare(number) for number in range(4)]
    labels: list[Preference] = [label(pair, 0.9) for pair in pairs[:3]] + [label(pairs[3], 0.1)]
    found = agreement(labels, [rated(pair, "first") for pair in pairs])
    told = check_people(0.7, found, "people.jsonl")
    assert told.measured is not None
    assert (told.measured.value, told.is_met) == (0.75, True)
    assert told.on == "4 of 4 pairs of people.jsonl"


def trial(first: float | None, second: float | None) -> Trial:
    def said(p: float | None) -> Verdict | Abstention:
        if p is None:
            return Abstention(kind="refused", subject="x", by="judge")
        return Verdict(p_first=p, judge="judge")

    return Trial("r", 1, said(first), said(second))


def test_agreement_with_examples_leaves_abstentions_out_and_counts_them() -> None:
    told = check_examples(0.7, [trial(0.9, 0.2), trial(0.4, 0.7), trial(None, 0.2)])
    assert told.measured is not None
    assert (told.measured.value, told.is_met) == (0.5, False)
    assert told.on == "2 of 3 examples of the constitution"


def test_the_table_names_each_requirement_and_marks_what_falls_short() -> None:
    low = Interval(value=0.55, low=0.41, high=0.68)
    few = Interval(value=0.02, low=0.0, high=0.1)
    gate = Gate(
        judge="judge",
        rows=(
            Checked(requirement="agreement", wanted=0.7, measured=low, on="x", advice="reword"),
            Checked(requirement="abstained", wanted=0.1, measured=few, on="y"),
        ),
    )
    assert gate.table.splitlines() == [
        "           wanted  measured  95 % interval  measured on",
        "agreement  ≥ 0.7   0.55 ✗    0.41 to 0.68   x",
        "abstained  ≤ 0.1   0.02      0.00 to 0.10   y",
    ]
    assert gate.despite == ("agreement 0.55 < 0.7",)
    assert gate.advice == ("agreement: reword",)


@pytest.mark.parametrize(("value", "stamp"), [(0.45, "same_slot 0.45 > 0.3")])
def test_a_stamp_says_what_was_measured_and_what_was_wanted(value: float, stamp: str) -> None:
    measured = Interval(value=value, low=0.3, high=0.6)
    row = Checked(requirement="same_slot", wanted=0.3, measured=measured, on="x")
    assert row.shortfall == stamp
