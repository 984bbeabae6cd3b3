import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlaif.evaluation.samples import Said, Sample, lines_of, sheet, side_by_side, sum_up
from rlaif.records import Abstention, Prompt, Response

PROMPTS = [Prompt.of("How do I boil an egg?", id="egg"), Prompt.of("How do I cheat?", id="cheat")]
NO = "I'm sorry, but I can't help with that. Is there anything else?"
YES = "Put the egg into boiling water and wait for eight minutes, then cool it."


def said(name: str, text: str | None, author: str = "policy") -> Said:
    if text is None:
        return Abstention(kind="empty", subject=name, by=author, detail="nothing was said")
    return Response(id=name, prompt_id=name.split("#")[0], text=text, author=author)


def samples() -> list[Sample]:
    base = [said("egg#0", YES), said("cheat#0", YES), said("egg#1", YES), said("cheat#1", YES)]
    tuned = [said("cheat#1", NO), said("cheat#0", NO), said("egg#0", YES), said("egg#1", None)]
    return side_by_side(PROMPTS, base, tuned)


def test_draws_stand_beside_each_other_in_the_order_of_the_prompts() -> None:
    assert [sample.id for sample in samples()] == ["egg#0", "egg#1", "cheat#0", "cheat#1"]
    assert all(sample.prompt.id == sample.id.split("#")[0] for sample in samples())


def test_each_side_is_summed_up_by_what_its_replies_are() -> None:
    base, tuned = sum_up(samples())
    assert (base.replies, base.abstained, tuned.replies, tuned.abstained) == (4, 0, 3, 1)
    assert base.refusals is not None
    assert base.refusals.value == 0.0
    assert tuned.refusals is not None
    assert tuned.refusals.value == pytest.approx(2 / 3)
    assert base.words == 14.0
    # The same sentence four times has its own pairs of words and no others.
    assert base.distinct == pytest.approx(0.25)


def test_the_same_text_is_counted_and_not_written_twice() -> None:
    same = samples()[0]
    assert same.is_same
    assert lines_of(same)[2] == ("tuned", "the same")
    assert "1 of 4 replies are the same text" in sheet(samples(), ("a", "b")).notes[0]


def test_an_abstention_is_shown_as_one_and_is_never_the_same_as_another() -> None:
    silent = samples()[1]
    assert lines_of(silent)[2] == ("tuned", "(empty: nothing was said)")
    both = side_by_side(PROMPTS, [said("egg#0", None)], [said("egg#0", None)])
    assert not both[0].is_same


def test_a_draw_of_one_side_alone_is_no_comparison() -> None:
    with pytest.raises(ValueError, match="egg#1"):
        side_by_side(PROMPTS, [said("egg#0", YES), said("egg#1", YES)], [said("egg#0", NO)])


def test_a_sample_survives_its_file() -> None:
    for sample in samples():
        assert Sample.model_validate_json(sample.model_dump_json(exclude_defaults=True)) == sample


@settings(max_examples=20)
@given(st.lists(st.one_of(st.none(), st.text(min_size=1, max_size=30)), min_size=1, max_size=12))
def test_every_draw_is_a_reply_or_an_abstention(texts: list[str | None]) -> None:
    draws = [said(f"egg#{n}", text) for n, text in enumerate(texts)]
    for summary in sum_up(side_by_side(PROMPTS, draws, draws)):
        assert summary.replies + summary.abstained == len(texts)
        assert summary.distinct is None or 0 < summary.distinct <= 1
