import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlaif.errors import InputError
from rlaif.evaluation.agreed import Agreed
from rlaif.evaluation.agreement import Agreement, agreement
from rlaif.evaluation.agreement_table import HEAD, sheets
from rlaif.evaluation.intervals import Interval
from rlaif.feedback.people import Rated
from rlaif.records import Abstention, Comparison, Preference
from tests.evaluation.pairs import REPLIES, compare, label, rated, verdict

FOUR = [compare(number, texts=texts) for number, texts in enumerate(REPLIES)]
PEOPLE = [rated(comparison, "first") for comparison in FOUR]


def judged(*p: float) -> list[Preference]:
    return [label(comparison, each) for comparison, each in zip(FOUR, p, strict=False)]


def value(interval: Interval | None) -> float:
    assert interval is not None
    return interval.value


def counts(row: Agreed) -> tuple[int, int, int]:
    return row.agreed, row.disagreed, row.undecided


def test_agreement_is_the_share_of_the_same_choices() -> None:
    found = agreement(judged(0.8, 0.8, 0.2, 0.8), PEOPLE)
    assert found.judge.share is not None
    assert (found.judge.name, found.judge.share.value) == ("judge", 0.75)
    assert counts(found.judge) == (3, 1, 0)
    # One pair of four is wrong: a draw of four holds none of it with 0.32, three or more with 0.05.
    assert (found.judge.share.low, found.judge.share.high) == (0.25, 1.0)


def test_the_trivial_judges_answer_the_same_pairs_and_say_when_they_cannot() -> None:
    trivial = {row.name: row for row in agreement(judged(1, 1, 1, 1), PEOPLE).trivial}
    # Words: 8 against 9, 5 against 14, 3 against 3, 12 against 3.
    assert counts(trivial["the longer reply"]) == (1, 2, 1)
    assert counts(trivial["the shorter reply"]) == (2, 1, 1)
    assert counts(trivial["the reply that refuses"]) == (1, 0, 3)
    assert counts(trivial["the reply shown first"]) == (4, 0, 0)


def test_a_tie_of_the_judge_is_undecided_in_no_share_and_against_it_in_all() -> None:
    found = agreement(judged(0.5, 0.8), PEOPLE[:2]).judge
    assert counts(found) == (1, 0, 1)
    assert (value(found.share), value(found.of_all), found.coverage) == (1.0, 0.5, 0.5)


def test_an_abstention_is_no_disagreement_and_both_figures_are_told() -> None:
    silent = Abstention(kind="refused", subject="pair3", by="judge")
    found = agreement(judged(0.8, 0.8, 0.2), PEOPLE, abstentions=[silent])
    assert (found.abstained, found.not_asked) == ({"refused": 1}, 0)
    assert found.judge.unanswered == 1
    assert value(found.judge.share) == pytest.approx(2 / 3)
    assert value(found.judge.of_all) == 0.5
    assert found.judge.coverage == 0.75
    # The trivial judges' shares are of the pairs that the judge answered.
    assert {sum(counts(row)) for row in found.trivial} == {3}


def test_pairs_the_judge_was_never_asked_about_are_left_out_and_counted() -> None:
    found = agreement(judged(0.8, 0.8), PEOPLE)
    assert (found.pairs, found.not_asked, found.judge.unanswered) == (2, 2, 0)
    assert value(found.judge.of_all) == 1.0


def test_people_ties_count_only_where_ties_are_answers() -> None:
    people = [rated(FOUR[0], "first"), rated(FOUR[1], "tie"), rated(FOUR[2], "tie")]
    found = agreement(judged(0.9, 0.54, 0.9), people, band=0.05)
    assert (found.people_undecided, counts(found.judge)) == (2, (1, 0, 0))
    with_ties = found.variants[-1]
    # "first" is met, one tie is met by 0.54, the other is not met by 0.9.
    assert counts(with_ties) == (2, 1, 0)
    assert "0.05" in with_ties.name


def test_the_edge_of_the_band_is_a_tie() -> None:
    people = [rated(FOUR[0], "tie"), rated(FOUR[1], "first")]
    found = agreement(judged(0.55, 0.5501), people, band=0.05)
    assert counts(found.variants[-1]) == (2, 0, 0)


def test_sure_labels_count_more_where_pairs_are_weighted_by_sureness() -> None:
    # Sureness 1, 0.2 and 0.8; the middle one is wrong: 1.8 of 2.0.
    found = agreement(judged(1.0, 0.4, 0.9), PEOPLE)
    assert value(found.variants[0].share) == pytest.approx(0.9)
    assert "|p − 0.5|" in found.variants[0].name
    assert found.variants[0].of_all is None


def test_the_labels_own_weights_are_used_where_they_differ() -> None:
    labels = [label(FOUR[0], 0.8, weight=3.0), label(FOUR[1], 0.2)]
    names = {row.name: row for row in agreement(labels, PEOPLE).variants}
    assert value(names["… weighted by the labels' weight"].share) == 0.75
    assert len(agreement(judged(0.8, 0.2), PEOPLE).variants) == 2


def test_each_principle_is_held_against_people_by_its_own_verdicts() -> None:
    labels = [
        label(FOUR[0], 0.8, verdicts=[verdict("calm", 0.9), verdict("short", 0.3)]),
        label(FOUR[1], 0.2, verdicts=[verdict("calm", 0.6), verdict("short", 0.1)]),
        label(FOUR[2], 0.8, verdicts=[verdict("calm", 0.8)], silent=["short"]),
    ]
    calm, short = agreement(labels, PEOPLE).principles
    assert (calm.name, counts(calm), calm.unanswered) == ("calm", (3, 0, 0), 0)
    assert (short.name, counts(short), short.unanswered) == ("short", (0, 2, 0), 1)
    assert short.coverage == pytest.approx(2 / 3)


