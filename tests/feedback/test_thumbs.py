import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.errors import InputError
from rlaif.feedback.thumbs import (
    Thumb,
    check_both,
    is_thumb,
    pairs_of,
    read_thumbs,
    tidy,
    unpaired,
)
from rlaif.records import Prompt, Response


def write(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "thumbs.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def thumb(reply: str, good: bool, by: str = "ann", at: str | None = None, on: str = "P") -> Thumb:
    prompt = Prompt.of(on)
    response = Response(id=reply, prompt_id=prompt.id, text=reply, author="m")
    return Thumb(id=f"{reply}-{by}", prompt=prompt, response=response, good=good, by=by, at=at)


@pytest.mark.parametrize(
    ("said", "good"),
    [(True, True), (False, False), (1, True), (-1, False), (0, False), ("up", True), ("👎", False)],
)
def test_a_thumb_is_read_however_it_is_written(said: Any, good: bool, tmp_path: Path) -> None:
    [one] = read_thumbs(write(tmp_path, {"prompt": "P", "completion": "a", "label": said}))
    assert one.good is good


def test_who_when_and_which_model_are_read(tmp_path: Path) -> None:
    talk = [{"role": "user", "content": "P"}, {"role": "assistant", "content": "a"}]
    rows = [
        {"messages": talk, "thumb": "down", "user_id": 7, "timestamp": 0, "model": "m"},
        {"prompt": "P", "response": "a", "vote": 1, "at": "2026-01-31T13:00:00+01:00"},
        {"prompt": "P", "response": "b", "vote": 1, "at": 1_769_860_800_000},
    ]
    one, other, third = read_thumbs(write(tmp_path, *rows))
    assert (one.prompt.text, one.response.text, one.response.author) == ("P", "a", "m")
    assert (one.by, one.at, one.good) == ("7", "1970-01-01T00:00:00+00:00", False)
    assert other.at == third.at == "2026-01-31T12:00:00+00:00"


def test_the_last_word_of_a_person_counts_once_and_others_are_counted() -> None:
    early, late = "2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"
    given_ = [
        thumb("a", True, at=late),
        thumb("a", False, at=early),
        thumb("b", True, at=early),
        thumb("b", True, at=late),
        thumb("a", False, by="bo"),
    ]
    kept, left_out = tidy(given_)
    assert {(t.by, t.response.text, t.good) for t in kept} == {
        ("ann", "a", True),
        ("ann", "b", True),
        ("bo", "a", False),
    }
    assert left_out == {"taken back later": 1, "given again": 1}


def test_one_person_counts_at_most_so_often_and_who_is_not_named_is_not_one_person() -> None:
    busy = [thumb(f"r{n}", n % 2 == 0, by="busy") for n in range(50)]
    nobody = [thumb(f"r{n}", True, by="people") for n in range(20)]
    kept, left_out = tidy([*busy, *nobody, thumb("r1", False)], cap=10, seed=1)
    assert sum(t.by == "busy" for t in kept) == 10
    assert sum(t.by == "people" for t in kept) == 20
    assert left_out == {"beyond 10 of one person": 40}
    again, _ = tidy([*busy, *nobody, thumb("r1", False)], cap=10, seed=1)
    assert kept == again


def test_one_up_against_one_down_is_four_to_one() -> None:
    [pair] = pairs_of([thumb("a", True), thumb("b", False, by="bo")])
    # s = 2/3 and 1/3: p = (2/3 · 2/3) / (2/3 · 2/3 + 1/3 · 1/3) = 0.8
    assert (pair.chosen.text, pair.p_chosen) == ("a", pytest.approx(0.8))
    assert (pair.source, pair.by, pair.group) == ("thumbs", "2 people", pair.prompt.id)


def test_many_thumbs_are_surer_and_equal_shares_are_no_pair() -> None:
    many = [thumb("a", True, by=f"u{n}") for n in range(8)]
    [pair] = pairs_of([*many, thumb("b", False), thumb("c", True, on="another")])
    assert pair.p_chosen == pytest.approx(0.9 * (2 / 3) / (0.9 * (2 / 3) + 0.1 / 3))
    assert pairs_of([thumb("a", True), thumb("b", True)]) == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.sampled_from("xyz"))))
def test_whatever_the_thumbs_the_better_share_is_chosen(said: list[tuple[str, bool, str]]) -> None:
    thumbs = [thumb(reply, good, by=by) for reply, good, by in said]
    for pair in pairs_of(thumbs):
        ups = {
            side: [t.good for t in thumbs if t.response.text == getattr(pair, side).text]
            for side in ("chosen", "rejected")
        }
        better, worse = ((sum(u) + 1) / (len(u) + 2) for u in (ups["chosen"], ups["rejected"]))
        assert better > worse
        assert 0.5 < pair.p_chosen < 1


def test_rows_for_kto_are_trls_and_read_back_whole(tmp_path: Path) -> None:
    thumbs = [thumb("a", True, at="2026-01-01T00:00:00+00:00"), thumb("b", False, by="bo")]
    rows = list(unpaired(thumbs))
    assert rows[0]["completion"] == [{"role": "assistant", "content": "a"}]
    assert rows[0]["label"] is True
    back = read_thumbs(write(tmp_path, *rows))
    assert [(t.id, t.good, t.by, t.at, t.prompt.text, t.response.text, t.response.author)
            for t in back] == [
        (t.id, t.good, t.by, t.at, t.prompt.text, t.response.text, t.response.author)
        for t in thumbs
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("thumbs", "message"),
    [
        ([thumb("a", True), thumb("b", True)], "x: thumbs of both kinds .* all 2 are up"),
        ([thumb("a", False)], "all 1 are down"),
        ([], "there are none"),
    ],
)
def test_one_kind_alone_is_refused_with_the_count(thumbs: list[Thumb], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_both(thumbs, "x")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "P", "completion": "a", "label": "meh"}, r":1: 'meh' is no thumb"),
        ({"prompt": "P", "completion": " ", "label": 1}, r":1: the reply is empty"),
        ({"completion": "a", "label": 1}, r":1: a thumb without a `prompt`"),
        ({"prompt": "P", "completion": "a"}, r":1: None is no thumb"),
        ({"prompt": "P", "completion": "a", "label": 1, "at": "noon"}, r":1: 'noon' is no time"),
        ({"prompt": "P", "completion": "a", "label": 1, "at": 1e300}, r":1: "),
        ({"messages": [{"role": "user", "content": "P"}], "label": 1}, r":1: messages: the last"),
    ],
)
def test_a_row_that_is_no_thumb_is_named(row: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_thumbs(write(tmp_path, row))


def test_a_pair_is_no_thumb() -> None:
    assert is_thumb({"prompt": "P", "completion": "a", "label": True})
    assert not is_thumb({"prompt": "P", "chosen": "a", "rejected": "b", "rating": 3})
    assert not is_thumb({"prompt": "P", "completion": "a"})
