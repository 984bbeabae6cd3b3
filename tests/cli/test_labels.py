"""Labels on plain files: panels, conditions, weights edited later, figures learnt from people."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rlaif.cli.main import main
from rlaif.constitution.principle import Constitution
from rlaif.feedback.importers import read_pairs
from rlaif.judges.propositions import statements
from rlaif.templates import Template

TWO = """name: two
principles:
  calm: The response is calm.
  short: The response is short.
"""
Run = Callable[..., str]
Share = Callable[[str, str, str], float]
COMPARE_ANSWER = {"A": 0.9, "B": 0.1}


@pytest.fixture
def shown(six: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command that must succeed, beside the six pairs; give what it prints."""
    assert six.is_dir()

    def run(*arguments: str) -> str:
        code = main(list(arguments))
        printed = capsys.readouterr()
        assert code == 0, printed.err
        return printed.out

    return run


@pytest.fixture
def told(six: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command that must fail; give the one line that it says."""
    assert six.is_dir()

    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert main(list(arguments)) == 2
        errors = capsys.readouterr().err
        assert len(errors.splitlines()) == 1, errors
        return errors.strip()

    return run


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def record(folder: Path, share: Share, *, rules: str = "two.yaml", when: float = 0.9) -> None:
    """Record what a judge of single replies says: the share of yes to (prompt, reply, statement).

    Beside it, the same judge's answers to `compare`, always for slot A, and to every `when`.
    """
    rows: dict[str, dict[str, float]] = {}
    absolute, compare, asks = (Template.load(name) for name in ("absolute", "compare", "when"))

    def asked(template: Template, **values: str) -> str:
        return template.render("", values).messages[-1].content

    for pair in read_pairs(folder / "people.jsonl"):
        prompt, replies = pair.prompt.text, (pair.first.text, pair.second.text)
        for principle in Constitution.load(folder / rules).principles:
            if principle.when:
                question = asked(asks, prompt=prompt, when=principle.when)
                rows[question] = {"Yes": when, "No": 1 - when}
            for statement in statements(principle):
                for reply in replies:
                    question = asked(absolute, prompt=prompt, reply=reply, principle=statement.text)
                    p = share(prompt, reply, statement.text)
                    rows[question] = {"Yes": p, "No": 1 - p}
            for first, second in (replies, replies[::-1]):
                question = asked(
                    compare, prompt=prompt, first=first, second=second, principle=principle.text
                )
                rows[question] = COMPARE_ANSWER
    write(
        folder / "judge.jsonl",
        [
            {"prompt": q, "text": "", "option_logprobs": {k: math.log(v) for k, v in said.items()}}
            for q, said in rows.items()
        ],
    )


@pytest.fixture
def six(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six pairs that people chose in; the better reply says "good"."""
    rows = [
        {"id": f"r{n}", "prompt": f"Question {n}", "chosen": f"good {n}", "rejected": f"bad {n}"}
        for n in range(6)
    ]
    write(tmp_path / "people.jsonl", rows)
    (tmp_path / "two.yaml").write_text(TWO, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def is_good(yes: float, no: float) -> Share:
    return lambda _prompt, reply, _statement: yes if "good" in reply else no


def likes_good_calm_but_short_bad(_: str, reply: str, statement: str) -> float:
    is_good = reply.startswith("good")
    return 0.8 if is_good == ("calm" in statement) else 0.4


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


LABEL = [
    "label",
    "people.jsonl",
    "-c",
    "two.yaml",
    "--judge",
    "recorded:judge.jsonl",
    "--draw",
    "0",
]


def test_labels_are_weighed_anew_without_a_judge(shown: Run, six: Path) -> None:
    record(six, likes_good_calm_but_short_bad)
    edited = TWO.replace("calm: The response is calm.",
                         "calm: {text: The response is calm., weight: 3}")  # fmt: skip
    (six / "two.yaml").write_text(edited, encoding="utf-8")
    shown(*LABEL, "-o", "l")
    assert all(
        row["chosen"]["text"].startswith("good") for row in read(six / "l/preferences.jsonl")
    )
    (six / "judge.jsonl").unlink()
    (six / "mine.yaml").write_text(
        edited.replace("weight: 3", "weight: 0.5").replace("two", "mine"), encoding="utf-8"
    )
    printed = shown("reweigh", "l", "-c", "mine.yaml", "-o", "again")
    assert printed.splitlines()[0] == "6 weighed anew; 6 flipped"
    assert all(
        row["chosen"]["text"].startswith("bad") for row in read(six / "again/preferences.jsonl")
    )
    printed = shown("reweigh", "l", "-c", "mine.yaml", "-o", "sure", "--min-confidence", "0.9")
    assert printed.splitlines()[0] == "0 weighed anew, 6 abstained (6 unsure); 0 flipped"


def test_a_principle_that_was_never_asked_is_told_when_weighing_anew(shown: Run, six: Path) -> None:
    record(six, likes_good_calm_but_short_bad)
    shown(*LABEL, "-o", "l")
    (six / "more.yaml").write_text(TWO + "  warm: The response is warm.\n", encoding="utf-8")
    printed = shown("reweigh", "l", "-c", "more.yaml", "-o", "again")
    assert "no label has a verdict by 'warm'; label again to have it asked" in printed


def test_weighing_anew_refuses_other_words_and_its_own_folder(told: Run, six: Path) -> None:
    record(six, likes_good_calm_but_short_bad)
    assert main([*LABEL, "-o", "l"]) == 0
    (six / "loud.yaml").write_text(TWO.replace("is calm", "is loud"), encoding="utf-8")
    line = told("reweigh", "l", "-c", "loud.yaml", "-o", "again")
    assert line.startswith("two: the principle 'calm' is worded otherwise than when 'r")
    assert not (six / "again").exists()
    line = told("reweigh", "l", "-c", "two.yaml", "-o", "l")
    assert line == "l: holds the labels as they were judged; choose another -o"


def test_a_panel_of_templates_keeps_what_each_said(shown: Run, six: Path) -> None:
    record(
        six,
        is_good(0.8, 0.2),
    )
    printed = shown(
        *LABEL, "-o", "l", "--template", "absolute", "--template", "compare", "--dry-run"
    )
    assert printed.startswith(
        "6 comparisons × 8 (2 principles, 2 templates) = 48 requests at most\n"
    )
    shown(*LABEL, "-o", "l", "--template", "absolute", "--template", "compare", "--panel", "median")
    rows = read(six / "l/preferences.jsonl")
    assert {row["by"] for row in rows} == {"median of absolute, compare"}
    verdict = rows[0]["verdicts"][0]
    assert verdict["evidence"]["absolute/p_first"] > 0.9
    assert verdict["evidence"]["compare/p_first"] == pytest.approx(0.5)
    assert "absolute/p_first" in shown("look", "l", "-n", "1")


def test_a_when_is_asked_once_a_prompt_and_counted_beforehand(shown: Run, six: Path) -> None:
    rules = six / "two.yaml"
    asks = "short: {text: The response is short., when: The user asks.}"
    rules.write_text(TWO.replace("short: The response is short.", asks), encoding="utf-8")
    record(six, rules=rules.name, share=likes_good_calm_but_short_bad, when=0.1)
    printed = shown(*LABEL, "--dry-run")
    assert printed.startswith(
        "6 comparisons × 4 (2 principles) + 6 about prompts = 30 requests at most\n"
    )
    shown(*LABEL, "-o", "l")
    rows = read(six / "l/preferences.jsonl")
    assert [[v["principle"] for v in row["verdicts"]] for row in rows] == [["calm"]] * 6


def test_a_tag_puts_every_prompt_into_a_principles_scope(shown: Run, six: Path) -> None:
    scoped = "short: {text: The response is short., scope: [harmful]}"
    rules = six / "two.yaml"
    rules.write_text(TWO.replace("short: The response is short.", scoped), encoding="utf-8")
    record(six, rules=rules.name, share=likes_good_calm_but_short_bad)
    shown(*LABEL, "-o", "plain")
    shown(*LABEL, "-o", "tagged", "--tag", "harmful", "--tag", "short")
    for folder, asked in (("plain", ["calm"]), ("tagged", ["calm", "short"])):
        rows = read(six / folder / "preferences.jsonl")
        assert [[v["principle"] for v in row["verdicts"]] for row in rows] == [asked] * 6
        tags = [] if folder == "plain" else ["harmful", "short"]
        assert [row["prompt"].get("tags", []) for row in rows] == [tags] * 6


def test_labels_with_another_tag_do_not_go_on_where_others_are(
    shown: Run, told: Run, six: Path
) -> None:
    record(six, share=likes_good_calm_but_short_bad)
    shown(*LABEL, "-o", "l", "--tag", "harmful")
    shown(*LABEL, "-o", "l", "--tag", "harmful")
    assert told(*LABEL, "-o", "l").startswith("l: made by another constitution, judge, template")


def test_a_greedy_judge_is_not_repeated(told: Run, six: Path) -> None:
    (six / "judge.jsonl").write_text("", encoding="utf-8")
    line = told(*LABEL, "-o", "l", "--repeats", "3")
    assert line.startswith("absolute: asked at temperature 0, so 3 repeats would all say the same")


def test_a_calibration_is_one_judges_own(told: Run, six: Path) -> None:
    (six / "judge.jsonl").write_text("", encoding="utf-8")
    line = told(*LABEL, "--judge", "embedded", "--calibration", "c.json", "-o", "l")
    assert line == "a calibration is one judge's own; name one --judge with it"


def test_a_pairs_temperature_is_fitted_on_people_and_used(shown: Run, six: Path) -> None:
    # d = log 9 in each pair, and people go along in four of six: σ(log 9 / τ) = 2/3.
    record(
        six,
        is_good(0.9, 0.5),
    )
    rows = read(six / "people.jsonl")
    for row in rows[:2]:
        row["chosen"], row["rejected"] = row["rejected"], row["chosen"]
    write(six / "asked.jsonl", read(six / "people.jsonl"))
    write(six / "people.jsonl", rows)
    asked = [word.replace("people", "asked") for word in LABEL]
    shown(*asked, "-o", "l")
    printed = shown("judge", "calibrate", "l", "--with", "people.jsonl", "--judge",
                    "recorded:judge.jsonl", "-o", "fitted.json")  # fmt: skip
    wanted = math.log(9) / math.log(2)
    assert printed.startswith(f"pair temperature {wanted:.4g}"[:20])
    assert "from 12 pairs; cross-entropy 0.8" in printed
    fitted = json.loads((six / "fitted.json").read_text(encoding="utf-8"))
    assert fitted["pair_temperature"] == pytest.approx(wanted, rel=1e-3)
    shown(*asked, "-o", "cooled", "--calibration", "fitted.json")
    assert read(six / "cooled/preferences.jsonl")[0]["p_chosen"] == pytest.approx(2 / 3, rel=1e-3)


def test_propositions_weights_are_fitted_on_people_and_written(shown: Run, six: Path) -> None:
    rules = six / "rules.yaml"
    rules.write_text(
        "name: rules\nprinciples:\n  well:\n    text: The response is well made.\n"
        "    propositions:\n      - {text: It is good.}\n      - {text: It is odd., weight: 5}\n",
        encoding="utf-8",
    )

    def share(prompt: str, reply: str, statement: str) -> float:
        if "good" in statement:
            return 0.9 if "good" in reply else 0.1
        return 0.9 if int(prompt[-1]) % 2 == ("good" in reply) else 0.1

    record(six, rules=rules.name, share=share)
    shown("label", "people.jsonl", "-c", "rules.yaml", "--judge", "recorded:judge.jsonl", "-o", "l")
    printed = shown("constitution", "fit", "rules.yaml", "--labels", "l", "--with",
                    "people.jsonl", "-o", "fitted.yaml")  # fmt: skip
    assert "well: in people's order 0.50 → 1.00 of 6 pairs, those it was fitted on" in printed
    fitted = Constitution.load(six / "fitted.yaml")["well"]
    good, odd = fitted.propositions
    assert good.weight > 10 * odd.weight
    assert fitted.text == "The response is well made."
