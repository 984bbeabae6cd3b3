import json
import os
from pathlib import Path

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlaif.errors import InputError
from rlaif.feedback.export.icai import annotated_pairs
from rlaif.feedback.export.write import WRITERS, export
from rlaif.feedback.importers import read_pairs, read_people
from rlaif.feedback.thumbs import read_thumbs
from rlaif.records import Abstention, Message, Preference, Prompt, Response, Verdict

TALK = (
    Message(role="user", content="Hi"),
    Message(role="assistant", content="Hello."),
    Message(role="user", content="And “then”?\n"),
)


def judged(p: float = 0.8, name: str = "j1") -> Preference:
    prompt = Prompt(id="talk", messages=TALK, tags=("harmful",))
    replies = [
        Response(id=f"{name}/{t}", prompt_id="talk", text=f"{t} ≡ {name}", author=f"model {t}")
        for t in "ab"
    ]
    return Preference(
        id=name,
        prompt=prompt,
        chosen=replies[0],
        rejected=replies[1],
        p_chosen=p,
        source="judge",
        by="a judge",
        verdicts=(
            Verdict(p_first=0.9, judge="a judge", principle="calm", evidence={"ab/p_first": 0.9}),
            Verdict(p_first=0.2, judge="a judge", principle="short"),
        ),
        abstained=(Abstention(kind="refused", subject=name, by="a judge", principle="kind"),),
        constitution="0123456789abcdef",
        group="g",
        weight=2.0,
    )


def said(name: str = "h1", by: str = "ann") -> Preference:
    prompt = Prompt.of("Hi")
    good, bad = (
        Response(id=f"{name}/{t}", prompt_id=prompt.id, text=t, author="unknown")
        for t in ("chosen", "rejected")
    )
    return Preference(
        id=name, prompt=prompt, chosen=good, rejected=bad, p_chosen=1.0, source="human", by=by
    )


def test_parquet_loses_nothing_and_has_trls_columns(tmp_path: Path) -> None:
    labels = [judged(), said(), judged(0.5, "j2")]
    path = tmp_path / "out.parquet"
    assert export(labels, "parquet", path) == (3, {})
    assert read_people(path) == labels
    table = pyarrow.parquet.read_table(path).to_pylist()
    assert table[0]["chosen"] == [{"role": "assistant", "content": "a ≡ j1"}]
    assert [row["p_chosen"] for row in table] == [0.8, 1.0, 0.5]


@pytest.mark.parametrize("to", ["trl", "icai", "argilla"])
def test_what_does_not_come_back_is_said_and_the_rest_does(to: str, tmp_path: Path) -> None:
    labels = [judged(), said()]
    path = tmp_path / ("out.json" if to == "icai" else "out.jsonl")
    rows, lost = export(labels, to, path)
    back = read_people(path)
    assert rows == len(back) == 2
    for before, after in zip(labels, back, strict=True):
        for name in Preference.model_fields:
            if getattr(before, name) != getattr(after, name):
                assert any(key.split(".")[0] == name for key in lost), name
    assert [row.p_chosen for row in back] == [0.8, 1.0]
    assert [(row.chosen.text, row.by, row.weight) for row in back] == [
        ("a ≡ j1", "a judge", 2.0),
        ("chosen", "ann", 1.0),
    ]
    assert lost["verdicts"] == 1
    assert ("prompt.messages" in lost) == (to == "icai")  # where a prompt is one text


def test_icai_keeps_each_principles_side_and_why_one_has_none(tmp_path: Path) -> None:
    path = tmp_path / "pairs.json"
    export([judged()], "icai", path)
    [back] = read_people(path)
    sides = {verdict.principle: verdict.p_first for verdict in back.verdicts}
    assert sides == {"calm": 1.0, "short": 0.0}
    assert [(one.principle, one.kind) for one in back.abstained] == [("kind", "refused")]


def test_icai_shows_a_principles_own_words_and_draws_the_sides() -> None:
    labels = [judged(name=f"j{n}") for n in range(40)]
    value = annotated_pairs(labels, {"calm": "The response is calm."})
    told = {a["name"]: a["description"] for a in value["annotators"].values()}
    assert (told["calm"], told["short"]) == ("The response is calm.", "short")
    default = value["metadata"]["default_annotator"]
    sides = [pair["annotations"][default]["pref"] for pair in value["comparisons"]]
    assert 8 < sides.count("a") < 32