def test_tags_part_the_pairs() -> None:
    pairs = [compare(n, tags=("harmful",) if n < 3 else ("benign",)) for n in range(5)]
    people = [rated(pair, "first") for pair in pairs]
    labels = [label(pair, 0.9 if n != 1 else 0.1) for n, pair in enumerate(pairs)]
    benign, harmful = agreement(labels, people).tags
    assert (benign.name, counts(benign)) == ("benign", (2, 0, 0))
    assert (harmful.name, counts(harmful)) == ("harmful", (2, 1, 0))


def test_pairs_of_one_prompt_are_drawn_together() -> None:
    def interval(prompts: int) -> Interval | None:
        pairs = [compare(number, prompt=number % prompts) for number in range(40)]
        people = [rated(pair, "first") for pair in pairs]
        labels = [label(pair, 0.9 if n % 2 else 0.1) for n, pair in enumerate(pairs)]
        return agreement(labels, people).judge.share

    together, apart = interval(2), interval(40)
    assert together is not None
    assert apart is not None
    assert (together.low, together.high) == (0.0, 1.0)
    assert 0.3 < apart.low < apart.high < 0.7


def test_labels_of_other_pairs_are_refused() -> None:
    with pytest.raises(InputError, match="none of the 2 pairs that people decided has a label"):
        agreement([], PEOPLE[:2])
    other = judged(0.8)[0].model_copy(update={"id": "pair1"})
    with pytest.raises(InputError, match="pair1: the label is of another pair"):
        agreement([other], PEOPLE[:2])


def test_a_judge_that_abstained_on_everything_has_no_agreement_and_says_why() -> None:
    silent = [Abstention(kind="no-mass", subject=f"pair{n}", by="judge") for n in range(2)]
    with pytest.raises(InputError, match=r"none of the 2 pairs a label: it abstained \(2 no-mass"):
        agreement([], PEOPLE, abstentions=silent)


def many(seed: int, count: int = 30) -> tuple[list[Comparison], list[Rated], list[Preference]]:
    rng = np.random.default_rng(seed)
    pairs = [compare(number) for number in range(count)]
    people = [rated(pair, "first" if rng.random() < 0.5 else "second") for pair in pairs]
    return pairs, people, [label(pair, float(rng.random())) for pair in pairs]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99))
def test_a_judge_agrees_with_itself_wholly(seed: int) -> None:
    pairs, _, labels = many(seed)
    itself = [
        rated(pair, "first" if row.chosen == pair.first else "second")
        for pair, row in zip(pairs, labels, strict=True)
    ]
    found = agreement(labels, itself, other=labels, rounds=100)
    for figure in (found.judge.share, found.judge.of_all, found.judge.kappa, found.judge.alpha):
        assert value(figure) == pytest.approx(1.0)
    beside = found.beside[0]
    assert (beside.only_judge, beside.only_other, beside.p_value) == (0, 0, 1.0)


def without_slots(found: Agreement) -> dict[str, object]:
    """Give everything but the rule that goes by the slot."""
    told = found.model_dump()
    told["trivial"] = [row for row in told["trivial"] if row["name"] != "the reply shown first"]
    told["beside"] = [row for row in told["beside"] if row["other"] != "the reply shown first"]
    return told


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99))
def test_swapping_every_pairs_order_changes_nothing(seed: int) -> None:
    turned = {"first": "second", "second": "first", "tie": "tie"}
    _, people, labels = many(seed)
    swapped = [
        Rated(
            row.comparison.swapped(),
            tuple(r._replace(choice=turned[r.choice]) for r in row.ratings),
        )
        for row in people
    ]
    before = without_slots(agreement(labels, people, rounds=100))
    assert without_slots(agreement(labels, swapped, rounds=100)) == approx(before)


def approx(told: object) -> object:
    """Compare figures as figures, however deep they lie."""
    if isinstance(told, dict):
        return {key: approx(value) for key, value in told.items()}
    if isinstance(told, list | tuple):
        return type(told)(approx(value) for value in told)
    return pytest.approx(told) if isinstance(told, float) else told


def test_the_table_has_the_judge_first_and_says_what_is_left_out() -> None:
    silent = Abstention(kind="no-mass", subject="pair2", by="judge")
    found = agreement(judged(0.8, 0.2), PEOPLE, abstentions=[silent])
    first, *_ = sheets(found)
    assert first.rows[0][:2] == ["judge", "0.500"]
    names = [found.judge.name, *(row.name for row in (*found.variants, *found.trivial))]
    assert [row[0] for row in first.rows] == names
    assert first.notes[0] == "3 pairs of 3 prompts; intervals are by prompt"
    assert "the judge abstained on 1 pairs (1 no-mass)" in first.notes
    assert "1 pairs have no label of the judge and are left out" in first.notes


def test_every_table_has_as_many_cells_as_its_head() -> None:
    pairs = [compare(number, tags=("t",)) for number in range(3)]
    people = [rated(pair, "first", "second", "tie") for pair in pairs[:2]]
    people.append(rated(pairs[2], "first", "first"))
    labels = [label(pair, 0.7, verdicts=[verdict("calm", 0.7)]) for pair in pairs]
    laid = list(sheets(agreement(labels, people, other=labels)))
    assert [sheet.title for sheet in laid] == [
        "Agreement with people",
        "Each principle's own verdicts",
        "By tag of the prompt",
        "People among themselves",
        "People among themselves, ties as answers",
        "judge, on the pairs that both decided",
    ]
    assert laid[0].head == HEAD
    assert all(len(row) == len(sheet.head) for sheet in laid for row in sheet.rows)
