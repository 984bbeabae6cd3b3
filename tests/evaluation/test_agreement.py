import pytest

from rlaif.errors import InputError
from rlaif.evaluation.agreement import Agreed, agreement
from rlaif.feedback.importers import as_comparison
from rlaif.records import Preference, Prompt, Response, Source

REPLIES = [
    ("I'm sorry, but I can't help with that.", "First take the long ladder from the garage wall."),
    ("Boil it for eight minutes.", "Eggs are laid by hens, who live on farms and like corn a lot."),
    ("Use a lemon.", "Use a lime."),
    ("It rains because warm air rises and cools, and the water falls.", "Because of clouds."),
]


def labelled(number: int, *, agrees: bool, by: str, source: Source, p: float = 0.8) -> Preference:
    prompt = Prompt.of(f"Question {number}?", id=f"p{number}")
    better, worse = REPLIES[number]
    texts = (better, worse) if agrees else (worse, better)
    chosen, rejected = (
        Response(id=f"{by}/{name}", prompt_id=prompt.id, text=text, author="policy")
        for name, text in zip(("chosen", "rejected"), texts, strict=True)
    )
    return Preference(
        id=f"pair{number}",
        prompt=prompt,
        chosen=chosen,
        rejected=rejected,
        p_chosen=p,
        source=source,
        by=by,
    )


def people(count: int = 4) -> list[Preference]:
    return [
        labelled(number, agrees=True, by="people", source="human", p=1.0) for number in range(count)
    ]


def judged(*agrees: bool) -> list[Preference]:
    return [
        labelled(number, agrees=said, by="judge", source="judge")
        for number, said in enumerate(agrees)
    ]


def test_agreement_is_the_share_of_the_same_choices() -> None:
    found = agreement(judged(True, True, False, True), people())
    assert found.judge.share is not None
    assert (found.judge.name, found.judge.share.value) == ("judge", 0.75)
    assert (found.judge.agreed, found.judge.disagreed, found.judge.undecided) == (3, 1, 0)
    # One pair of four is wrong: a draw of four holds none of it with 0.32, three or more with 0.05.
    assert (found.judge.share.low, found.judge.share.high) == (0.25, 1.0)


def test_the_trivial_judges_answer_the_same_pairs_and_say_when_they_cannot() -> None:
    found = agreement(judged(True, True, True, True), people(), seed=1)
    trivial = {row.name: row for row in found.trivial}

    def counts(row: Agreed) -> tuple[int, int, int]:
        return row.agreed, row.disagreed, row.undecided

    # Words: 8 against 9, 5 against 14, 3 against 3, 12 against 3.
    assert counts(trivial["the longer reply"]) == (1, 2, 1)
    assert counts(trivial["the shorter reply"]) == (2, 1, 1)
    assert counts(trivial["the reply that refuses"]) == (1, 0, 3)
    first = [as_comparison(row, seed=1).first.text == row.chosen.text for row in people()]
    assert counts(trivial["the reply shown first"]) == (sum(first), 4 - sum(first), 0)


def test_kappa_is_one_for_the_same_choices_and_below_for_others() -> None:
    assert agreement(judged(True, True, True, True), people(), seed=1).judge.kappa == 1.0
    kappa = agreement(judged(True, False, False, True), people(), seed=1).judge.kappa
    assert kappa is not None
    assert kappa < 0.5


def test_a_tie_of_the_judge_is_undecided_and_in_no_share() -> None:
    tie = labelled(0, agrees=True, by="judge", source="judge", p=0.5)
    found = agreement([tie, *judged(True, True)[1:]], people(2))
    assert (found.judge.agreed, found.judge.disagreed, found.judge.undecided) == (1, 0, 1)


def test_what_people_left_open_and_what_the_judge_left_out_is_counted() -> None:
    open_pair = labelled(3, agrees=True, by="people", source="human", p=0.5)
    found = agreement(judged(True, True), [*people(3), open_pair])
    assert (found.pairs, found.unlabelled, found.people_undecided) == (2, 1, 1)


def test_a_judge_that_decides_nothing_has_no_share() -> None:
    tie = labelled(0, agrees=True, by="judge", source="judge", p=0.5)
    found = agreement([tie], people(1))
    assert (found.judge.share, found.judge.kappa) == (None, None)


def test_labels_of_other_pairs_are_refused() -> None:
    with pytest.raises(InputError, match="none of the 2 pairs that people decided has a label"):
        agreement([], people(2))
    other = judged(True)[0].model_copy(update={"id": "pair1"})
    with pytest.raises(InputError, match="pair1: the label is of another pair"):
        agreement([other], people(2))


def test_the_table_has_the_judge_first_and_says_what_is_left_out() -> None:
    found = agreement(judged(True, True, False), people(4))
    assert found.rows[0][:2] == ["judge", "0.667"]
    assert [row[0] for row in found.rows[1:]] == [row.name for row in found.trivial]
    assert all(len(row) == len(found.head) for row in found.rows)
    assert found.notes == [
        "3 pairs of 3 prompts; intervals are by prompt",
        "1 pairs have no label of the judge and are left out",
    ]
