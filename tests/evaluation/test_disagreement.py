import pytest

from rlaif.errors import InputError
from rlaif.evaluation.disagreement import disagreement, sheets
from rlaif.records import Preference, Prompt, Response


def label(prompt: str, chosen: str, rejected: str, p: float = 1.0, name: str = "") -> Preference:
    asked = Prompt.of(prompt)
    replies = [
        Response(id=text, prompt_id=asked.id, text=text, author="m") for text in (chosen, rejected)
    ]
    return Preference(
        id=name or f"{prompt}{chosen}{rejected}", prompt=asked, chosen=replies[0],
        rejected=replies[1], p_chosen=p, source="human", by="x",
    )  # fmt: skip


JUDGE = [
    label("P1", "a", "b", 0.9),
    label("P2", "a", "b", 0.8),
    label("P3", "b", "a", 0.7),
    label("P4", "a", "b", 0.5),
    label("P5", "a", "c", 0.9),
]
PEOPLE = [
    label("P1", "a", "b", name="another name"),
    label("P2", "b", "a"),
    label("P3", "b", "a"),
    label("P4", "a", "b"),
    label("P5", "a", "b"),
]


def test_two_sources_meet_on_the_same_texts_whatever_the_pairs_are_called() -> None:
    [row] = disagreement({"judge": JUDGE, "people": PEOPLE}, rounds=1000).beside
    assert (row.shared, row.agreed, row.disagreed, row.ties) == (4, 2, 1, 1)
    assert row.agree is not None
    assert row.agree.value == pytest.approx(2 / 3)
    # |0.9 − 1|, |0.8 − 0|, |0.3 − 0|, |0.5 − 1|
    assert row.apart == pytest.approx((0.1 + 0.8 + 0.3 + 0.5) / 4)
    # Of three pairs the judge says a, a, b and people a, b, b: κ = (2/3 − 4/9) / (1 − 4/9).
    assert row.kappa is not None
    assert row.kappa.value == pytest.approx(0.4)


def test_the_pairs_labelled_the_other_way_round_are_shown_the_surest_first() -> None:
    more = [*PEOPLE[:2], label("P3", "a", "b", 0.55)]
    found = disagreement({"judge": JUDGE, "people": more}, rounds=1000)
    assert [clash.prompt for clash in found.clashes] == ["P2", "P3"]
    assert found.clashes[0].said == {"judge (0.80)": "a", "people (1.00)": "b"}
    text = [cell for sheet in sheets(found) for row in sheet.rows for cell in row]
    assert "judge (0.80): a; people (1.00): b" in text


def test_several_peoples_labels_of_a_pair_count_as_their_mean() -> None:
    divided = [label("P1", "a", "b"), label("P1", "b", "a"), label("P2", "a", "b")]
    [row] = disagreement({"judge": JUDGE, "people": divided}, rounds=1000).beside
    assert (row.agreed, row.ties) == (1, 1)


def test_three_sources_are_three_twos() -> None:
    found = disagreement({"a": JUDGE, "b": PEOPLE, "c": PEOPLE}, rounds=1000)
    assert [(row.one, row.other) for row in found.beside] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert found.beside[2].disagreed == 0


def test_sources_that_share_nothing_say_so() -> None:
    with pytest.raises(InputError, match=r"no pair is in two sources \(a 5, b 1\)"):
        disagreement({"a": JUDGE, "b": [label("Q", "a", "b")]})
    with pytest.raises(InputError, match="one source alone, a"):
        disagreement({"a": JUDGE})
