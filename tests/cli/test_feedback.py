"""What people said, from the command line: crowds, thumbs, sources beside each other, exports."""

import json
import random
from pathlib import Path
from typing import Any

import krippendorff
import pytest

from rlaif.cli.main import main


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, *rows: dict[str, Any]) -> str:
    Path(name).write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return name


def rows_of(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]


def shown(number: int, rater: str, choice: str) -> dict[str, Any]:
    pair = {"id": f"p{number}", "prompt": f"P{number}", "first": "a", "second": "b"}
    return {**pair, "rater": rater, "choice": choice}


def test_a_crowd_is_printed_and_its_pairs_are_pooled(capsys: pytest.CaptureFixture[str]) -> None:
    said = {"ann": "ffsfsf", "bo": "ffsfff", "cy": "fsssft"}
    names = {"f": "first", "s": "second", "t": "tie"}
    rows = [shown(n, who, names[c]) for who, text in said.items() for n, c in enumerate(text)]
    write("crowd.jsonl", *rows)
    done = main(["feedback", "crowd", "crowd.jsonl", "--method", "majority", "-o", "out",
                 "--json", "crowd.json", "--rounds", "1000"])  # fmt: skip
    out = capsys.readouterr().out
    assert done == 0
    assert "everybody   3" in out
    assert "6 pairs pooled by majority, kept in out/preferences.jsonl" in out
    labels = {row["id"]: row for row in rows_of("out/preferences.jsonl")}
    assert labels["p0"]["p_chosen"] == 1.0
    assert labels["p1"]["p_chosen"] == pytest.approx(2 / 3)
    assert labels["p2"]["chosen"]["text"] == "b"
    assert json.loads(Path("crowd.json").read_text(encoding="utf-8"))["raters"] == 3


def test_items_that_are_no_pairs_are_pooled_into_shares(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"item": item, "rater": who, "label": label}
        for item, labels in {"i": "yyn", "j": "nnn"}.items()
        for who, label in zip("abc", labels, strict=True)
    ]
    write("said.jsonl", *rows)
    assert main(["feedback", "crowd", "said.jsonl", "--method", "majority", "-o", "out"]) == 0
    assert "2 items pooled by majority" in capsys.readouterr().out
    [one, other] = rows_of("out/pooled.jsonl")
    assert (one["item"], one["shares"]["y"]) == ("i", pytest.approx(2 / 3))
    assert other["shares"] == {"n": 1.0, "y": 0.0}


def test_a_crowd_of_one_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    write("one.jsonl", shown(1, "ann", "first"), shown(2, "ann", "second"))
    assert main(["feedback", "crowd", "one.jsonl"]) == 2
    assert "none of the 2 items has two raters" in capsys.readouterr().err
    assert main(["feedback", "crowd", "one.jsonl", "--method", "median"]) == 2
    assert capsys.readouterr().err.startswith("median: no way to pool answers")


