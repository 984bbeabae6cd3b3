import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlaif.constitution.principle import Principle
from rlaif.evaluation.audit.slots import Slots, slots
from rlaif.evaluation.intervals import Draws
from rlaif.judges.base import Case
from rlaif.judges.orders import BothOrders
from rlaif.records import Preference, Verdict
from tests.evaluation.fakes import Referee, p_first
from tests.evaluation.pairs import compare, label, verdict


def found(*preferences: Preference) -> Slots | None:
    draws = Draws([row.prompt.id for row in preferences], rounds=1000)
    return slots(list(preferences), draws)


def asked(number: int, *orders: tuple[float, float]) -> Preference:
    said = [verdict(f"r{n}", (f + b) / 2, f, b) for n, (f, b) in enumerate(orders)]
    return label(compare(number), sum(v.p_first for v in said) / len(said), verdicts=said)


def test_the_same_slot_rate_by_hand() -> None:
    # Follows the first slot, the second one, the reply, the other reply; the last order is a tie.
    rows = [asked(0, (0.9, 0.2)), asked(1, (0.3, 0.8)), asked(2, (0.9, 0.7)), asked(3, (0.1, 0.2))]
    told = found(*rows, asked(4, (0.5, 0.9)))
    assert told is not None
    assert (told.asked, told.undecided, told.alone) == (4, 1, 0)
    assert told.same_slot is not None
    assert told.same_slot.value == 0.5
    assert told.first is not None
    assert told.first.value == 0.5
    assert told.lean is not None
    assert told.lean.value == pytest.approx((0.7 - 0.5 + 0.2 - 0.1 - 0.4) / 5)
    assert told.favoured is None


@pytest.mark.parametrize("says_first", [True, False])
def test_a_judge_that_goes_by_the_slot_stands_at_one(says_first: bool) -> None:
    # Asked for real in both orders: it names the same slot whatever stands there.
    judge = BothOrders(Referee(lambda case: p_first(case, 0.9 if says_first else 0.1)))
    pairs = [compare(number) for number in range(8)]
    rule = Principle(id="calm", text="The response is calm.")
    rows = [
        label(case.comparison, said.p_first, verdicts=[said])
        for case, said in judge.decide(Case(pair, rule) for pair in pairs)
        if isinstance(said, Verdict)
    ]
    told = found(*rows)
    assert told is not None
    assert told.asked == 8
    assert told.same_slot is not None
    assert (told.same_slot.value, told.same_slot.low) == (1.0, 1.0)
    assert told.favoured == ("first" if says_first else "second")


@settings(max_examples=25)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6))
def test_swapping_a_label_changes_nothing_of_its_slots(orders: list[tuple[float, float]]) -> None:
    rows = [asked(number, pair) for number, pair in enumerate(orders)]
    # As where the other reply had won: the verdicts turn, what each order showed stays.
    turned = [
        row.model_copy(update={"verdicts": tuple(v.swapped() for v in row.verdicts)})
        for row in rows
    ]
    assert found(*turned) == found(*rows)


def test_a_judge_that_reads_each_reply_alone_cannot_go_by_the_slot() -> None:
    said = Verdict(p_first=0.8, judge="judge", principle="r", evidence={"holds_first": 0.8})
    told = found(label(compare(0), 0.8, verdicts=[said]))
    assert told is not None
    assert (told.asked, told.alone) == (0, 1)
    assert told.same_slot is not None
    assert told.same_slot.value == 0.0


def test_one_order_alone_tells_nothing() -> None:
    assert found(label(compare(0), 0.8, verdicts=[verdict("r", 0.8)])) is None