def test_a_published_file_of_icai_comes_back_as_it_was_read(tmp_path: Path) -> None:
    data = (
        Path(os.environ.get("RLAIF_DATA", "/nowhere")) / "feedback-forensics/annotated_pairs.json"
    )
    if not data.is_file():
        pytest.skip("RLAIF_DATA does not hold feedback-forensics")
    labels = read_people(data)
    path = tmp_path / "again.json"
    _, lost = export(labels, "icai", path)
    [before], [after] = labels, read_people(path)
    assert lost.keys() <= {"abstained", "chosen.id", "rejected.id"}
    assert before.verdicts == after.verdicts
    assert [a.principle for a in before.abstained] == [a.principle for a in after.abstained]


def test_kto_has_each_reply_once_and_says_what_single_replies_cannot_hold(tmp_path: Path) -> None:
    labels = [judged(), judged(0.5, "j2"), said()]
    path = tmp_path / "kto.jsonl"
    rows, lost = export(labels, "kto", path)
    assert rows == 4
    assert {(thumb.response.text, thumb.good) for thumb in read_thumbs(path)} == {
        ("a ≡ j1", True),
        ("b ≡ j1", False),
        ("chosen", True),
        ("rejected", False),
    }
    assert lost == {
        "which replies were compared": 3,
        "p_chosen": 2,
        "ties, left out": 1,
        "replies of ties alone, or as often good as bad, left out": 2,
    }


def test_an_answer_given_in_argilla_is_a_label_of_whom_gave_it(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    export([judged()], "argilla", path)
    row = json.loads(path.read_text(encoding="utf-8"))
    chosen = row["suggestions"]["preference"]["value"]
    other = "response_b" if chosen == "response_a" else "response_a"
    answers = [
        {"value": other, "user_id": "ann", "status": "submitted"},
        {"value": "tie", "user_id": "bo", "status": "submitted"},
        {"value": chosen, "user_id": "cy", "status": "draft"},
    ]
    row["responses"] = {"preference": answers}
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    ann, bo = read_people(path)
    assert (ann.chosen.text, ann.p_chosen, ann.by, ann.source) == ("b ≡ j1", 1.0, "ann", "human")
    assert (bo.p_chosen, bo.by) == (0.5, "bo")
    row["responses"], row["suggestions"] = {}, {}
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    [asked] = read_pairs(path)
    assert {asked.first.text, asked.second.text} == {"a ≡ j1", "b ≡ j1"}


def test_a_format_that_is_none_and_a_name_that_is_no_parquet_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"agilla: no such format; did you mean 'argilla'"):
        export([said()], "agilla", tmp_path / "x")
    with pytest.raises(InputError, match=r"x\.jsonl: a Parquet file's name ends in \.parquet"):
        export([said()], "parquet", tmp_path / "x.jsonl")
    for to in WRITERS:
        with pytest.raises(InputError, match="no label to write"):
            export([], to, tmp_path / "x")


TEXTS = st.text(min_size=1).filter(str.strip)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(TEXTS, min_size=3, max_size=3, unique=True),
    p=st.floats(0.5, 1.0),
    weight=st.floats(0.01, 9.0),
    margin=st.floats(0.0, 3.0),
)
@pytest.mark.parametrize("to", ["trl", "icai", "argilla", "parquet"])
def test_whatever_a_label_holds_it_comes_back_or_is_told(
    to: str, tmp_path: Path, texts: list[str], p: float, weight: float, margin: float
) -> None:
    asked, one, other = texts
    label = said()
    label = label.model_copy(
        update={
            "prompt": Prompt.of(asked),
            "chosen": label.chosen.model_copy(update={"text": one}),
            "rejected": label.rejected.model_copy(update={"text": other}),
            "p_chosen": p,
            "weight": weight,
            "margin": margin,
        }
    )
    path = tmp_path / {"icai": "x.json", "parquet": "x.parquet"}.get(to, "x.jsonl")
    _, lost = export([label], to, path)
    [back] = read_people(path)
    sides = [(label.chosen.text, label.rejected.text), (label.rejected.text, label.chosen.text)]
    assert (back.chosen.text, back.rejected.text) in sides[: 2 if p == 0.5 else 1]
    assert back.prompt.text == asked
    for name in ("p_chosen", "weight", "margin"):
        assert getattr(back, name) == getattr(label, name) or name in lost