def test_other_peoples_rows_are_imported_and_faulty_ones_named_and_kept(
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = {"prompt": "P", "responses": ["a", "b"], "ranks": [1, 2]}
    write("theirs.jsonl", good, {**good, "responses": ["a", "a"]}, {"choice": "first"}, good)
    assert main(["feedback", "import", "theirs.jsonl", "-o", "out"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("theirs.jsonl:2: left out: pair ")
    assert "same text" in lines[0]
    assert "theirs.jsonl:3: left out: `choice` is a label without its pair" in lines[1]
    assert "theirs.jsonl:4: left out: id " in lines[2]
    assert lines[3].startswith("1 labels (1 human; 0 ties) kept in out/preferences.jsonl, 3 rows")
    assert [row["kind"] for row in rows_of("out/abstentions.jsonl")] == [
        "same",
        "unreadable",
        "ambiguous",
    ]
    assert main(["feedback", "import", "out/preferences.jsonl", "-o", "out"]) == 2
    assert "choose another -o" in capsys.readouterr().err


def test_thumbs_become_rows_for_kto_and_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"prompt": "P", "completion": c, "label": c == "a", "by": "ann"} for c in "abb"]
    write("thumbs.jsonl", *rows)
    assert main(["feedback", "thumbs", "thumbs.jsonl", "-o", "out", "--cap", "5"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2 thumbs of 1 people: 1 up, 1 down; kept in out/kto.jsonl",
        "left out: 1 given again",
        "1 pairs within prompts, kept in out/preferences.jsonl",
    ]
    assert [row["label"] for row in rows_of("out/kto.jsonl")] == [True, False]
    assert rows_of("out/preferences.jsonl")[0]["source"] == "thumbs"
    write("up.jsonl", rows[0])
    assert main(["feedback", "thumbs", "up.jsonl", "-o", "out"]) == 2
    assert "all 1 are up" in capsys.readouterr().err


def test_labels_are_exported_and_what_is_lost_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    write("people.jsonl", {"id": "x", "prompt": "P", "chosen": "a", "rejected": "b"})
    assert main(["feedback", "export", "people.jsonl", "--to", "parquet", "-o", "x.parquet"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "1 labels in 1 rows of parquet, kept in x.parquet",
        "read again, they are what they were: nothing is lost",
    ]
    assert main(["feedback", "export", "x.parquet", "--to", "kto", "-o", "kto.jsonl"]) == 0
    assert "which replies were compared (1)" in capsys.readouterr().out
    assert main(["feedback", "export", "people.jsonl", "--to", "trl", "-o", "people.jsonl"]) == 2
    assert "is the file that is read" in capsys.readouterr().err


def test_sources_that_disagree_are_shown_with_the_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    pair = {"prompt": "P", "chosen": "a", "rejected": "b"}
    write("ann.jsonl", pair, {**pair, "prompt": "Q"})
    write("bo.jsonl", {**pair, "chosen": "b", "rejected": "a"}, {**pair, "prompt": "Q"})
    asked = ["feedback", "disagree", "ann.jsonl", "bo.jsonl", "--json", "d.json"]
    assert main([*asked, "--rounds", "1000"]) == 0
    out = capsys.readouterr().out
    assert "ann.jsonl – bo.jsonl   0.500" in out
    assert "ann.jsonl (1.00): a; bo.jsonl (1.00): b" in out
    assert json.loads(Path("d.json").read_text(encoding="utf-8"))["beside"][0]["shared"] == 2
    both = [{**pair, "source": source, "id": source} for source in ("human", "judge")]
    write("both.jsonl", *both)
    assert main(["feedback", "disagree", "both.jsonl", "--rounds", "1000"]) == 0
    assert "human – judge" in capsys.readouterr().out


def test_dices_has_its_alphas_by_the_raters_group(capsys: pytest.CaptureFixture[str]) -> None:
    # A twin of DICES' own table: young raters agree more often than old ones.
    rng = random.Random(0)
    truth = [rng.choice(["Yes", "No"]) for _ in range(60)]
    said = {
        (item, rater): label if rng.random() < (0.95 if rater < 5 else 0.75) else "Yes"
        for item, label in enumerate(truth)
        for rater in range(10)
    }
    rows = [
        {"item_id": item, "rater_id": rater, "rater_age": "gen z" if rater < 5 else "gen x+",
         "rater_gender": "Woman" if rater % 2 else "Man", "Q_overall": label}
        for (item, rater), label in said.items()
    ]  # fmt: skip
    write("dices.jsonl", *rows)
    groups = {"gen z": range(5), "gen x+": range(5, 10)}
    asked = ["feedback", "crowd", "dices.jsonl", "--group", "rater_age", "--method", "majority"]
    assert main([*asked, "--json", "found.json", "--rounds", "1000"]) == 0
    found = json.loads(Path("found.json").read_text(encoding="utf-8"))
    printed = capsys.readouterr().out
    alphas = {row["group"]: row["alpha"]["value"] for row in found["groups"]}
    assert alphas.keys() == groups.keys()
    for name, raters in groups.items():
        table = [[int(said[item, rater] == "Yes") for item in range(60)] for rater in raters]
        expected = krippendorff.alpha(table, level_of_measurement="nominal")
        assert alphas[name] == pytest.approx(expected)
        assert f"{expected:.3f}" in printed
    assert alphas["gen z"] > alphas["gen x+"]
